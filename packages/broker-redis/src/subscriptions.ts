import type { HistoryLimits, Position, Stream } from '@twinwire/core/transport'
import type { RedisSubscriber } from '@twinwire/redis'
import { inParallel } from './broker-options.ts'
import { ChannelSet } from './channel-set.ts'
import { streamKeys } from './keys.ts'
import { decodeMessage, type Message } from './message.ts'
import type { RedisLink } from './redis-link.ts'
import { heartbeatScript } from './scripts/stream-scripts.ts'
import type { StreamReader } from './stream-reader.ts'
import { type ReceiverServices, StreamReceiver } from './stream-receiver.ts'

/** How long until all positions have been compared once more with those in Redis, and every quiet channel of a cluster was tried. */
const roundMs = 6000
/** Cluster: a channel without a message for this time is tried by a heartbeat. */
const quietMs = 1000
/** Cluster: a channel on which a heartbeat has not arrived by then is subscribed again. */
const heartbeatMs = 1500
/** A publication that Redis has may still be on its way here. */
const graceMs = 200

export interface SubscriptionServices extends Omit<ReceiverServices, 'read'> {
  readonly link: RedisLink
  readonly reader: StreamReader
  readonly prefix: string
  /** A member has joined or left, as `joined` or `left` and its text. */
  onMember(topic: string, kind: 'joined' | 'left', text: string): void
}

/** The streams that this node receives. */
export class Subscriptions {
  readonly #services: SubscriptionServices
  readonly #receiverServices: ReceiverServices
  readonly #receivers = new Map<string, StreamReceiver>()
  readonly #channels: ChannelSet
  /** Those that are compared in this round. */
  #round: StreamReceiver[] = []
  #roundStep = 0
  #isComparing = false

  constructor(services: SubscriptionServices, subscriber: () => RedisSubscriber) {
    const { clock, link, reader } = services
    this.#services = services
    this.#receiverServices = { ...services, read: (keys, history, since) => reader.read({ keys, history }, since) }
    const commands = {
      subscribe: (channels: readonly string[]) => subscriber().subscribe(channels),
      unsubscribe: (channels: readonly string[]) => subscriber().unsubscribe(channels),
    }
    this.#channels = new ChannelSet(clock, link.timeoutMs, commands, (channels) => this.#onBack(channels))
  }

  /** A channel that is not one of a stream. */
  addChannel(channel: string): Promise<void> {
    return this.#channels.add(channel)
  }

