import type { CounterCell } from '../../base/cells.ts'
import type { Clock, Timer } from '../../base/clock.ts'
import type { MaybePromise } from '../../base/maybe-promise.ts'
import { UnavailableError } from '../../errors/app-error.ts'
import { connectionLost } from './connection-lost.ts'
import type { PoolOptions } from './pool-options.ts'
import { scopeEnded } from './scope.ts'

export interface PoolConnection {
  /** No longer of use. */
  readonly lost: boolean
  /** Asks it something; false when it fails or takes too long. */
  isAlive(): Promise<boolean>
  end(): Promise<void>
}

/** Times of 0 stand for: without end. */
export type PoolLimits = Required<
  Pick<PoolOptions, 'max' | 'acquireTimeoutMs' | 'idleTimeoutMs' | 'maxLifetimeMs' | 'prePing'>
>

interface Waiting<C> {
  resolve(connection: C): void
  reject(error: unknown): void
}

interface Idle<C> {
  readonly connection: C
  readonly sinceMs: number
}

/** A connection that lay unused for so long may have been cut on the way without a word. */
const pingAfterMs = 5000

/** At most `max` connections, opened when needed, each in the hands of one user at a time; who waits is served in order. */
export class Pool<C extends PoolConnection> {
  readonly max: number
  readonly #create: () => C
  readonly #limits: PoolLimits
  readonly #clock: Clock
  readonly #created: CounterCell
  /** By when they went idle. The latest is used first, so that those beyond the usual load end. */
  readonly #idle: Idle<C>[] = []
  readonly #waiting = new Set<Waiting<C>>()
  readonly #inUse = new Set<C>()
  readonly #expiry = new WeakMap<C, number>()
  #sweep: Timer | null = null
  #onDrained: (() => void) | null = null
  #closed = false

  constructor(create: () => C, limits: PoolLimits, clock: Clock, created: CounterCell) {
    this.max = limits.max
    this.#create = create
    this.#limits = limits
    this.#clock = clock
    this.#created = created
  }

  /** Lent to somebody. */
  get inUse(): number {
    return this.#inUse.size
  }
  /** Lent, or ready to be. */
  get open(): number {
    return this.#inUse.size + this.#idle.length
  }
  get waiting(): number {
    return this.#waiting.size
  }

