import { workload as cluster } from './cluster.mjs'

/** The same with a handler that does next to nothing: the load generator needs a large part of the second core. */
export const workload = { ...cluster, name: 'cluster-empty', handlerMicros: 0 }
