/** A value, or a promise of it. Core never awaits a plain value. */
export type MaybePromise<T> = T | Promise<T>

/** True for anything with a `then`: promises of other realms and libraries (drizzle's query builders) included. */
export function isPromise(value: unknown): value is Promise<unknown> {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function'
}
