import type { Clock } from '@twinwire/core'
import { toQuotaStatus, toWaitUs } from '../gcra.ts'
import type { LimiterResult } from '../limiter.ts'
import type { Rule } from '../rule.ts'
import type { Charge, QuotaStatus } from '../store.ts'

interface CachedBucket {
  /** Computed from the store's answer. It cannot have grown since: a refused charge changes nothing. */
  readonly tatUs: number
  readonly expiresUs: number
}

/** Per rule. An evicted entry costs one more request to the store. */
const maxEntries = 10_000

/**
 * Caches the denials of a remote store until the charge could be accepted, so that a caller who keeps retrying causes no load on the store.
 * An entry expires after `maxMs` at the latest, because another process may have reset the bucket.
 */
export class DenialCache {
  readonly #byRule = new Map<Rule, Map<string, CachedBucket>>()
  readonly #clock: Clock
  readonly #maxMs: number

  constructor(clock: Clock, maxMs: number) {
    this.#clock = clock
    this.#maxMs = maxMs
  }

  /** Null: nothing is cached that would refuse the charges. */
  check(charges: readonly Charge[]): LimiterResult | null {
    if (this.#byRule.size === 0) return null
    const nowUs = this.#nowUs()
    let refused = false
    let statuses: (QuotaStatus | null)[] | null = null
    for (let i = 0; i < charges.length; i++) {
      const charge = charges[i]
      const bucket = charge === undefined ? undefined : this.#find(charge, nowUs)
      if (charge === undefined || bucket === undefined) continue
      const debtUs = Math.max(0, bucket.tatUs - nowUs)
      const waitUs = toWaitUs(charge.rule, debtUs, charge.cost)
      statuses ??= charges.map(() => null)
      statuses[i] = toQuotaStatus(charge.rule, debtUs, waitUs)
      if (waitUs > 0) refused = true
    }
    return refused && statuses !== null ? { allowed: false, statuses } : null
  }

  /** Caches the buckets that have refused their charges. */
  add(charges: readonly Charge[], statuses: readonly QuotaStatus[]): void {
    const nowUs = this.#nowUs()
    for (const [i, { rule, key }] of charges.entries()) {
      const status = statuses[i]
      if (status === undefined || status.allowed) continue
      const buckets = this.#byRule.get(rule) ?? new Map<string, CachedBucket>()
      this.#byRule.set(rule, buckets)
      if (buckets.size >= maxEntries) for (const oldest of buckets.keys()) if (buckets.delete(oldest)) break
      const ttlMs = Math.min(status.retryAfterMs, this.#maxMs)
      buckets.set(key, { tatUs: nowUs + status.resetMs * 1000, expiresUs: nowUs + ttlMs * 1000 })
    }
  }

  delete(charges: readonly Charge[]): void {
    for (const { rule, key } of charges) this.#delete(rule, key)
  }

  #find({ rule, key }: Charge, nowUs: number): CachedBucket | undefined {
    const bucket = this.#byRule.get(rule)?.get(key)
    if (bucket === undefined || bucket.expiresUs > nowUs) return bucket
    this.#delete(rule, key)
    return undefined
  }

  #delete(rule: Rule, key: string): void {
    const buckets = this.#byRule.get(rule)
    if (buckets?.delete(key) && buckets.size === 0) this.#byRule.delete(rule)
  }

  #nowUs(): number {
    return Math.floor(this.#clock.monotonic() * 1000)
  }
}
