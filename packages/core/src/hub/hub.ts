import { isPromise } from '../base/maybe-promise.ts'
import type { Publisher } from '../call/call.ts'
import type { AnyEvent, EventData } from '../call/event.ts'
import type { Audience, Publication } from '../call/publication.ts'
import type { Codec } from '../protocol/codec.ts'
import type { Broker } from './broker.ts'
import type { Connection, HubConnection } from './connection.ts'
import { toSerial } from './connection-id.ts'
import type { TopicTable } from './topic.ts'

/** A compiled event. */
export interface CompiledEvent {
  readonly pkgId: number
  /** Projects data on the event's schema. Throws for data that does not fit it. */
  readonly toData: (data: unknown) => unknown
}

interface HubOptions {
  readonly broker: Broker
  readonly topics: TopicTable
  /** Can connections have an identity? Only with a plugin that provides identities. */
  readonly hasIdentities: () => boolean
  /** Undefined for an event that the app does not list. */
  readonly findEvent: (event: AnyEvent) => CompiledEvent | undefined
  readonly onError: (error: unknown) => void
  /** A promise that the broker returned has rejected. */
  readonly onLateError: (error: unknown) => void
}

const none: ReadonlySet<HubConnection> = new Set()
const noBytes = new Uint8Array()

/** The connections of this process, for code outside a call. */
export interface Hub extends Publisher {
  /** Number of admitted connections. */
  readonly size: number
  get(connectionId: string): Connection | undefined
  /** All connections of one identity. */
  ofIdentity(identityId: string): readonly Connection[]
  /** Number of connections that have joined `topic`. */
  topicSize(topic: string): number
}

/** The admitted connections of this process, by id, by identity and by topic. */
export class ConnectionHub implements Hub {
  readonly #options: HubOptions
  readonly #bySerial = new Map<number, HubConnection>()
  readonly #byIdentity = new Map<string, Set<HubConnection>>()
  readonly #byTopic = new Map<string, Set<HubConnection>>()
  /** A delivery within the current `send` has failed and was reported: a broker that delivers at once throws the same error again. */
  #reported = false

