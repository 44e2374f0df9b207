import type { BrokerNode } from '@twinwire/core/transport'
import { openRedisSubscriber, type RedisSubscriber } from '@twinwire/redis'
import { type BrokerCells, createBrokerCells } from './broker-instruments.ts'
import type { ResolvedBrokerOptions } from './broker-options.ts'
import { checkServer, readEvictionPolicy, toBootError } from './check-server.ts'
import { ControlMessages } from './control-messages.ts'
import { nodeKeys } from './keys.ts'
import { toMember } from './member-page.ts'
import { beatMs, firstLease, NodeLoop } from './node-loop.ts'
import { PresenceRegistry } from './presence-registry.ts'
import { Publisher } from './publisher.ts'
import { RedisLink } from './redis-link.ts'
import { leaseScript, releaseScript } from './scripts/lease-scripts.ts'
import { StreamReader } from './stream-reader.ts'
import { Subscriptions } from './subscriptions.ts'

/** Beats between two looks at whether Redis still has the members of this node. */
const checkBeats = 16

/** What a node has that receives. */
interface Receiving {
  readonly subscriptions: Subscriptions
  readonly presence: PresenceRegistry
  readonly control: ControlMessages
  readonly loop: NodeLoop
}

/** A broker between its start and its end. */
export interface Session {
  readonly cells: BrokerCells
  readonly publisher: Publisher
  readonly reader: StreamReader
  readonly receives: Receiving | null
  /** Throws where the process only publishes. */
  receiving(): Receiving
  lease(name: string, ttlMs: number): Promise<boolean>
  release(name: string): Promise<void>
  /** Why it is not healthy; null while it is. */
  problem(): string | null
  /** By which Redis removes keys when its memory is full; null if it never does. */
  evictionPolicy(): Promise<string | null>
  close(): Promise<void>
}

/** @throws BootError when Redis does not answer or is not usable; nothing is open then */
export async function openSession(options: ResolvedBrokerOptions, node: BrokerNode): Promise<Session> {
  const cells = createBrokerCells(node.instruments)
  const link = await RedisLink.open(options.redis, node)
  try {
    await checkServer(link, options.redis)
    const receiver = node.publishesOnly === true ? null : await openReceiver(options, node, link, cells)
    return new OpenSession(node, link, options.redis.prefix, cells, receiver)
  } catch (error) {
    await link.close()
    throw error
  }
}

class OpenSession implements Session {
  readonly cells: BrokerCells
  readonly publisher: Publisher
  readonly reader: StreamReader
  readonly #node: BrokerNode
  readonly #link: RedisLink
  readonly #prefix: string
  readonly #receiver: Receiver | null

  constructor(node: BrokerNode, link: RedisLink, prefix: string, cells: BrokerCells, receiver: Receiver | null) {
    this.#node = node
    this.#link = link
    this.#prefix = prefix
    this.cells = cells
    this.#receiver = receiver
    this.publisher = new Publisher(link, node.info.id)
    this.reader = receiver?.reader ?? new StreamReader(link)
  }

  get receives(): Receiving | null {
    return this.#receiver
  }

