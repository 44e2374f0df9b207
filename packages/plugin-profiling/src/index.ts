export type { ProfilingAccess, ProfilingGuard, ProfilingOptions } from './options.ts'
export { profiling } from './profiling-plugin.ts'
