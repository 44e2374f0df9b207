import type { CounterCell } from '../../base/cells.ts'
import type { Clock, Timer } from '../../base/clock.ts'
import type { MaybePromise } from '../../base/maybe-promise.ts'
import { UnavailableError } from '../../errors/app-error.ts'
import { connectionLost } from './connection-lost.ts'
import type { PoolOptions } from './pool-options.ts'
import { scopeEnded } from './scope.ts'

export interface PoolConnection {
  /** Can no longer be used. */
  readonly lost: boolean
  /** Sends a ping; false when it fails or takes too long. */
  isAlive(): Promise<boolean>
  end(): Promise<void>
}

/** A time of 0 means no limit. */
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

/** A connection that was unused for this time may have been cut by the network without notice. */
const pingAfterMs = 5000

/** At most `max` connections, opened when needed, each used by one caller at a time. Callers that wait are served in order. */
export class Pool<C extends PoolConnection> {
  readonly max: number
  readonly #create: () => C
  readonly #limits: PoolLimits
  readonly #clock: Clock
  readonly #created: CounterCell
  /** In the order in which they became idle. The latest is used first, so that connections beyond the usual load expire. */
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

  /** Connections in use. */
  get inUse(): number {
    return this.#inUse.size
  }
  /** Connections in use, and idle ones. */
  get open(): number {
    return this.#inUse.size + this.#idle.length
  }
  get waiting(): number {
    return this.#waiting.size
  }

  /** Takes a connection, which must be returned by `release`. Rejects when `signal` aborts while it waits. */
  acquire(signal: AbortSignal | null): MaybePromise<C> {
    if (this.#closed) throw connectionLost('CONNECTION_ENDED')
    if (signal?.aborted) throw scopeEnded(signal)
    // First come, first served.
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

  /** Replaces all open connections, each when it is free, because one of them is stale; does nothing when that one was replaced already. */
  renew(connection: C): void {
    const now = this.#clock.monotonic()
    if (now >= this.#expiryOf(connection)) return
    for (const each of [...this.#inUse, ...this.#idle.map((idle) => idle.connection)]) this.#expiry.set(each, now)
  }

  /** Refuses callers, waits for connections in use until `limit` resolves, then ends them. */
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
    // Other idle connections may be dead too: each is pinged, and at last a new one is opened.
    return this.acquire(signal)
  }

  #expiryOf(connection: C): number {
    return this.#expiry.get(connection) ?? Number.POSITIVE_INFINITY
  }

  /** Closes connections that were idle for too long, by one timer for all. */
  #sweepLater(): void {
    const [oldest] = this.#idle
    if (this.#sweep !== null || oldest === undefined || this.#closed) return
    const expiryMs = Math.min(
      this.#idleUntil(oldest),
      ...this.#idle.map(({ connection }) => this.#expiryOf(connection)),
    )
    if (expiryMs === Number.POSITIVE_INFINITY) return
    this.#sweep = this.#clock.timer(Math.max(1, expiryMs - this.#clock.monotonic()), () => {
      this.#sweep = null
      const now = this.#clock.monotonic()
      const isExpired = (idle: Idle<C>): boolean =>
        now >= this.#idleUntil(idle) || now >= this.#expiryOf(idle.connection) || idle.connection.lost
      const ending = this.#idle.filter(isExpired)
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
  return new UnavailableError(`No database connection was available within ${waitedMs} ms`)
}
