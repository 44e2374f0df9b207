export { type ClusterRole, cluster } from './cluster/cluster.ts'
export type { ClusterOptions } from './cluster/options.ts'
export type { RestartOptions } from './cluster/restarts.ts'
