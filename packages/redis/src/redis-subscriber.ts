import type { Clock } from '@twinwire/core'
import type { Timer } from '@twinwire/core/plugin'
import { type ConnectionListener, countConnections, logChanges, watchConnection } from './connection-events.ts'
import { DeadlineQueue } from './deadline-queue.ts'
import { type CreateClient, loadClient } from './open-client.ts'
import type { RedisClient } from './redis-client.ts'
import { firstAttempt, type RedisServices } from './redis-connection.ts'
import { RedisError, toRedisError } from './redis-error.ts'
import { joinPool, type PoolMember } from './redis-instruments.ts'
import type { ResolvedRedisOptions } from './redis-options.ts'
import { addressOf } from './redis-target.ts'
import { ReplyWatchdog } from './reply-watchdog.ts'

/** Where a subscriber delivers. */
export interface SubscriberListener extends ConnectionListener {
  message(channel: string, message: string): void
  /**
   * The connection to one node of a cluster was made again, and its channels are subscribed again: messages may have been lost meanwhile.
   * Also for nodes that had no channels.
   */
  resubscribed(): void
}

/**
 * Connects for subscriptions. Waits for the first attempt for at most `connectTimeoutMs`; one that fails is not an error, since the client keeps
 * trying: `problem` tells.
 *
 * @throws BootError `missing_peer`; `bad_option` for a client of the application with a `keyPrefix`
 */
export async function openRedisSubscriber(
  options: ResolvedRedisOptions,
  services: RedisServices,
  listener: SubscriberListener,
): Promise<RedisSubscriber> {
  const subscriber = new RedisSubscriber(await loadClient(options, 'subscriptions'), options, services, listener)
  await subscriber.open()
  return subscriber
}

/**
 * A connection for subscriptions; in a cluster (Redis 7) one to each node, for its sharded channels. After each `up` nothing is subscribed:
 * what the listener needs it subscribes again, and then it looks for what it missed.
 */
export class RedisSubscriber {
  readonly #create: CreateClient
  readonly #options: ResolvedRedisOptions
  readonly #clock: Clock
  readonly #listener: SubscriberListener
  readonly #deadlines: DeadlineQueue
  readonly #watchdog: ReplyWatchdog
  readonly #lines: ConnectionListener
  readonly #member: PoolMember
  #client: RedisClient
  #release: readonly (() => void)[] = []
  #problem: string | null = 'there was no reply yet'
  #reconnectTimer: Timer | null = null
  /** Of this client: those of one that was replaced may never settle. */
  #pending = 0
  /** The listener knows that it is down. */
  #wasTold = false
  #isClosed = false

