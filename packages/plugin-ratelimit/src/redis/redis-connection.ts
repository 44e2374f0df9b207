import { BootError, type Clock } from '@twinwire/core'
import type { Timer } from '@twinwire/core/plugin'
import type { StoreServices } from '../store.ts'
import { DeadlineQueue } from './deadline-queue.ts'
import type { RedisClient } from './redis-client.ts'
import { RedisError, toRedisError } from './redis-error.ts'
import {
  type ConnectionFigures,
  createRedisInstruments,
  type Operation,
  type RedisInstruments,
} from './redis-instruments.ts'
import { labelsOf, placeOf, type ResolvedRedisOptions } from './redis-options.ts'
import type { Script } from './scripts.ts'
import { SilenceWatch } from './silence-watch.ts'
import { countConnections, watchLink } from './watch-link.ts'

/**
 * More answers than that are not waited for. At some 40,000 a second they would come too late for every deadline, and each of them
 * takes memory while Redis is silent.
 */
const maxDue = 4096

type Arguments = readonly (string | number)[]

/** The link of one store to its Redis: whatever that does, every operation ends within its time. */
export class RedisConnection {
  readonly isCluster: boolean
  readonly #client: RedisClient
  readonly #options: ResolvedRedisOptions
  readonly #clock: Clock
  readonly #deadlines: DeadlineQueue
  readonly #silence: SilenceWatch
  readonly #instruments: RedisInstruments
  readonly #unwatch: readonly (() => void)[]
  #idleTimer: Timer | null = null
  #isClosed = false
  /** Answers that have not come, also those that nobody waits for any longer. */
  #due = 0
  #lastAskedMs = 0

  constructor(client: RedisClient, options: ResolvedRedisOptions, { clock, log, instruments }: StoreServices) {
    this.#client = client
    this.#options = options
    this.#clock = clock
    this.isCluster = client.isCluster
    this.#deadlines = new DeadlineQueue(clock, options.commandTimeoutMs)
    this.#instruments = createRedisInstruments(instruments, options, () => this.#figures())
    const isDue = (): boolean => this.#due > 0 || client.status === 'connect'
    this.#silence = new SilenceWatch(clock, options.socketTimeoutMs, isDue, () => this.#replace())
    // A server that takes the connection and never answers what has to be asked first.
    const onConnect = (): void => this.#silence.begin()
    client.on('connect', onConnect)
    this.#unwatch = [
      watchLink(client, placeOf(options), log),
      countConnections(client, this.#instruments.connectionsCreated),
      () => void client.off('connect', onConnect),
    ]
  }

  /**
   * Begins to connect and waits for the first attempt, at most as long as connecting may take. That it fails is no failure of the start:
   * the client goes on trying. That the database does not exist is one.
   */
  async open(): Promise<void> {
    const errors: string[] = []
    const listen = (error: Error): void => void errors.push(error.message)
    this.#client.on('error', listen)
    await this.#firstAttempt()
    this.#client.off('error', listen)
    if (errors.some((message) => message.includes('DB index is out of range'))) {
      await this.close()
      throw new BootError('bad_option', `redisStore(): Redis has no database ${labelsOf(this.#options).db}`)
    }
    this.#watchIdleness()
  }

  /** Runs a script: in one round trip, or two when Redis does not know it (any more). Rejects with a RedisError. */
  run(operation: Operation, script: Script, keys: readonly string[], args: Arguments): Promise<unknown> {
    return this.#ask(
      operation,
      () => this.#client.evalsha(script.sha, keys.length, ...keys, ...args),
      () => this.#client.eval(script.lua, keys.length, ...keys, ...args),
    )
  }

  async ping(): Promise<void> {
    const ask = (): Promise<unknown> => this.#client.ping()
    await this.#ask('ping', ask, ask)
  }

  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#idleTimer?.cancel()
    this.#silence.stop()
    for (const unwatch of this.#unwatch) unwatch()
    this.#deadlines.flush()
    if (this.#isOwn) this.#client.disconnect()
  }

  get #isOwn(): boolean {
    return this.#options.target.kind !== 'client'
  }

  #firstAttempt(): Promise<void> {
    const client = this.#client
    return new Promise((resolve) => {
      const timer = this.#clock.timer(this.#options.connectTimeoutMs, () => done())
      const done = (): void => {
        timer.cancel()
        client.off('ready', done)
        resolve()
      }
      client.on('ready', done)
      // A client that was given may be connected, connecting, or ended by its owner.
      if (client.status === 'ready' || client.status === 'end') done()
      else if (client.status === 'wait') client.connect().catch(done)
    })
  }

  #ask(operation: Operation, send: () => Promise<unknown>, resend: () => Promise<unknown>): Promise<unknown> {
    const cells = this.#instruments.operations[operation]
    const refusal = this.#refuse()
    if (refusal !== null) {
      cells.error.inc()
      return Promise.reject(refusal)
    }
    const startedMs = this.#clock.monotonic()
    this.#lastAskedMs = startedMs
    if (this.#due === 0) this.#silence.begin()
    this.#due += 1
    return new Promise((resolve, reject) => {
      let isWaiting = true
      const end = (): void => {
        isWaiting = false
        cells.duration.observe((this.#clock.monotonic() - startedMs) / 1000)
      }
      const fail = (error: RedisError): void => {
        end()
        cells.error.inc()
        reject(error)
      }
      const leave = this.#deadlines.add(() =>
        fail(new RedisError('timeout', `Redis did not answer within ${this.#options.commandTimeoutMs} ms`)),
      )
      const onAnswer = (answer: unknown): void => {
        this.#arrived()
        if (!isWaiting) return
        leave()
        end()
        cells.success.inc()
        resolve(answer)
      }
      const onError = (error: unknown): void => {
        this.#arrived()
        if (!isWaiting) return
        leave()
        fail(toRedisError(error))
      }
      send().then(onAnswer, (error: unknown) => {
        if (!isWaiting || !isScriptUnknown(error)) return onError(error)
        resend().then(onAnswer, onError)
      })
    })
  }

  /** What is not ready is not asked: the client would keep the command and send it when its time is over. */
  #refuse(): RedisError | null {
    if (this.#isClosed || this.#client.status !== 'ready')
      return new RedisError('not_connected', 'Redis is not connected')
    if (this.#due >= maxDue) return new RedisError('too_many_waiting', `${maxDue} answers of Redis are due already`)
    return null
  }

  #arrived(): void {
    this.#due -= 1
    this.#silence.heard()
  }

  /** Nodes of a cluster are watched by ioredis itself, and a client that was given is its owner's. */
  #replace(): void {
    if (this.#options.target.kind === 'server') this.#client.disconnect(true)
  }

  /** Or else a connection that died while nobody asked is found by a call. */
  #watchIdleness(): void {
    const intervalMs = this.#options.healthCheckIntervalMs
    this.#idleTimer = this.#clock.timer(intervalMs, () => {
      this.#watchIdleness()
      if (this.#clock.monotonic() - this.#lastAskedMs < intervalMs || this.#client.status !== 'ready') return
      // What it finds is counted and, when it lasts, ends the connection.
      this.ping().catch(() => {})
    })
  }

  #figures(): ConnectionFigures {
    const all = this.isCluster ? (this.#client.nodes?.() ?? []) : [this.#client]
    const open = all.filter(({ status }) => status === 'ready').length
    return { most: Math.max(1, all.length), open, busy: Math.min(open, this.#due) }
  }
}

/** After a restart, a failover or `SCRIPT FLUSH`. */
function isScriptUnknown(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith('NOSCRIPT')
}