  async subscribe(stream: Stream, history: HistoryLimits | false): Promise<Position | null> {
    const keys = streamKeys(this.#services.prefix, stream)
    const { channel } = keys
    const receiver = new StreamReceiver(stream, keys, history, this.#receiverServices)
    this.#receivers.get(channel)?.stop()
    this.#receivers.set(channel, receiver)
    try {
      await this.#channels.add(channel)
      // Behind the subscription: what is published after this position arrives.
      const position = history === false ? null : await this.#services.reader.position({ keys, history })
      receiver.start(position)
      return position
    } catch (error) {
      this.#remove(channel, receiver)
      throw error
    }
  }

  unsubscribe(stream: Stream): void {
    const { channel } = streamKeys(this.#services.prefix, stream)
    const receiver = this.#receivers.get(channel)
    if (receiver !== undefined) this.#remove(channel, receiver)
  }

  /** False if the channel is none of a stream. */
  onMessage(channel: string, text: string): boolean {
    const receiver = this.#receivers.get(channel)
    if (receiver === undefined) return false
    const message = decodeMessage(text)
    if (message !== null) this.#onMessage(receiver, message)
    return true
  }

  up(): void {
    this.#channels.up()
  }

  down(): void {
    this.#channels.down()
  }

  /** Messages may have been lost on any channel. */
  doubtAll(): void {
    this.#onBack([...this.#receivers.keys()])
  }

  /** Compares a part of the positions with those in Redis, so that within a round a last message that was lost is noticed. */
  compareSome(intervalMs: number): void {
    if (this.#isComparing) return
    if (this.#round.length === 0) {
      this.#round = [...this.#receivers.values()]
      this.#roundStep = Math.ceil((this.#round.length * intervalMs) / roundMs)
    }
    const receivers = this.#round.splice(0, this.#roundStep).filter(({ isStopped }) => !isStopped)
    if (receivers.length === 0) return
    this.#isComparing = true
    void this.#compare(receivers, graceMs).finally(() => {
      this.#isComparing = false
    })
  }

  close(): void {
    for (const receiver of this.#receivers.values()) receiver.stop()
    this.#receivers.clear()
    this.#round = []
    this.#channels.close()
  }

  #remove(channel: string, receiver: StreamReceiver): void {
    receiver.stop()
    if (this.#receivers.get(channel) !== receiver) return
    this.#receivers.delete(channel)
    this.#channels.remove(channel)
  }

  #onMessage(receiver: StreamReceiver, message: Message): void {
    const { stream } = receiver
    receiver.onMessage(message)
    if ((message.kind === 'joined' || message.kind === 'left') && stream.kind === 'topic' && !receiver.isStopped)
      this.#services.onMember(stream.topic, message.kind, message.text)
  }

  /** They are subscribed again: what was published meanwhile is read. */
  #onBack(channels: readonly string[]): void {
    const receivers = channels.flatMap((channel) => this.#receivers.get(channel) ?? [])
    const now = this.#services.clock.monotonic()
    for (const receiver of receivers) {
      receiver.heardMs = now
      // Without positions it is not known what was missed.
      if (receiver.history === false) receiver.doubt()
    }
    void this.#compare(receivers, 0)
  }

  async #compare(receivers: readonly StreamReceiver[], waitMs: number): Promise<void> {
    const { link, log } = this.#services
    if (link.isCluster) await this.#listen(receivers)
    const behind = await Promise.all(receivers.map((receiver) => this.#isBehind(receiver, waitMs)))
    const channels = receivers.flatMap(({ keys }, i) => (behind[i] === true ? [keys.channel] : []))
    if (channels.length > 0) log.debug({ streams: channels.length }, 'Publications are read that were missed')
  }

  async #isBehind(receiver: StreamReceiver, waitMs: number): Promise<boolean> {
    const { keys, history } = receiver
    if (history === false || receiver.isStopped) return false
    try {
      const position = await this.#services.reader.position({ keys, history })
      if (!receiver.isBehind(position)) return false
      if (waitMs > 0) await new Promise<void>((resolve) => this.#services.clock.timer(waitMs, resolve))
      if (!receiver.isBehind(position)) return false
      receiver.doubt()
      return true
    } catch {
      // It was not read: it is when the connection is back.
      receiver.doubt()
      return false
    }
  }

  /** Cluster: a subscription may end without an event when its slot moves. */
  async #listen(receivers: readonly StreamReceiver[]): Promise<void> {
    const { clock, link } = this.#services
    const now = clock.monotonic()
    const quiet = receivers.filter(({ heardMs, isStopped }) => !isStopped && now - heardMs > quietMs)
    const tried: { readonly receiver: StreamReceiver; readonly heardMs: number }[] = []
    await inParallel(quiet, 16, async (receiver: StreamReceiver) => {
      const { heardMs, keys } = receiver
      await link.once('beat', heartbeatScript, [keys.meta], [keys.channel]).then(
        () => tried.push({ receiver, heardMs }),
        // Redis cannot be asked now: the next round tries again.
        () => {},
      )
    })
    if (tried.length === 0) return
    clock.timer(heartbeatMs, () => {
      for (const { receiver, heardMs } of tried)
        if (!receiver.isStopped && receiver.heardMs === heardMs) this.#channels.renew(receiver.keys.channel)
    })
  }
}
