import { isPromise } from '../base/maybe-promise.ts'
import type { Publisher } from '../call/call.ts'
import type { AnyEvent, EventData } from '../call/event.ts'
import type { Audience, Publication } from '../call/publication.ts'
import { disconnects } from '../errors/disconnect.ts'
import type { Codec } from '../protocol/codec.ts'
import type { Broker } from './broker.ts'
import type { Connection, HubConnection } from './connection.ts'
import { toSerial } from './connection-id.ts'
import { type FanOut, Receivers, sendToEach } from './receivers.ts'
import type { TopicTable } from './topic.ts'

/** A compiled event. */
export interface CompiledEvent {
  readonly pkgId: number
  /** Projects data on the event's schema. Throws for data that does not fit it. */
  readonly toData: (data: unknown) => unknown
}

interface HubOptions extends Omit<FanOut, 'nextTopic'> {
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
  readonly #fanOut: FanOut
  readonly #bySerial = new Map<number, HubConnection>()
  readonly #byIdentity = new Map<string, Set<HubConnection>>()
  readonly #byTopic = new Map<string, Receivers>()
  /** All connections; null until the first broadcast, so that an app without one does not pay for it. */
  #all: Receivers | null = null
  /** A delivery within the current `send` has failed and was reported: a broker that delivers at once throws the same error again. */
  #reported = false

  constructor(options: HubOptions) {
    this.#options = options
    let topics = 0
    this.#fanOut = { ...options, nextTopic: () => String(++topics) }
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
    return this.#byTopic.get(topic)?.total ?? 0
  }

  add(connection: HubConnection): void {
    this.#bySerial.set(connection.serial, connection)
    if (this.#all !== null) this.#all = this.#addTo(this.#all, connection)
    if (connection.identity !== null) put(this.#byIdentity, connection.identity.id, connection)
  }
  /** Idempotent. */
  remove(connection: HubConnection): void {
    if (!this.#bySerial.delete(connection.serial)) return
    if (connection.identity !== null) take(this.#byIdentity, connection.identity.id, connection)
    if (this.#all !== null) ofCodec(this.#all, connection.codec)?.delete(connection)
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
    const receivers = this.#byTopic.get(topic) ?? null
    const joined = this.#addTo(receivers, connection)
    if (joined !== receivers) this.#byTopic.set(topic, joined)
  }
  leave(connection: HubConnection, topic: string): void {
    if (connection.joined.delete(topic)) this.#leave(connection, topic)
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

  /** Returns the first receivers of the audience, which are new if the connection is the first one of its codec. */
  #addTo(first: Receivers | null, connection: HubConnection): Receivers {
    const known = ofCodec(first, connection.codec)
    const receivers = known ?? new Receivers(connection.codec, this.#fanOut, first)
    receivers.add(connection)
    return known === null ? receivers : (first ?? receivers)
  }

  #leave(connection: HubConnection, topic: string): void {
    const first = this.#byTopic.get(topic) ?? null
    ofCodec(first, connection.codec)?.delete(connection)
    if (first?.total === 0) this.#byTopic.delete(topic)
  }

  #deliver(publication: Publication): void {
    const { audience } = publication
    const slow: HubConnection[] = []
    try {
      if (audience.kind === 'topic') publishTo(this.#byTopic.get(audience.topic) ?? null, publication, slow)
      else if (audience.kind === 'identity')
        sendTo(this.#byIdentity.get(audience.identityId) ?? none, publication, slow)
      else publishTo(this.#everyone(), publication, slow)
    } catch (error) {
      this.#reported = true
      this.#options.onError(error)
      throw error
    } finally {
      // Now that everyone has this publication: the hooks that a close runs may publish the next one.
      for (const connection of slow) connection.end(disconnects.tooSlow)
    }
  }

  #everyone(): Receivers | null {
    if (this.#all === null)
      for (const connection of this.#bySerial.values()) this.#all = this.#addTo(this.#all, connection)
    return this.#all
  }
}

function ofCodec(first: Receivers | null, codec: Codec): Receivers | null {
  for (let receivers = first; receivers !== null; receivers = receivers.next)
    if (receivers.codec === codec) return receivers
  return null
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

/** Encodes a publication once per codec. */
function publishTo(first: Receivers | null, publication: Publication, slow: HubConnection[]): void {
  for (let receivers = first; receivers !== null; receivers = receivers.next)
    if (!receivers.isEmpty) receivers.publish(encode(receivers.codec, publication), slow)
}

/** To the connections of one identity, which are too few to publish to. */
function sendTo(connections: ReadonlySet<HubConnection>, publication: Publication, slow: HubConnection[]): void {
  const codecs = new Set<Codec>()
  for (const { codec } of connections) codecs.add(codec)
  for (const codec of codecs) {
    const own = codecs.size === 1 ? connections : [...connections].filter((connection) => connection.codec === codec)
    sendToEach(own, encode(codec, publication), codec.binary, slow)
  }
}

/** Bytes, because a string would be encoded to UTF-8 again for each socket. */
function encode(codec: Codec, { pkgId, data }: Publication): Uint8Array {
  const encoded = codec.encodeEvent(pkgId, data)
  return typeof encoded === 'string' ? Buffer.from(encoded) : encoded
}
