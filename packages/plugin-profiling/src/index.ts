/**
 * CPU and heap profiles of a running process.
 *
 * @packageDocumentation
 */
export type { ProfilingAccess, ProfilingGuard, ProfilingOptions } from './options.ts'
export { profiling } from './profiling-plugin.ts'
