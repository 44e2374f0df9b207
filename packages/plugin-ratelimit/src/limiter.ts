import type { MaybePromise } from '@twinwire/core'
import type { LimitStore, QuotaStatus } from './store.ts'

/** Result of a `consume` that may lack the status of some buckets: null for a bucket that was not checked. */
export interface LimiterResult {
  readonly allowed: boolean
  readonly statuses: readonly (QuotaStatus | null)[]
}

/**
 * The store as the plugin uses it: a local store itself, or a remote store behind its circuit breaker. An unreachable store makes it
 * reject only with `UnavailableError`, and only where `onStoreError` is `deny`, or in `peek` and `reset`.
 */
export interface Limiter extends Omit<LimitStore, 'consume'> {
  consume(charges: Parameters<LimitStore['consume']>[0]): MaybePromise<LimiterResult>
}

/** Accepts work that no caller waits for, and logs its failure: a custom store may reject there too. */
export type Background = (work: MaybePromise<void>) => void

export function isPromise<T>(value: MaybePromise<T>): value is Promise<T> {
  return value instanceof Promise
}
