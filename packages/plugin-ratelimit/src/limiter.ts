import type { LimitStore, MaybePromise, Standing } from './store.ts'

/** A verdict that does not know of every bucket: one that was not asked about is null. */
export interface LimiterVerdict {
  readonly allowed: boolean
  readonly standings: readonly (Standing | null)[]
}

/**
 * A store as the plugin uses it: one within the process as it is, another one behind its breaker. It never rejects for a store that is
 * away, but with `UnavailableError` where `onStoreError` is `deny`; `peek` and `reset` tell whoever asked.
 */
export interface Limiter extends Omit<LimitStore, 'consume'> {
  consume(takes: Parameters<LimitStore['consume']>[0]): MaybePromise<LimiterVerdict>
}

/** Takes what nobody waits for: a store that an application has written may fail there too, and that is logged. */
export type Background = (work: MaybePromise<void>) => void

export function isPromise<T>(value: MaybePromise<T>): value is Promise<T> {
  return value instanceof Promise
}
