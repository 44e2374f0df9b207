import type { MaybePromise } from '@twinwire/core'
import type { DoctorHost, Operations, PluginHost } from '@twinwire/core/plugin'
import type { Rule } from './rule.ts'

/** Points that a call charges to one bucket. */
export interface Charge {
  readonly rule: Rule
  /**
   * Which bucket of the rule: the id of an identity, an address, '' for the one bucket of a route, or a string returned by the
   * application's key function.
   */
  readonly key: string
  /** An integer from 1 to the capacity of the rule. */
  readonly cost: number
}

/** State of one bucket after a charge, accepted or not. */
export interface QuotaStatus {
  /** Whether this charge alone would have been accepted. */
  readonly allowed: boolean
  /** Whole points that are left. When another charge of the same `consume` was refused, this one has not been applied. */
  readonly remaining: number
  /** Milliseconds until the same charge is accepted, rounded up; 0 when it was allowed. */
  readonly retryAfterMs: number
  /** Milliseconds until the bucket is full, rounded up. */
  readonly resetMs: number
}

/** Result of a `consume`. */
export interface ConsumeResult {
  /** True: every charge was applied. False: none was. */
  readonly allowed: boolean
  /** One for each charge, in the same order. */
  readonly statuses: readonly QuotaStatus[]
}

/** A limit on open connections, of one identity or of one address. A connection occupies one slot of each of its limits. */
export interface ConnectionSlot {
  readonly scope: 'identity' | 'address'
  readonly key: string
  /** How many leases may hold a slot of this scope and key at the same time. */
  readonly max: number
}

/** The slots of one open connection. */
export interface Lease {
  /** The id of the connection, unique over all processes and never reused. */
  readonly id: string
  readonly slots: readonly ConnectionSlot[]
}

/**
 * Keeps buckets and leases. A store inside this process answers synchronously and never returns a promise. A remote store answers with
 * promises and rejects within its own time-out when it cannot answer; `onStoreError` then decides what happens to the call, not the store.
 *
 * A bucket is identified by the rule's scope and name and by the key. Keys come from callers and may contain any character.
 *
 * Test an implementation with `storeSuite` of `@twinwire/plugin-ratelimit/testing`.
 */
export interface LimitStore {
  /**
   * Applies all charges, or none when one of the buckets has too few points. The buckets may belong to different rules; no bucket occurs
   * twice. All charges of one identity are applied atomically. Over several hash slots of a cluster a store may check, charge and roll
   * back instead; it then documents how many points can be wrong meanwhile.
   */
  consume(charges: readonly Charge[]): MaybePromise<ConsumeResult>
  /**
   * True: the charge was applied. False: nothing was changed, and `consume` tells why. Used for calls whose quota status is not sent to
   * the caller. Omitted by a store that cannot answer synchronously.
   */
  tryConsume?(charge: Charge): boolean
  /**
   * Changes buckets without checking them. `charge` removes the points, down to an empty bucket; `refund` returns points of an earlier
   * `consume`, up to a full bucket.
   */
  adjust(kind: 'charge' | 'refund', charges: readonly Charge[]): MaybePromise<void>
  /** The status that a `consume` of each charge would return. Changes nothing. */
  peek(charges: readonly Charge[]): MaybePromise<readonly QuotaStatus[]>
  /** Fills the buckets. `cost` is ignored. */
  reset(charges: readonly Charge[]): MaybePromise<void>

  /**
   * Acquires every slot of a lease, or none. Returns null, or the first slot whose limit is reached. A lease that is held already is
   * renewed. A lease expires after `ttlMs` unless it is renewed, so that a crashed process frees its slots.
   */
  acquire(lease: Lease, ttlMs: number): MaybePromise<ConnectionSlot | null>
  /** Extends leases of open connections. A lease that the store does not know is added, even above the limit: its socket is open. */
  renew(leases: readonly Lease[], ttlMs: number): MaybePromise<void>
  /** Frees every slot of a lease. Does nothing when the lease is not held. */
  release(lease: Lease): MaybePromise<void>

  /** Rejects when the store cannot be reached. Used by health checks and `app.doctor()`. Omitted by a store inside this process. */
  ping?(): Promise<void>
  /** Closes connections and timers. The store is not used afterwards. */
  close(): MaybePromise<void>
}

/** What the application provides to a store. */
export interface StoreServices extends Pick<PluginHost, 'clock' | 'log' | 'instruments' | 'environment'> {
  /** Where a remote store reports its commands to a tracer. Left out: they are not traced. */
  readonly operations?: Operations | undefined
}

/** The `store` option of `rateLimit()`; opens the store when the application starts. `memoryStore()` and `redisStore(url)` return one. */
export interface LimitStoreFactory {
  /** Shown in logs and in `app.doctor()`. Must not contain a password. */
  readonly name: string
  /**
   * True: the store is outside this process and may be slow or unreachable. It is then called through a circuit breaker, `onStoreError`
   * applies, and denied charges are cached in this process.
   */
  readonly remote: boolean
  /** Label `service` of its `circuit_breaker_*` metrics, and its name in health checks. Default `store`. */
  readonly service?: string
  /** Declares what `app.doctor()` checks, such as a peer package. Must not connect. */
  doctor?(host: DoctorHost): void
  /** Throws a BootError for a bad option. A remote store that cannot be reached is not an error: the application starts and `onStoreError` applies. */
  open(services: StoreServices): MaybePromise<LimitStore>
}
