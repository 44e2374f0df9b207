/**
 * Metrics for Prometheus.
 *
 * @packageDocumentation
 */
export { clusterMetrics } from './cluster-metrics.ts'
export { metrics } from './metrics-plugin.ts'
export { type MetricsSettings, metricsSettings } from './metrics-settings.ts'
export type { MetricsAccess, MetricsGuard, MetricsOptions } from './options.ts'
export type { PromMetric, PromRegistry } from './prom-registry.ts'
