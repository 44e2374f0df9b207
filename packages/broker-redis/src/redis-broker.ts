import type { MaybePromise } from '@twinwire/core'
import type { DoctorHost } from '@twinwire/core/plugin'
import type {
  Broker,
  BrokerNode,
  ControlMessage,
  HistoryLimits,
  HistoryPage,
  Member,
  MemberPage,
  NodeInfo,
  Position,
  Publication,
  Stream,
  StreamHistory,
} from '@twinwire/core/transport'
import { addressOf, RedisError } from '@twinwire/redis'
import { type RedisBrokerOptions, type ResolvedBrokerOptions, resolveBrokerOptions } from './broker-options.ts'
import { streamKeys } from './keys.ts'
import { encodePublication } from './message.ts'
import { openSession, type Session } from './session.ts'

/**
 * Connects the processes of an app by Redis 6.2 or later (a cluster: 7.0): publications, presence and control messages reach all of them, and
 * streams have positions. Needs the package `ioredis`. A publication is one command, which uses the server's clock alone. Every key begins with
 * `twinwire:` (see `prefix`): apps that share a Redis need prefixes of their own.
 *
 * The app does not start without Redis. While it is lost later, publications wait for `commandTimeoutMs` and then reject; what a node misses
 * is read from the history when Redis is back, or told as a gap.
 *
 * @throws BootError `bad_option`, `unknown_option`, at once; `redis.unreachable`, `redis.access_denied`, `redis.unusable`, `redis.old_version` and `missing_peer`,
 * when the app starts
 *
 * @example
 * createApp({ pkgIds, routes, broker: redisBroker('rediss://app:secret@redis.internal:6379/1') })
 * @example
 * redisBroker({ cluster: ['redis://10.0.0.1:6379', 'redis://10.0.0.2:6379'], history: { size: 500, ttlMs: 300_000 } })
 */
export function redisBroker(target: string | RedisBrokerOptions): Broker {
  return new RedisBroker(resolveBrokerOptions(target))
}

class RedisBroker implements Broker {
  readonly name = 'redis'
  readonly oneProcess = false
  readonly #options: ResolvedBrokerOptions
  #session: Session | null = null
  #closing: Promise<void> | null = null

  constructor(options: ResolvedBrokerOptions) {
    this.#options = options
  }

  async start(node: BrokerNode): Promise<void> {
    this.#session = await openSession(this.#options, node)
  }

  close(): MaybePromise<void> {
    this.#closing ??= this.#session?.close() ?? null
    return this.#closing ?? undefined
  }

  async publish(publication: Publication, history: StreamHistory, key: string | null): Promise<Position | null> {
    const { publisher, cells } = this.#open()
    try {
      const { text, bytes } = this.#encode(publication)
      const keys = streamKeys(this.#options.redis.prefix, publication.audience)
      const isKept = history !== undefined
      const position = await publisher.publish({ keys, history: this.#limits(history), isKept, text, bytes, key })
      cells.published.inc()
      return position
    } catch (error) {
      cells.refused.inc()
      throw error
    }
  }

  check(publication: Publication): void {
    this.#encode(publication)
  }

  async subscribe(stream: Stream, history: StreamHistory): Promise<Position | null> {
    return await this.#open().receiving().subscriptions.subscribe(stream, this.#limits(history))
  }

  unsubscribe(stream: Stream): void {
    this.#session?.receives?.subscriptions.unsubscribe(stream)
  }

  async history(
    stream: Stream,
    history: StreamHistory,
    since: Position | null,
    limit: number,
  ): Promise<HistoryPage | null> {
    const limits = this.#limits(history)
    if (limits === false) return null
    const place = { keys: streamKeys(this.#options.redis.prefix, stream), history: limits }
    const { reader } = this.#open()
    if (since === null) return { entries: [], position: await reader.position(place), complete: true }
    return await reader.page(stream, place, since, limit)
  }

  async join(topic: string, member: Member): Promise<void> {
    await this.#open().receiving().presence.join(topic, member)
  }

  async leave(topic: string, member: Member): Promise<void> {
    await this.#open().receiving().presence.leave(topic, member)
  }

  async presence(topic: string, cursor: string | null, limit: number): Promise<MemberPage> {
    const { presence, loop } = this.#open().receiving()
    const leases = (await loop.nodes()).keys()
    // This node lives, also when a Redis that has come back empty does not know it yet.
    return await presence.page(topic, cursor, limit, [loop.lease, ...leases])
  }

  async control(message: ControlMessage, keepMs: number): Promise<void> {
    await this.#open().receiving().control.send(message, keepMs)
  }

  async lease(name: string, ttlMs: number): Promise<boolean> {
    return await this.#open().lease(name, ttlMs)
  }

  async release(name: string): Promise<void> {
    await this.#open().release(name)
  }

  async nodes(): Promise<readonly NodeInfo[]> {
    return [...(await this.#open().receiving().loop.nodes()).values()]
  }

  async health(): Promise<void> {
    const problem = this.#open().problem()
    if (problem !== null) throw new RedisError('not_connected', problem)
  }

  doctor(host: DoctorHost): void {
    const { redis } = this.#options
    if (redis.target.kind !== 'client') host.peer('ioredis', 'redisBroker() is built on it', import.meta.url)
    const address = addressOf(redis)
    host.doctor('redisBroker()', async () => {
      const session = this.#closing === null ? this.#session : null
      if (session === null) return { level: 'ok', message: `It connects to ${address} when the app starts` }
      const problem = session.problem()
      if (problem !== null) return { level: 'error', message: `${address}: ${problem}` }
      const policy = await session.evictionPolicy()
      if (policy === null) return { level: 'ok', message: `It is connected to ${address}` }
      const lost = 'histories, presence and leases vanish when its memory is full'
      return {
        level: 'warn',
        message: `Redis at ${address} has the maxmemory-policy ${policy}, by which ${lost}: set it to noeviction`,
      }
    })
  }

  #encode(publication: Publication): { readonly text: string; readonly bytes: number } {
    const text = encodePublication(publication)
    const bytes = Buffer.byteLength(text)
    const { maxPublicationBytes } = this.#options
    if (bytes <= maxPublicationBytes) return { text, bytes }
    const most = `maxPublicationBytes of redisBroker() is ${maxPublicationBytes}`
    throw new RangeError(`A publication of ${bytes} bytes is too large: ${most}`)
  }

  #limits(history: StreamHistory): HistoryLimits | false {
    return history === undefined ? this.#options.history : history
  }

  #open(): Session {
    if (this.#session === null) throw new Error('The app has not started: await app.ready() before publishing')
    if (this.#closing !== null) throw new RedisError('not_connected', 'The broker is closed')
    return this.#session
  }
}
