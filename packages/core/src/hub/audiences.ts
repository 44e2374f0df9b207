import type { Publication } from '../call/publication.ts'
import type { Codec } from '../protocol/codec.ts'
import type { EventMeta } from '../protocol/frame.ts'
import type { Position, Stream } from './broker.ts'
import type { HubConnection } from './connection.ts'
import { encodeEvent, toEventMeta } from './encode-event.ts'
import { LatestFrames, type LatestOptions } from './latest-frames.ts'
import { type FanOut, Receivers, receiversLike, sendToEach, type TextFrame } from './receivers.ts'
import type { TopicTable } from './topic.ts'

const none: ReadonlySet<HubConnection> = new Set()

/** Topics with `slow: 'latest'`. */
interface LatestTopics extends Omit<LatestOptions, 'maxBackpressureBytes'> {
  readonly topics: Pick<TopicTable, 'find'>
}

/** Who of this process receives what: the admitted connections by topic, by identity, and all. */
export class Audiences {
  readonly #fanOut: FanOut
  readonly #connections: ReadonlyMap<number, HubConnection>
  readonly #byIdentity = new Map<string, Set<HubConnection>>()
  readonly #byTopic = new Map<string, Receivers>()
  /** All connections; null until the first broadcast, so that an app without one does not pay for it. */
  #all: Receivers | null = null
  readonly #optedIn = new Set<HubConnection>()
  /** Connections that get nothing of `@me`, or of `@all`, for now. */
  readonly #paused = { identity: new Set<HubConnection>(), all: new Set<HubConnection>() }
  readonly #topics: LatestTopics['topics']
  readonly #latest: LatestFrames

  /** @param connections - All that are admitted. */
  constructor(fanOut: FanOut, connections: ReadonlyMap<number, HubConnection>, latest: LatestTopics) {
    this.#fanOut = fanOut
    this.#connections = connections
    this.#topics = latest.topics
    this.#latest = new LatestFrames({ ...latest, maxBackpressureBytes: fanOut.maxBackpressureBytes })
  }

  ofIdentity(identityId: string): ReadonlySet<HubConnection> {
    return this.#byIdentity.get(identityId) ?? none
  }
  topicSize(topic: string): number {
    return this.#byTopic.get(topic)?.total ?? 0
  }

