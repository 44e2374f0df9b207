import type { Clock } from '@twinwire/core'
import {
  openRedisConnection,
  type RedisConnection,
  RedisError,
  type RedisScript,
  type RedisServices,
  type ResolvedRedisOptions,
} from '@twinwire/redis'

/** Label `operation` of the metrics of Redis. */
export const operations = ['publish', 'read', 'presence', 'control', 'beat', 'check'] as const

export type Operation = (typeof operations)[number]

/** Longest wait before a script that was not taken is sent again: the connection may be back without an event. */
const retryMs = 100

/** What Redis says while a master changes, starts or is busy. */
const passing = /^(?:READONLY|LOADING|CLUSTERDOWN|MASTERDOWN|TRYAGAIN|MOVED|ASK|BUSY|NOREPLICAS)\b|failover/i

/** The connection for commands. A script that Redis did not take is sent again until its time is over, so each of them may run twice. */
export class RedisLink {
  readonly clock: Clock
  readonly timeoutMs: number
  /** In a cluster, where keys of a script must be in one hash slot, and channels are those of shards. */
  readonly isCluster: boolean
  readonly publishCommand: 'PUBLISH' | 'SPUBLISH'
  readonly #connection: RedisConnection<Operation>
  readonly #waiting: Set<() => void>

  static async open(options: ResolvedRedisOptions, services: RedisServices): Promise<RedisLink> {
    const waiting = new Set<() => void>()
    const wake = (): void => {
      for (const each of [...waiting]) each()
    }
    const listener = { up: wake, down: () => {} }
    const connection = await openRedisConnection(options, services, { operations, listener })
    return new RedisLink(connection, options, services.clock, waiting)
  }

  private constructor(
    connection: RedisConnection<Operation>,
    options: ResolvedRedisOptions,
    clock: Clock,
    waiting: Set<() => void>,
  ) {
    this.#connection = connection
    this.clock = clock
    this.timeoutMs = options.commandTimeoutMs
    this.isCluster = connection.isCluster
    this.publishCommand = connection.isCluster ? 'SPUBLISH' : 'PUBLISH'
    this.#waiting = waiting
  }

  /** Why it is not connected, without a password; null while it is. */
  get problem(): string | null {
    return this.#connection.problem
  }

  /** Sent once. Rejects with a RedisError. */
  once(
    operation: Operation,
    script: RedisScript,
    keys: readonly string[],
    args: readonly (string | number)[],
  ): Promise<unknown> {
    return this.#connection.run(operation, script, keys, args)
  }

  /** Sent again after a loss of the connection, until `deadlineMs` of the clock that does not go back. Rejects with a RedisError. */
  async run(
    operation: Operation,
    script: RedisScript,
    keys: readonly string[],
    args: readonly (string | number)[],
    deadlineMs: number = this.clock.monotonic() + this.timeoutMs,
  ): Promise<unknown> {
    for (;;) {
      try {
        return await this.#connection.run(operation, script, keys, args)
      } catch (error) {
        if (!mayPass(error) || this.clock.monotonic() >= deadlineMs) throw error
        await this.#pause()
      }
    }
  }

  close(): Promise<void> {
    return this.#connection.close()
  }

  /** Until the connection is back, and at most a short time. */
  #pause(): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        timer.cancel()
        this.#waiting.delete(done)
        resolve()
      }
      const timer = this.clock.timer(retryMs, done)
      // While it is connected, Redis has refused: at once it would refuse again.
      if (this.problem !== null) this.#waiting.add(done)
    })
  }
}

function mayPass(error: unknown): boolean {
  if (!(error instanceof RedisError)) return false
  return error.code === 'error' ? passing.test(error.message) : error.code !== 'timeout'
}
