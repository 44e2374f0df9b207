import { BootError, type Clock } from '@twinwire/core'
import type { Timer } from '@twinwire/core/plugin'
import type { StoreServices } from '../store.ts'
import { countConnections, logConnectionChanges } from './connection-events.ts'
import { DeadlineQueue } from './deadline-queue.ts'
import type { RedisClient } from './redis-client.ts'
import { RedisError, toRedisError } from './redis-error.ts'
import {
  type ConnectionCounts,
  createRedisInstruments,
  type Operation,
  type RedisInstruments,
} from './redis-instruments.ts'
import { addressOf, labelsOf, type ResolvedRedisOptions } from './redis-options.ts'
import { ReplyWatchdog } from './reply-watchdog.ts'
import type { Script } from './scripts.ts'

/**
 * Maximum number of pending replies. At about 40,000 replies per second further ones would arrive after their deadline, and each of them
 * occupies memory while Redis does not reply.
 */
const maxPending = 4096

type Arguments = readonly (string | number)[]

/** The connection of a store to Redis. Every operation settles within its time-out, whatever Redis does. */
export class RedisConnection {
  readonly isCluster: boolean
  readonly #client: RedisClient
  readonly #options: ResolvedRedisOptions
  readonly #clock: Clock
  readonly #deadlines: DeadlineQueue
  readonly #watchdog: ReplyWatchdog
  readonly #instruments: RedisInstruments
  readonly #unsubscribe: readonly (() => void)[]
  #idleTimer: Timer | null = null
  #isClosed = false
  /** Replies that have not arrived, including those of operations that timed out. */
  #pending = 0
  #lastSentMs = 0

  constructor(client: RedisClient, options: ResolvedRedisOptions, { clock, log, instruments }: StoreServices) {
    this.#client = client
    this.#options = options
    this.#clock = clock
    this.isCluster = client.isCluster
    this.#deadlines = new DeadlineQueue(clock, options.commandTimeoutMs)
    this.#instruments = createRedisInstruments(instruments, options, () => this.#counts())
    const isPending = (): boolean => this.#pending > 0 || client.status === 'connect'
    this.#watchdog = new ReplyWatchdog(clock, options.socketTimeoutMs, isPending, () => this.#replace())
    // Detects a server that accepts the connection and never replies to the commands before `ready`.
    const onConnect = (): void => this.#watchdog.start()
    client.on('connect', onConnect)
    this.#unsubscribe = [
      logConnectionChanges(client, addressOf(options), log),
      countConnections(client, this.#instruments.connectionsCreated),
      () => void client.off('connect', onConnect),
    ]
  }

  /**
   * Connects, and waits for the first attempt for at most `connectTimeoutMs`. A failed attempt is not an error: the client keeps trying.
   *
   * @throws BootError `bad_option` when the database does not exist
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
    this.#pingWhenIdle()
  }

  /** Runs a script: in one round trip, or in two when Redis has not cached the script. Rejects with a RedisError. */
  run(operation: Operation, script: Script, keys: readonly string[], args: Arguments): Promise<unknown> {
    return this.#send(
      operation,
      () => this.#client.evalsha(script.sha, keys.length, ...keys, ...args),
      () => this.#client.eval(script.lua, keys.length, ...keys, ...args),
    )
  }

  async ping(): Promise<void> {
    const ping = (): Promise<unknown> => this.#client.ping()
    await this.#send('ping', ping, ping)
  }

  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#idleTimer?.cancel()
    this.#watchdog.stop()
    for (const unsubscribe of this.#unsubscribe) unsubscribe()
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
      // A client of the application may be connected, connecting, or ended already.
      if (client.status === 'ready' || client.status === 'end') done()
      else if (client.status === 'wait') client.connect().catch(done)
    })
  }

  #send(operation: Operation, send: () => Promise<unknown>, resend: () => Promise<unknown>): Promise<unknown> {
    const cells = this.#instruments.operations[operation]
    const refusal = this.#checkReady()
    if (refusal !== null) {
      cells.error.inc()
      return Promise.reject(refusal)
    }
    const startedMs = this.#clock.monotonic()
    this.#lastSentMs = startedMs
    if (this.#pending === 0) this.#watchdog.start()
    this.#pending += 1
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
      const cancelDeadline = this.#deadlines.add(() =>
        fail(new RedisError('timeout', `Redis did not reply within ${this.#options.commandTimeoutMs} ms`)),
      )
      const onReply = (reply: unknown): void => {
        this.#replied()
        if (!isWaiting) return
        cancelDeadline()
        end()
        cells.success.inc()
        resolve(reply)
      }
      const onError = (error: unknown): void => {
        this.#replied()
        if (!isWaiting) return
        cancelDeadline()
        fail(toRedisError(error))
      }
      send().then(onReply, (error: unknown) => {
        if (!isWaiting || !isScriptMissing(error)) return onError(error)
        resend().then(onReply, onError)
      })
    })
  }

  /** Nothing is sent to a client that is not ready: it would queue the command and send it after its time-out. */
  #checkReady(): RedisError | null {
    if (this.#isClosed || this.#client.status !== 'ready')
      return new RedisError('not_connected', 'Redis is not connected')
    if (this.#pending >= maxPending)
      return new RedisError('too_many_pending', `${maxPending} replies of Redis are pending already`)
    return null
  }

  #replied(): void {
    this.#pending -= 1
    this.#watchdog.onReply()
  }

  /** Not for a cluster, whose nodes ioredis replaces itself, nor for a client of the application. */
  #replace(): void {
    if (this.#options.target.kind === 'server') this.#client.disconnect(true)
  }

  /** Detects a dead connection while it is idle, before a call uses it. */
  #pingWhenIdle(): void {
    const intervalMs = this.#options.healthCheckIntervalMs
    this.#idleTimer = this.#clock.timer(intervalMs, () => {
      this.#pingWhenIdle()
      if (this.#clock.monotonic() - this.#lastSentMs < intervalMs || this.#client.status !== 'ready') return
      // A failure is counted, and the watchdog replaces the connection when it does not reply.
      this.ping().catch(() => {})
    })
  }

  #counts(): ConnectionCounts {
    const all = this.isCluster ? (this.#client.nodes?.() ?? []) : [this.#client]
    const open = all.filter(({ status }) => status === 'ready').length
    return { max: Math.max(1, all.length), open, busy: Math.min(open, this.#pending) }
  }
}

/** Redis has not cached the script: after a restart, a failover or `SCRIPT FLUSH`. */
function isScriptMissing(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith('NOSCRIPT')
}