  /** A WebSocket, which receives what is for all and for its identity. Returns true if it is the first one of its identity. */
  add(connection: HubConnection): boolean {
    if (this.#all !== null) this.#all = this.#addTo(this.#all, connection)
    return connection.identity !== null && put(this.#byIdentity, connection.identity.id, connection)
  }
  /** Not of topics, which it leaves before. Returns true if it was the last one of its identity. */
  remove(connection: HubConnection): boolean {
    const { identity, all } = this.#paused
    identity.delete(connection)
    all.delete(connection)
    receiversLike(this.#all, connection)?.delete(connection)
    this.#optedIn.delete(connection)
    this.#latest.remove(connection)
    return connection.identity !== null && take(this.#byIdentity, connection.identity.id, connection)
  }
  moveIdentity(connection: HubConnection, from: string | null, to: string | null): { last: boolean; first: boolean } {
    this.#paused.identity.delete(connection)
    return {
      last: from !== null && take(this.#byIdentity, from, connection),
      first: to !== null && put(this.#byIdentity, to, connection),
    }
  }
  join(connection: HubConnection, topic: string): void {
    const receivers = this.#byTopic.get(topic) ?? null
    const joined = this.#addTo(receivers, connection, topic)
    if (joined !== receivers) this.#byTopic.set(topic, joined)
  }
  leave(connection: HubConnection, topic: string): void {
    this.#latest.leave(connection, topic)
    this.#leave(connection, topic)
  }
  #leave(connection: HubConnection, topic: string): void {
    const first = this.#byTopic.get(topic) ?? null
    receiversLike(first, connection)?.delete(connection)
    if (first?.total === 0) this.#byTopic.delete(topic)
  }

  /** The client has taken some of what was queued for it. */
  drained(connection: HubConnection): void {
    this.#latest.drained(connection)
  }

  isOptedIn(connection: HubConnection): boolean {
    return this.#optedIn.has(connection)
  }
  /** From here on its events have `meta`. */
  optIn(connection: HubConnection): void {
    if (this.#optedIn.has(connection)) return
    const topics = connection.topics.filter((topic) =>
      receiversLike(this.#byTopic.get(topic) ?? null, connection)?.has(connection),
    )
    for (const topic of topics) this.#leave(connection, topic)
    const inAll = receiversLike(this.#all, connection)?.delete(connection) === true
    this.#optedIn.add(connection)
    for (const topic of topics) this.join(connection, topic)
    if (inAll) this.#all = this.#addTo(this.#all, connection)
  }

  /** It gets nothing of the stream until `resume`. */
  pause(connection: HubConnection, stream: Stream): void {
    if (stream.kind === 'topic') return this.leave(connection, stream.topic)
    this.#paused[stream.kind].add(connection)
    if (stream.kind === 'all') receiversLike(this.#all, connection)?.delete(connection)
  }
  resume(connection: HubConnection, stream: Stream): void {
    if (stream.kind === 'topic') return this.join(connection, stream.topic)
    this.#paused[stream.kind].delete(connection)
    if (stream.kind === 'all' && this.#all !== null) this.#all = this.#addTo(this.#all, connection)
  }

  /** Encodes a publication once for each kind of connection. Those that were too slow for it are added to `slow`. */
  send(publication: Publication, position: Position | null, slow: HubConnection[]): void {
    const { audience } = publication
    if (audience.kind === 'identity') {
      this.#sendToIdentity(this.ofIdentity(audience.identityId), publication, position, slow)
      return
    }
    let meta: EventMeta | null = null
    for (let receivers = this.#first(audience); receivers !== null; receivers = receivers.next) {
      if (receivers.isEmpty) continue
      if (receivers.optedIn) meta ??= toEventMeta(publication, position)
      receivers.publish(encodeEvent(receivers.codec, publication, receivers.optedIn ? meta : null), publication, slow)
    }
  }

  /** A text frame to those of the stream that have opted in. */
  sendText(stream: Stream, frame: TextFrame, slow: HubConnection[]): void {
    if (stream.kind === 'identity') {
      const optedIn = [...this.ofIdentity(stream.identityId)].filter(
        (connection) => connection.isOptedIn && !this.#paused.identity.has(connection),
      )
      sendToEach(optedIn, Buffer.from(JSON.stringify(frame)), false, slow)
    } else
      for (let receivers = this.#first(stream); receivers !== null; receivers = receivers.next)
        if (receivers.optedIn) receivers.sendText(frame, slow)
  }

  #first(stream: Exclude<Stream, { kind: 'identity' }>): Receivers | null {
    return stream.kind === 'topic' ? (this.#byTopic.get(stream.topic) ?? null) : this.#everyone()
  }

  /** To the connections of one identity, which are too few to publish to. */
  #sendToIdentity(
    connections: ReadonlySet<HubConnection>,
    publication: Publication,
    position: Position | null,
    slow: HubConnection[],
  ): void {
    const encoded: { readonly codec: Codec; readonly optedIn: boolean; readonly bytes: Uint8Array }[] = []
    for (const connection of connections) {
      const { codec, isOptedIn: optedIn } = connection
      if (optedIn && this.#paused.identity.has(connection)) continue
      let known = encoded.find((one) => one.codec === codec && one.optedIn === optedIn)
      if (known === undefined) {
        const meta = optedIn ? toEventMeta(publication, position) : null
        known = { codec, optedIn, bytes: encodeEvent(codec, publication, meta) }
        encoded.push(known)
      }
      if (!connection.deliver(known.bytes, codec.binary)) slow.push(connection)
    }
  }

  /** Returns the first receivers of the audience, which are new if the connection is the first one of its kind. */
  #addTo(first: Receivers | null, connection: HubConnection, topic: string | null = null): Receivers {
    const known = receiversLike(first, connection)
    const receivers = known ?? new Receivers(connection, this.#fanOut, first, this.#latestOf(topic))
    receivers.add(connection)
    return known === null ? receivers : (first ?? receivers)
  }

  #latestOf(topic: string | null): LatestFrames | null {
    return topic !== null && this.#topics.find(topic)?.slow === 'latest' ? this.#latest : null
  }

  #everyone(): Receivers | null {
    if (this.#all === null)
      for (const connection of this.#connections.values())
        if (connection.wire === 'ws' && !this.#paused.all.has(connection))
          this.#all = this.#addTo(this.#all, connection)
    return this.#all
  }
}

/** Returns true if it is the first of its key. */
function put(sets: Map<string, Set<HubConnection>>, key: string, connection: HubConnection): boolean {
  const set = sets.get(key)
  if (set === undefined) sets.set(key, new Set([connection]))
  else set.add(connection)
  return set === undefined
}

/** Returns true if it was the last of its key. */
function take(sets: Map<string, Set<HubConnection>>, key: string, connection: HubConnection): boolean {
  const set = sets.get(key)
  if (set === undefined || !set.delete(connection) || set.size > 0) return false
  return sets.delete(key)
}
