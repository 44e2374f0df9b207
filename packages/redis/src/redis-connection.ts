import { BootError, type Clock } from '@twinwire/core'
import type { CommandOperation, Operations, PluginHost, Timer } from '@twinwire/core/plugin'
import { type ConnectionListener, countConnections, logChanges, watchConnection } from './connection-events.ts'
import { DeadlineQueue } from './deadline-queue.ts'
import { loadClient } from './open-client.ts'
import type { RedisClient } from './redis-client.ts'
import { RedisError, toRedisError } from './redis-error.ts'
import { type ConnectionCounts, createOperationCells, joinPool, type OperationCells } from './redis-instruments.ts'
import type { ResolvedRedisOptions } from './redis-options.ts'
import { addressOf, labelsOf } from './redis-target.ts'
import { ReplyWatchdog } from './reply-watchdog.ts'
import type { RedisScript } from './script.ts'

/**
 * Maximum number of pending replies. At about 40,000 replies per second further ones would arrive after their deadline, and each of them
 * occupies memory while Redis does not reply.
 */
const maxPending = 4096

/** What the application provides to a connection. */
export interface RedisServices extends Pick<PluginHost, 'clock' | 'log' | 'instruments'> {
  /** Where commands are reported to a tracer. Left out: they are not traced. */
  readonly operations?: Operations | undefined
}

export interface RedisConnectionUse<Operation extends string> {
  /** Values of the label `operation` of its metrics; `ping` is one as well. */
  readonly operations: readonly Operation[]
  readonly listener?: ConnectionListener
}

/**
 * Connects for commands. Waits for the first attempt for at most `connectTimeoutMs`; one that fails is not an error, since the client keeps
 * trying: `problem` tells.
 *
 * @throws BootError `missing_peer`; `bad_option` when the database does not exist
 */
export async function openRedisConnection<Operation extends string>(
  options: ResolvedRedisOptions,
  services: RedisServices,
  use: RedisConnectionUse<Operation>,
): Promise<RedisConnection<Operation>> {
  const create = await loadClient(options, 'commands')
  const connection = new RedisConnection(create(), options, services, use)
  await connection.open()
  return connection
}

/** A connection for commands. Every operation settles within its time-out, whatever Redis does. */
export class RedisConnection<Operation extends string> {
  readonly isCluster: boolean
  readonly #client: RedisClient
  readonly #options: ResolvedRedisOptions
  readonly #clock: Clock
  readonly #operations: Operations | undefined
  readonly #deadlines: DeadlineQueue
  readonly #watchdog: ReplyWatchdog
  readonly #cells: Readonly<Record<Operation | 'ping', OperationCells>>
  readonly #release: readonly (() => void)[]
  #problem: string | null = 'there was no reply yet'
  #idleTimer: Timer | null = null
  #reconnectTimer: Timer | null = null
  #isClosed = false
  /** Replies that have not arrived, including those of operations that timed out. */
  #pending = 0
  #lastSentMs = 0

  constructor(
    client: RedisClient,
    options: ResolvedRedisOptions,
    { clock, log, instruments, operations: traced }: RedisServices,
    { operations, listener }: RedisConnectionUse<Operation>,
  ) {
    this.#client = client
    this.#options = options
    this.#clock = clock
    this.#operations = traced
    this.isCluster = client.isCluster
    this.#deadlines = new DeadlineQueue(clock, options.commandTimeoutMs)
    this.#cells = createOperationCells(instruments, [...operations, 'ping'])
    const member = joinPool(instruments, options, () => this.#counts())
    const isPending = (): boolean => this.#pending > 0 || client.status === 'connect'
    this.#watchdog = new ReplyWatchdog(clock, options.socketTimeoutMs, isPending, () => this.#replace())
    // Detects a server that accepts the connection and never replies to the commands before `ready`.
    const onConnect = (): void => this.#watchdog.start()
    const onEnd = (): void => this.#reconnect()
    const lines = logChanges(log, addressOf(options), '')
    client.on('connect', onConnect)
    client.on('end', onEnd)
    this.#release = [
      watchConnection(client, {
        up: () => {
          this.#problem = null
          lines.up()
          listener?.up()
        },
        down: (reason) => {
          this.#problem = reason
          lines.down(reason)
          listener?.down(reason)
        },
      }),
      countConnections(client, member.opened),
      () => void client.off('connect', onConnect),
      () => void client.off('end', onEnd),
      () => member.leave(),
    ]
  }