  async lease(name: string, ttlMs: number): Promise<boolean> {
    return (
      (await this.#link.run('beat', leaseScript, [nodeKeys(this.#prefix).held(name)], [this.#node.info.id, ttlMs])) ===
      1
    )
  }

  async release(name: string): Promise<void> {
    await this.#link.run('beat', releaseScript, [nodeKeys(this.#prefix).held(name)], [this.#node.info.id])
  }

  receiving(): Receiving {
    if (this.#receiver === null) throw new Error('This process only publishes: it receives nothing')
    return this.#receiver
  }

  problem(): string | null {
    const { problem } = this.#link
    if (problem !== null) return `Redis is not connected: ${problem}`
    return this.#receiver?.problem() ?? null
  }

  evictionPolicy(): Promise<string | null> {
    return readEvictionPolicy(this.#link, this.#prefix)
  }

  async close(): Promise<void> {
    await this.publisher.settle()
    try {
      await this.#receiver?.close()
    } catch (error) {
      this.#node.log.warn({ err: error }, 'The presence of this node is not removed from Redis: it expires')
    }
    await this.#link.close()
  }
}

async function openReceiver(
  options: ResolvedBrokerOptions,
  node: BrokerNode,
  link: RedisLink,
  cells: BrokerCells,
): Promise<Receiver> {
  const receiver = new Receiver(options, node, link, cells)
  try {
    await receiver.start(options)
  } catch (error) {
    receiver.stop()
    throw toBootError(error, options.redis)
  }
  return receiver
}

/** What a node needs to receive: the connection for subscriptions, and its beat. */
class Receiver implements Receiving {
  readonly reader: StreamReader
  readonly subscriptions: Subscriptions
  readonly presence: PresenceRegistry
  readonly control: ControlMessages
  readonly loop: NodeLoop
  readonly #node: BrokerNode
  readonly #cells: BrokerCells
  readonly #control: string
  readonly #probe: string
  #subscriber: RedisSubscriber | null = null
  #isClosed = false
  #beats = 0

  constructor({ redis }: ResolvedBrokerOptions, node: BrokerNode, link: RedisLink, cells: BrokerCells) {
    const { prefix } = redis
    const keys = nodeKeys(prefix)
    this.#node = node
    this.#cells = cells
    this.#control = keys.control
    this.#probe = keys.probe(node.info.id)
    this.reader = new StreamReader(link)
    const onMember = (topic: string, kind: 'joined' | 'left', text: string): void => {
      const member = toMember(text)
      if (member !== null) node.presence({ topic, kind, member })
    }
    this.subscriptions = new Subscriptions(
      { node, log: node.log, clock: node.clock, cells, link, reader: this.reader, prefix, onMember },
      () => this.#connected(),
    )
    this.presence = new PresenceRegistry(link, prefix, keys, firstLease(node.info), node.log)
    this.control = new ControlMessages(link, keys, node)
    this.loop = new NodeLoop(link, keys, node, cells, {
      control: (text) => this.control.receive(text),
      renewed: (serverMs) => this.#onRenewed(serverMs),
      leased: (lease) => this.presence.useLease(lease),
      expired: (lease) => this.#inBackground(this.presence.removeLease(lease)),
      deaf: () => this.#onDeaf(),
      beat: (serverMs) => this.#onBeat(serverMs),
    })
  }

  async start({ redis }: ResolvedBrokerOptions): Promise<void> {
    const early: boolean[] = []
    this.#subscriber = await openRedisSubscriber(redis, this.#node, {
      up: () => {
        // The first time while it is being opened.
        if (this.#subscriber === null) early.push(true)
        else this.#onUp()
      },
      down: () => this.subscriptions.down(),
      message: (channel, text) => this.#onMessage(channel, text),
      resubscribed: () => this.subscriptions.doubtAll(),
    })
    if (early.length > 0) this.#onUp()
    await Promise.all([this.#probe, this.#control].map((channel) => this.subscriptions.addChannel(channel)))
    await this.loop.start()
  }

  problem(): string | null {
    const problem = this.#subscriber?.problem ?? null
    if (problem !== null) return `The subscriber of Redis is not connected: ${problem}`
    const { deafForMs } = this.loop
    if (deafForMs !== null) return `The subscriber of Redis has not answered for ${deafForMs} ms`
    return null
  }

  /** Rejects when its presence could not be removed. */
  async close(): Promise<void> {
    await this.loop.close()
    this.stop()
    await this.presence.close()
  }

  stop(): void {
    this.#isClosed = true
    this.subscriptions.close()
    this.#subscriber?.close()
  }

  #connected(): RedisSubscriber {
    if (this.#subscriber === null) throw new Error('The subscriber is not open')
    return this.#subscriber
  }

  #onUp(): void {
    this.loop.onSubscriberUp()
    this.subscriptions.up()
  }

  #onMessage(channel: string, text: string): void {
    if (this.subscriptions.onMessage(channel, text)) return
    if (channel === this.#control) this.control.receive(text)
    else if (channel === this.#probe) this.loop.onProbe(text)
  }

  #onDeaf(): void {
    if (this.#subscriber?.problem !== null) return
    this.#cells.replaced.inc()
    this.#subscriber.replace('it does not deliver what this node sends to itself')
  }

  #onRenewed(serverMs: number): void {
    this.#node.log.warn('Redis is another server, or has lost what it had: all that this node knows is checked')
    this.presence.doubtAll()
    this.subscriptions.doubtAll()
    this.#inBackground(this.control.writeAgain(serverMs))
  }

  #onBeat(serverMs: number): void {
    this.control.expire(serverMs)
    this.subscriptions.compareSome(beatMs)
    this.#beats += 1
    if (this.#beats % checkBeats === 0) this.#inBackground(this.presence.check())
    this.#inBackground(this.presence.repair())
  }

  #inBackground(work: Promise<void>): void {
    work.catch((error: unknown) => {
      if (!this.#isClosed) this.#node.log.debug({ err: error }, 'Work of the broker failed; it is done again')
    })
  }
}
