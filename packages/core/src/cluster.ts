/**
 * Several processes on one port.
 *
 * @packageDocumentation
 */
export type { MetricsPage } from './base/cluster-worker.ts'
export { type ClusterRole, cluster } from './cluster/cluster.ts'
export type {
  ClusterMetrics,
  ClusterMetricsServices,
  ClusterMetricsWriter,
  WorkerMetrics,
} from './cluster/cluster-metrics.ts'
export type { ClusterEndpoint, ClusterOptions } from './cluster/options.ts'
export type { RestartOptions } from './cluster/restarts.ts'