  /** Lends a connection, which has to come back by `release`. Rejects when `signal` aborts while it waits. */
  acquire(signal: AbortSignal | null): MaybePromise<C> {
    if (this.#closed) throw connectionLost('CONNECTION_ENDED')
    if (signal?.aborted) throw scopeEnded(signal)
    // Who came earlier is served earlier.
    const next = this.#waiting.size === 0 ? this.#next() : null
    if (next === null) return this.#wait(signal)
    return next.mayBeDead ? this.#afterPing(next.connection, signal) : next.connection
  }

  release(connection: C): void {
    this.#inUse.delete(connection)
    const now = this.#clock.monotonic()
    if (connection.lost || this.#closed || now >= this.#expiryOf(connection)) void connection.end()
    else {
      this.#idle.push({ connection, sinceMs: now })
      this.#sweepLater()
    }
    if (this.#inUse.size === 0) this.#onDrained?.()
    for (const first of this.#waiting) {
      const next = this.#next()
      if (next === null) return
      this.#waiting.delete(first)
      first.resolve(next.connection)
    }
  }

  /** Replaces all that are open, each when it is free, because one of them is of no further use: unless that has been done since. */
  renew(connection: C): void {
    const now = this.#clock.monotonic()
    if (now >= this.#expiryOf(connection)) return
    for (const each of [...this.#inUse, ...this.#idle.map((idle) => idle.connection)]) this.#expiry.set(each, now)
  }

  /** Lends nothing any more, waits for what is lent, but not longer than `limit`, then cuts it. */
  async close(limit: () => Promise<void>): Promise<void> {
    this.#closed = true
    this.#sweep?.cancel()
    for (const { reject } of this.#waiting) reject(connectionLost('CONNECTION_ENDED'))
    this.#waiting.clear()
    const drained = new Promise<void>((resolve) => {
      this.#onDrained = resolve
    })
    if (this.#inUse.size > 0) await Promise.race([drained, limit()])
    const idle = this.#idle.splice(0).map(({ connection }) => connection)
    await Promise.all([...idle, ...this.#inUse].map((connection) => connection.end()))
  }

  #wait(signal: AbortSignal | null): Promise<C> {
    const { acquireTimeoutMs } = this.#limits
    return new Promise((resolve, reject) => {
      const settle = (): void => {
        this.#waiting.delete(waiting)
        timer?.cancel()
        signal?.removeEventListener('abort', onAbort)
      }
      const waiting: Waiting<C> = {
        resolve: (connection) => {
          settle()
          resolve(connection)
        },
        reject: (error) => {
          settle()
          reject(error)
        },
      }
      const onAbort = (): void => {
        if (signal !== null) waiting.reject(scopeEnded(signal))
      }
      const onTimeout = (): void => waiting.reject(noneFree(acquireTimeoutMs))
      const timer = acquireTimeoutMs === 0 ? null : this.#clock.timer(acquireTimeoutMs, onTimeout)
      signal?.addEventListener('abort', onAbort, { once: true })
      this.#waiting.add(waiting)
    })
  }

  /** Null when all are in use. */
  #next(): { readonly connection: C; readonly mayBeDead: boolean } | null {
    const now = this.#clock.monotonic()
    for (let idle = this.#idle.pop(); idle !== undefined; idle = this.#idle.pop()) {
      const { connection, sinceMs } = idle
      if (!connection.lost && now < this.#expiryOf(connection)) {
        const mayBeDead = this.#limits.prePing && now - sinceMs >= pingAfterMs
        this.#inUse.add(connection)
        return { connection, mayBeDead }
      }
      void connection.end()
    }
    if (this.#inUse.size >= this.#limits.max) return null
    const connection = this.#create()
    this.#created.inc()
    const { maxLifetimeMs } = this.#limits
    if (maxLifetimeMs > 0) this.#expiry.set(connection, now + maxLifetimeMs * (1 - Math.random() / 10))
    this.#inUse.add(connection)
    return { connection, mayBeDead: false }
  }

  async #afterPing(connection: C, signal: AbortSignal | null): Promise<C> {
    if (await connection.isAlive()) {
      if (signal === null || !signal.aborted) return connection
      this.release(connection)
      throw scopeEnded(signal)
    }
    await connection.end()
    this.release(connection)
    // The others that lay idle may be as dead: they are asked in turn, and after them a new one is opened.
    return this.acquire(signal)
  }

  #expiryOf(connection: C): number {
    return this.#expiry.get(connection) ?? Number.POSITIVE_INFINITY
  }

  /** Sees to it that what has been idle for too long is closed, by one timer for all. */
  #sweepLater(): void {
    const [oldest] = this.#idle
    if (this.#sweep !== null || oldest === undefined || this.#closed) return
    const due = Math.min(this.#idleUntil(oldest), ...this.#idle.map(({ connection }) => this.#expiryOf(connection)))
    if (due === Number.POSITIVE_INFINITY) return
    this.#sweep = this.#clock.timer(Math.max(1, due - this.#clock.monotonic()), () => {
      this.#sweep = null
      const now = this.#clock.monotonic()
      const isDue = (idle: Idle<C>): boolean =>
        now >= this.#idleUntil(idle) || now >= this.#expiryOf(idle.connection) || idle.connection.lost
      const ending = this.#idle.filter(isDue)
      this.#idle.splice(0, this.#idle.length, ...this.#idle.filter((idle) => !ending.includes(idle)))
      for (const { connection } of ending) void connection.end()
      this.#sweepLater()
    })
  }

  #idleUntil({ sinceMs }: Idle<C>): number {
    const { idleTimeoutMs } = this.#limits
    return idleTimeoutMs === 0 ? Number.POSITIVE_INFINITY : sinceMs + idleTimeoutMs
  }
}

function noneFree(waitedMs: number): UnavailableError {
  return new UnavailableError(`No connection to the database became free within ${waitedMs} ms`)
}
