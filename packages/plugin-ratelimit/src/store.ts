import type { DoctorHost, PluginHost } from '@twinwire/core/plugin'
import type { Rule } from './rule.ts'

/** Points of one bucket. */
export interface Take {
  readonly rule: Rule
  /** Whose bucket, within the scope of the rule: an identity's id, an address, '' for a route's one bucket, or a text of the app's own. */
  readonly key: string
  /** A whole number from 1 to the capacity of the rule. */
  readonly cost: number
}

/** How one bucket stands after a take, or after one that was refused. */
export interface Standing {
  /** Would this take have passed alone? */
  readonly allowed: boolean
  /** Whole points that are left. When another take of the same consume was refused, this one has taken nothing. */
  readonly remaining: number
  /** Until the same take passes, rounded up to a whole millisecond; 0 when it was allowed. */
  readonly retryAfterMs: number
  /** Until the bucket is full, rounded up to a whole millisecond. */
  readonly resetMs: number
}

/** What came of a consume. */
export interface Verdict {
  /** All takes passed. When false none has taken anything. */
  readonly allowed: boolean
  /** One for each take, in the same order. */
  readonly standings: readonly Standing[]
}

/** One place that a connection sits on: how many connections one identity, or one address, may have. */
export interface Seat {
  readonly scope: 'identity' | 'address'
  readonly key: string
  /** How many leases may hold a seat of this scope and key at once. */
  readonly max: number
}

/** The seats of one open connection. */
export interface Lease {
  /** The id of the connection: unique for ever, in every process. */
  readonly id: string
  readonly seats: readonly Seat[]
}

export type MaybePromise<T> = T | Promise<T>

/**
 * Where buckets and leases are kept. One that lives in this process answers at once and never makes a promise; one that does not
 * answers by promise, and rejects when it cannot, within a time of its own: what a call gets then is decided by `onStoreError`, not here.
 *
 * Scope, name of the rule and key together name a bucket; keys come from callers and may hold any character.
 */
export interface LimitStore {
  /**
   * Takes points from several buckets, which may be of different rules: from all of them, or, when one has too few, from none.
   * No bucket occurs twice. The takes of one identity are one step that nothing comes between; over several slots of a cluster it
   * may be check, take and give back, with a bound on what passes too much that the store states.
   */
  consume(takes: readonly Take[]): MaybePromise<Verdict>
  /**
   * True: a consume of this one take would have passed, and its points are taken. False: nothing has been, and a consume says why. For calls
   * whose figures nobody sees. Left out by a store that cannot answer at once.
   */
  takeOne?(take: Take): boolean
  /**
   * Changes buckets without asking. `take` takes the points, or what is left of them; `give back` returns points that a consume has
   * taken, at most until the bucket is full.
   */
  adjust(what: 'take' | 'give back', takes: readonly Take[]): MaybePromise<void>
  /** How buckets stand, without taking anything: what a consume of these takes would say. */
  peek(takes: readonly Take[]): MaybePromise<readonly Standing[]>
  /** Fills buckets. `cost` does not matter. */
  reset(takes: readonly Take[]): MaybePromise<void>

  /**
   * Takes every seat of a lease, or none: answers null, or the first seat that was full. A lease that is held already is renewed.
   * Without a renewal it ends after `ttlMs`, so that a process that has crashed frees its seats.
   */
  acquire(lease: Lease, ttlMs: number): MaybePromise<Seat | null>
  /** Keeps leases of open connections. One that the store does not know (any more) is added, over the limit too: its socket is open. */
  renew(leases: readonly Lease[], ttlMs: number): MaybePromise<void>
  /** Gives up every seat of a lease; one that is not held is fine. */
  release(lease: Lease): MaybePromise<void>

  /** Rejects when the store cannot be reached: for health and doctor. Left out by one that lives in this process. */
  ping?(): Promise<void>
  /** Ends what was opened. Nothing is asked of the store afterwards. */
  close(): MaybePromise<void>
}

/** What a store gets from the app. */
export type StoreServices = Pick<PluginHost, 'clock' | 'log' | 'instruments' | 'environment'>

/** A store that an app names in its options; opened when the app starts. `memoryStore()` and `redisStore(url)` make one. */
export interface LimitStoreFactory {
  /** For people, in logs and in `app.doctor()`; holds no password. */
  readonly name: string
  /**
   * True: outside of this process, so that it may be slow or away. It gets a breaker and `onStoreError`, and refusals are
   * remembered in front of it.
   */
  readonly remote: boolean
  /** `service` of its breaker in `circuit_breaker_state` and its sisters. Default `store`. */
  readonly service?: string
  /** Says what `app.doctor()` is to look at, such as a peer package. Connects to nothing. */
  doctor?(host: DoctorHost): void
  /** A bad option is a BootError. A remote store that cannot be reached is none: the app starts and `onStoreError` decides. */
  open(services: StoreServices): MaybePromise<LimitStore>
}