  /** Why it is not connected, without a password; null while it is. */
  get problem(): string | null {
    return this.#problem
  }

  async open(): Promise<void> {
    const errors: string[] = []
    const listen = (error: Error): void => void errors.push(error.message)
    this.#client.on('error', listen)
    await firstAttempt(this.#client, this.#clock, this.#options.connectTimeoutMs)
    this.#client.off('error', listen)
    if (errors.some((message) => message.includes('DB index is out of range'))) {
      await this.close()
      throw new BootError('bad_option', `${this.#options.owner}: Redis has no database ${labelsOf(this.#options).db}`)
    }
    this.#pingWhenIdle()
  }

  /** Runs a script: in one round trip, or in two when Redis has not cached the script. Rejects with a RedisError. */
  run(
    operation: Operation,
    script: RedisScript,
    keys: readonly string[],
    args: readonly (string | number)[],
  ): Promise<unknown> {
    return this.#send(
      operation,
      () => this.#client.evalsha(script.sha, keys.length, ...keys, ...args),
      () => this.#client.eval(script.lua, keys.length, ...keys, ...args),
    )
  }

  /** Rejects with a RedisError. */
  async ping(): Promise<void> {
    const ping = (): Promise<unknown> => this.#client.ping()
    await this.#send('ping', ping, ping)
  }

  /** Operations without a reply reject. Idempotent. */
  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#idleTimer?.cancel()
    this.#reconnectTimer?.cancel()
    this.#watchdog.stop()
    for (const release of this.#release) release()
    this.#deadlines.flush()
    if (this.#isOwn) this.#client.disconnect()
  }

  get #isOwn(): boolean {
    return this.#options.target.kind !== 'client'
  }

  #send(operation: Operation | 'ping', send: () => Promise<unknown>, resend: () => Promise<unknown>): Promise<unknown> {
    const cells = this.#cells[operation]
    const refusal = this.#checkReady()
    if (refusal !== null) {
      cells.error.inc()
      return Promise.reject(refusal)
    }
    const startedMs = this.#clock.monotonic()
    this.#lastSentMs = startedMs
    if (this.#pending === 0) this.#watchdog.start()
    this.#pending += 1
    const span = this.#operations?.begin?.(this.#toOperation(operation)) ?? null
    return new Promise((resolve, reject) => {
      let isWaiting = true
      const end = (): void => {
        isWaiting = false
        cells.duration.observe((this.#clock.monotonic() - startedMs) / 1000)
      }
      const fail = (error: RedisError): void => {
        end()
        cells.error.inc()
        span?.end(error.code)
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
        span?.end(null)
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

  #toOperation(operation: Operation | 'ping'): CommandOperation {
    const { db, host, port } = labelsOf(this.#options)
    const what = operation === 'ping' ? { command: 'PING', script: null } : { command: 'EVALSHA', script: operation }
    return { kind: 'command', system: 'redis', host, port: port === '' ? null : Number(port), namespace: db, ...what }
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
    const { kind } = this.#options.target
    if (kind === 'server' || kind === 'sentinels') this.#client.disconnect(true)
  }

  /** A client that has given up, as one does that is disconnected while it asks the Sentinels, is connected again. */
  #reconnect(): void {
    if (!this.#isOwn || this.#reconnectTimer !== null) return
    this.#reconnectTimer = this.#clock.timer(1000, () => {
      this.#reconnectTimer = null
      if (this.#client.status === 'end') this.#client.connect().catch(() => this.#reconnect())
    })
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

/** Connects a client that is not connected; resolves when it is, when the attempt failed, or after the time. */
export function firstAttempt(client: RedisClient, clock: Clock, waitMs: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = clock.timer(waitMs, () => done())
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

/** Redis has not cached the script: after a restart, a failover or `SCRIPT FLUSH`. */
function isScriptMissing(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith('NOSCRIPT')
}