  constructor(options: HubOptions) {
    this.#options = options
    options.broker.start((publication) => this.#deliver(publication))
  }

  get size(): number {
    return this.#bySerial.size
  }
  get(connectionId: string): Connection | undefined {
    return this.#bySerial.get(toSerial(connectionId))
  }
  ofIdentity(identityId: string): readonly Connection[] {
    return [...(this.#byIdentity.get(identityId) ?? none)]
  }
  topicSize(topic: string): number {
    return this.#byTopic.get(topic)?.size ?? 0
  }

  add(connection: HubConnection): void {
    this.#bySerial.set(connection.serial, connection)
    if (connection.identity !== null) put(this.#byIdentity, connection.identity.id, connection)
  }
  /** Idempotent. */
  remove(connection: HubConnection): void {
    if (!this.#bySerial.delete(connection.serial)) return
    if (connection.identity !== null) take(this.#byIdentity, connection.identity.id, connection)
    for (const topic of connection.topics) this.leave(connection, topic)
  }
  /** The identity of a connection has been renewed. */
  moveIdentity(connection: HubConnection, from: string | null, to: string | null): void {
    if (from === to || !this.#bySerial.has(connection.serial)) return
    if (from !== null) take(this.#byIdentity, from, connection)
    if (to !== null) put(this.#byIdentity, to, connection)
  }
  join(connection: HubConnection, topic: string): void {
    if (!this.#bySerial.has(connection.serial)) return
    connection.joined.add(topic)
    put(this.#byTopic, topic, connection)
  }
  leave(connection: HubConnection, topic: string): void {
    if (connection.joined.delete(topic)) take(this.#byTopic, topic, connection)
  }

  publish<E extends AnyEvent>(topic: string, event: E, data: EventData<E>): void {
    this.send(this.prepare({ kind: 'topic', topic }, event, data))
  }
  broadcast<E extends AnyEvent>(event: E, data: EventData<E>): void {
    this.send(this.prepare({ kind: 'all' }, event, data))
  }
  sendTo<E extends AnyEvent>(identityId: string, event: E, data: EventData<E>): void {
    this.send(this.prepare({ kind: 'identity', identityId }, event, data))
  }

  /** Projects the data at once: data that does not fit throws here, and later changes of it have no effect. */
  prepare(audience: Audience, event: AnyEvent, data: unknown): Publication {
    const { findEvent, topics, hasIdentities } = this.#options
    const compiled = findEvent(event)
    if (compiled === undefined) throw unknownEvent(event)
    if (audience.kind === 'topic' && topics.find(audience.topic) === null)
      throw new Error(
        `The topic '${audience.topic}' has no rule, so no connection can join it: add a rule to createApp({ topics })`,
      )
    if (audience.kind === 'identity' && !hasIdentities())
      throw new Error(
        'sendTo needs connections with an identity, and no plugin provides identities: add auth() of @twinwire/plugin-auth to plugins, or another plugin that does',
      )
    try {
      return { audience, pkgId: compiled.pkgId, data: compiled.toData(data) }
    } catch (error) {
      this.#options.onError(error)
      throw error
    }
  }
  send(publication: Publication): void {
    this.#reported = false
    try {
      const result = this.#options.broker.publish(publication)
      if (isPromise(result)) result.then(undefined, this.#options.onLateError)
    } catch (error) {
      if (!this.#reported) this.#options.onError(error)
      throw error
    }
  }

  #deliver(publication: Publication): void {
    const { audience } = publication
    const connections =
      audience.kind === 'topic'
        ? this.#byTopic.get(audience.topic)
        : audience.kind === 'identity'
          ? this.#byIdentity.get(audience.identityId)
          : this.#bySerial.values()
    if (connections === undefined) return
    try {
      deliverTo(connections, publication)
    } catch (error) {
      this.#reported = true
      this.#options.onError(error)
      throw error
    }
  }
}

function unknownEvent(event: AnyEvent): Error {
  if (event?.kind !== 'event') return new Error('The published event was not made by event(…)')
  const name = event.summary === '' ? 'This event' : `The event '${event.summary}'`
  return new Error(
    `${name} is not an event of the app: add it to createApp({ events }), or in a plugin with host.event(…)`,
  )
}

function put(sets: Map<string, Set<HubConnection>>, key: string, connection: HubConnection): void {
  const set = sets.get(key)
  if (set === undefined) sets.set(key, new Set([connection]))
  else set.add(connection)
}

function take(sets: Map<string, Set<HubConnection>>, key: string, connection: HubConnection): void {
  const set = sets.get(key)
  if (set?.delete(connection) && set.size === 0) sets.delete(key)
}

/**
 * Sends a publication to each connection, encoded once per codec. A connection that is too slow is removed from the set during the loop,
 * which a Set allows.
 *
 * This does not use the native publish of uWebSockets.js: it drops messages for a slow socket without reporting it, so later messages
 * would arrive as if nothing were missing.
 */
function deliverTo(connections: Iterable<HubConnection>, publication: Publication): void {
  let codec: Codec | null = null
  let bytes: Uint8Array = noBytes
  let others: Map<Codec, Uint8Array> | null = null
  for (const connection of connections) {
    if (connection.codec !== codec) {
      others ??= new Map()
      codec = connection.codec
      bytes = others.get(codec) ?? encode(codec, publication)
      others.set(codec, bytes)
    }
    connection.deliver(bytes, codec.binary)
  }
}

/** Bytes, because a string would be encoded to UTF-8 again for each socket. */
function encode(codec: Codec, { pkgId, data }: Publication): Uint8Array {
  const encoded = codec.encodeEvent(pkgId, data)
  return typeof encoded === 'string' ? Buffer.from(encoded) : encoded
}