  constructor(
    create: CreateClient,
    options: ResolvedRedisOptions,
    { clock, log, instruments }: RedisServices,
    listener: SubscriberListener,
  ) {
    this.#create = create
    this.#options = options
    this.#clock = clock
    this.#listener = listener
    this.#client = create()
    this.#deadlines = new DeadlineQueue(clock, options.commandTimeoutMs)
    this.#lines = logChanges(log, addressOf(options), ' for subscriptions')
    this.#member = joinPool(instruments, options, () => ({ max: 1, open: this.#problem === null ? 1 : 0, busy: 0 }))
    const isPending = (): boolean => this.#pending > 0 || this.#client.status === 'connect'
    this.#watchdog = new ReplyWatchdog(clock, options.socketTimeoutMs, isPending, () =>
      this.replace('it did not reply'),
    )
    this.#listen()
  }

  /** Channels are those of shards: `SPUBLISH` sends to them, not `PUBLISH`. */
  get isSharded(): boolean {
    return this.#client.isCluster
  }

  /** Why it is not connected, without a password; null while it is. */
  get problem(): string | null {
    return this.#problem
  }

  open(): Promise<void> {
    return firstAttempt(this.#client, this.#clock, this.#options.connectTimeoutMs)
  }

  /** Resolves when Redis has confirmed all of them. Rejects with a RedisError; some may be subscribed all the same. */
  async subscribe(channels: readonly string[]): Promise<void> {
    const client = this.#client
    if (channels.length === 0) return
    if (!this.isSharded) return await this.#send(() => client.subscribe(...channels))
    // One command may name channels of one slot only.
    await Promise.all(channels.map((channel) => this.#send(() => client.ssubscribe(channel))))
  }

  /** Rejects with a RedisError. */
  async unsubscribe(channels: readonly string[]): Promise<void> {
    const client = this.#client
    if (channels.length === 0) return
    if (!this.isSharded) return await this.#send(() => client.unsubscribe(...channels))
    await Promise.all(channels.map((channel) => this.#send(() => client.sunsubscribe(channel))))
  }

  /** Another connection takes the place of this one, which does not answer: `down`, and `up` when it is there. */
  replace(reason: string): void {
    if (this.#isClosed) return
    this.#drop()
    this.#onDown(reason)
    this.#client = this.#create()
    this.#listen()
    this.#client.connect().catch(() => {})
  }

  /** What has no reply rejects. Idempotent. */
  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#drop()
    this.#member.leave()
    this.#deadlines.flush()
  }

  #listen(): void {
    const client = this.#client
    const onConnect = (): void => this.#watchdog.start()
    const onEnd = (): void => this.#reconnect()
    const onMessage = (channel: string, message: string): void => {
      this.#watchdog.onReply()
      this.#listener.message(channel, message)
    }
    const onShard = (): void => {
      if (this.#problem === null) this.#listener.resubscribed()
    }
    const event = client.isCluster ? 'smessage' : 'message'
    client.on('connect', onConnect)
    client.on('end', onEnd)
    client.on(event, onMessage)
    client.on('subscribersReady', onShard)
    this.#release = [
      watchConnection(client, { up: () => this.#onUp(), down: (reason) => this.#onDown(reason) }),
      countConnections(client, this.#member.opened),
      () => void client.off('connect', onConnect),
      () => void client.off('end', onEnd),
      () => void client.off(event, onMessage),
      () => void client.off('subscribersReady', onShard),
    ]
  }

  #drop(): void {
    this.#watchdog.stop()
    this.#reconnectTimer?.cancel()
    this.#reconnectTimer = null
    for (const release of this.#release) release()
    this.#client.disconnect()
    this.#pending = 0
  }

  #onUp(): void {
    this.#problem = null
    this.#wasTold = false
    this.#lines.up()
    this.#listener.up()
  }

  #onDown(reason: string): void {
    this.#problem = reason
    // Replaced while it is down: that changes nothing for the listener.
    if (this.#wasTold) return
    this.#wasTold = true
    this.#lines.down(reason)
    this.#listener.down(reason)
  }
  /** A client that has given up, as one does that is disconnected while it asks the Sentinels, is connected again. */
  #reconnect(): void {
    this.#reconnectTimer ??= this.#clock.timer(1000, () => this.replace('it was closed'))
  }

  #send(send: () => Promise<unknown>): Promise<void> {
    if (this.#isClosed || this.#problem !== null)
      return Promise.reject(new RedisError('not_connected', 'Redis is not connected'))
    if (this.#pending === 0) this.#watchdog.start()
    this.#pending += 1
    const client = this.#client
    return new Promise((resolve, reject) => {
      const cancelDeadline = this.#deadlines.add(() =>
        reject(new RedisError('timeout', `Redis did not reply within ${this.#options.commandTimeoutMs} ms`)),
      )
      const settled = (): void => {
        cancelDeadline()
        if (client !== this.#client) return
        this.#pending -= 1
        this.#watchdog.onReply()
      }
      send().then(
        () => {
          settled()
          resolve()
        },
        (error: unknown) => {
          settled()
          reject(toRedisError(error))
        },
      )
    })
  }
}
