import { isPromise, type MaybePromise } from '../base/maybe-promise.ts'
import { ConflictError, UnavailableError } from '../errors/app-error.ts'
import { disconnects } from '../errors/disconnect.ts'
import type { Audiences } from './audiences.ts'
import type { Broker, Entry, HistoryPage, Position, Stream, StreamHistory } from './broker.ts'
import type { HubConnection } from './connection.ts'
import { encodeEvent, toEventMeta } from './encode-event.ts'
import { Entrant, type Subscribed } from './entrant.ts'
import { toMissed } from './missed.ts'
import type { NodeStream } from './node-stream.ts'
import type { Streams } from './streams.ts'

/** What the rule of a topic says about its stream. */
export interface StreamRule {
  readonly history: StreamHistory
  /** May a client name a position that it has, and get what it missed? */
  readonly resume: boolean
}

interface SubscriptionsOptions {
  readonly broker: Broker
  readonly streams: Streams
  readonly audiences: Audiences
  readonly isAdmitted: (connection: HubConnection) => boolean
  /** Of what is sent of the past to one connection. */
  readonly maxBackpressureBytes: number
  /** A publication of the past cannot be encoded. */
  readonly onError: (error: unknown) => void
  /** It has become a member of the topic, in whichever way. */
  readonly onJoined: (connection: HubConnection, topic: string) => void
  /** It is not a member any more, or has not become one. */
  readonly onLeft: (connection: HubConnection, topic: string) => void
}

/** Publications that are sent of the past to one connection, unless the history of the topic is larger. */
const maxReplayed = 1000

/** How connections enter and leave streams, so that each receives what follows its position without a hole and without a repeat. */
export class Subscriptions {
  readonly #options: SubscriptionsOptions

  constructor(options: SubscriptionsOptions) {
    this.#options = options
  }

  /** Resolves when the node receives the topic. */
  join(connection: HubConnection, topic: string): MaybePromise<void> {
    const { streams, audiences, broker, onJoined } = this.#options
    const stream: Stream = { kind: 'topic', topic }
    if (!this.#isEntitled(connection, stream)) return
    const node = streams.isFollowed(stream) ? streams.follow(stream) : streams.find(stream)
    const busy = node?.entrants.get(connection)
    if (busy !== undefined) return busy.done.then(() => this.join(connection, topic))
    if (connection.joined.has(topic)) return
    if (node === null) {
      connection.joined.add(topic)
      audiences.join(connection, topic)
      return onJoined(connection, topic)
    }
    const entrant = new Entrant(connection, null, null)
    return this.#run(node, entrant, () => after(node.open(broker), () => this.#enter(node, entrant, null)))
  }

  /** `answer` is called between the past and what follows. Not called when the connection has closed meanwhile. */
  subscribe(
    connection: HubConnection,
    stream: Stream,
    rule: StreamRule | null,
    since: Position | null,
    answer: (result: Subscribed) => void,
  ): MaybePromise<void> {
    const { streams, audiences, broker } = this.#options
    if (!this.#isEntitled(connection, stream)) return
    audiences.optIn(connection)
    const node = streams.follow(stream)
    const busy = node.entrants.get(connection)
    if (busy !== undefined) return busy.done.then(() => this.subscribe(connection, stream, rule, since, answer))
    const entrant = new Entrant(connection, rule?.resume === false ? null : since, answer)
    return this.#run(node, entrant, () => after(node.open(broker), () => this.#enter(node, entrant, entrant.since)))
  }

  /** Of a topic: it gets nothing more of it. Of `@me` and `@all`: it has not subscribed any more. Returns false if it had not. */
  leave(connection: HubConnection, stream: Stream): boolean {
    const { streams, audiences, isAdmitted, onLeft } = this.#options
    const node = streams.find(stream)
    const isTopic = stream.kind === 'topic'
    if (isTopic && connection.joined.delete(stream.topic)) {
      audiences.leave(connection, stream.topic)
      onLeft(connection, stream.topic)
    }
    if (node === null) return false
    const entrant = node.entrants.get(connection)
    if (entrant !== undefined) {
      entrant.hasLeft = true
      if (!isTopic) this.#catchUp(node, entrant)
      this.#settle(node, entrant)
    }
    if (isTopic || !isAdmitted(connection)) node.ahead.delete(connection)
    const wasMember = node.remove(connection)
    streams.release(node)
    return wasMember
  }

  /** The node delivers the entry next. */
  beforeDelivery(node: NodeStream, entry: Entry): void {
    for (const [connection, offset] of node.ahead) {
      if (offset >= entry.position.offset) continue
      node.ahead.delete(connection)
      this.#options.audiences.resume(connection, node.stream)
    }
    if (node.readers > 0) node.delivered.push(entry)
  }
  afterDelivery(node: NodeStream): void {
    if (node.delivered.length > maxReplayed) this.#giveUp(node)
  }

  /** Publications may have been lost: every member is told, also one that is ahead. */
  beforeGap(node: NodeStream): void {
    for (const connection of node.ahead.keys()) this.#options.audiences.resume(connection, node.stream)
    node.ahead.clear()
  }
  /** The stream goes on after `node.position`. */
  afterGap(node: NodeStream): void {
    for (const connection of node.members.keys()) node.members.set(connection, node.position)
    this.#giveUp(node)
  }

  /** What is being read cannot be continued by what was delivered. */
  #giveUp(node: NodeStream): void {
    for (const entrant of node.reading) if (!this.#isOutdated(node, entrant)) this.#answer(node, entrant, false)
  }
  /** A renewal of the identity has checked joined topics only. */
  #isOutdated({ stream }: NodeStream, { connection, identity }: Entrant): boolean {
    return stream.kind === 'topic' && connection.identity !== identity && !connection.joined.has(stream.topic)
  }

  #isEntitled(connection: HubConnection, stream: Stream): boolean {
    return (
      this.#options.isAdmitted(connection) &&
      (stream.kind !== 'identity' || connection.identity?.id === stream.identityId)
    )
  }

  #run(node: NodeStream, entrant: Entrant, work: () => MaybePromise<void>): MaybePromise<void> {
    node.entrants.set(entrant.connection, entrant)
    const failed = (error: unknown): never => {
      this.#settle(node, entrant)
      this.#options.streams.release(node)
      throw error
    }
    try {
      const result = work()
      if (!isPromise(result)) return
      // It may have been left meanwhile, when the broker could not be told yet.
      const running = result.then(() => this.#options.streams.release(node), failed)
      entrant.done = running.catch(() => undefined)
      return running
    } catch (error) {
      return failed(error)
    }
  }

  /** The node receives the stream. */
  #enter(node: NodeStream, entrant: Entrant, since: Position | null): MaybePromise<void> {
    const { connection } = entrant
    if (this.#isOver(node, entrant)) return
    const now = node.positionOf(connection)
    if (since === null || now === null || since.epoch !== now.epoch) return this.#answer(node, entrant, false)
    if (since.offset === now.offset) return this.#answer(node, entrant, true)
    const from = node.receivedFrom(connection)
    if (from === null || from.epoch !== now.epoch) return this.#answer(node, entrant, false)
    if (since.offset >= from.offset && since.offset < now.offset) return this.#answer(node, entrant, true)
    // Something newer was sent to it already, so that what it missed would come too late; or perhaps that itself, before it subscribed.
    const mayHave = node.stream.kind === 'topic' ? node.claimed.has(connection) : node.members.has(connection)
    if (from.offset !== now.offset || mayHave) return this.#answer(node, entrant, false)
    return this.#read(node, entrant, since)
  }

  #read(node: NodeStream, entrant: Entrant, since: Position): MaybePromise<void> {
    const { broker, audiences } = this.#options
    const { stream, history } = node
    audiences.pause(entrant.connection, stream)
    entrant.readFrom = node.delivered.length
    node.readers++
    const limit = Math.max(history === undefined || history === false ? 0 : history.size, maxReplayed)
    const failed = (cause: unknown): void => {
      if (this.#isOver(node, entrant)) return
      this.#catchUp(node, entrant)
      throw new UnavailableError('What was missed cannot be read now: the broker does not answer', { cause })
    }
    try {
      const page = broker.history(stream, history, since, limit)
      if (!isPromise(page)) return this.#replay(node, entrant, since, page)
      return page.then((read) => this.#replay(node, entrant, since, read), failed)
    } catch (cause) {
      return failed(cause)
    }
  }

  #replay(node: NodeStream, entrant: Entrant, since: Position, page: HistoryPage | null): void {
    const { connection, readFrom } = entrant
    if (this.#isOver(node, entrant) || readFrom === null) return
    const missed = toMissed({ since, page, delivered: node.delivered.slice(readFrom), position: node.position })
    const frames = missed === null ? null : this.#encode(connection, missed)
    if (frames === null) return this.#answer(node, entrant, false)
    if (this.#send(connection, frames)) return this.#answer(node, entrant, true)
    this.#settle(node, entrant)
    this.#options.streams.release(node)
  }

  /** Sends the answer, and what comes from now on. */
  #answer(node: NodeStream, entrant: Entrant, recovered: boolean): void {
    const { connection, since } = entrant
    const { streams, audiences, onJoined, onLeft } = this.#options
    const topic = node.stream.kind === 'topic' ? node.stream.topic : null
    const isAhead = recovered && since !== null && node.position !== null && since.offset > node.position.offset
    const position = isAhead ? since : recovered ? node.positionOf(connection) : node.position
    const start = recovered ? since : node.position
    const from = entrant.readFrom === null ? (node.members.get(connection) ?? start) : start
    this.#settle(node, entrant)
    entrant.answer?.({ position, recovered })
    if (!this.#isEntitled(connection, node.stream)) {
      if (topic !== null) onLeft(connection, topic)
      return streams.release(node)
    }
    node.add(connection, from, recovered && since !== null)
    if (topic !== null) connection.joined.add(topic)
    if (isAhead) node.ahead.set(connection, since.offset)
    else if (!recovered) node.ahead.delete(connection)
    if (!node.ahead.has(connection)) audiences.resume(connection, node.stream)
    if (topic !== null) onJoined(connection, topic)
  }

  /** True if it is not to enter any more: then it is settled. */
  #isOver(node: NodeStream, entrant: Entrant): boolean {
    if (entrant.hasLeft && entrant.answer !== null) throw new ConflictError('It was left before it was joined')
    if (!entrant.isSettled && !this.#isEntitled(entrant.connection, node.stream)) {
      this.#settle(node, entrant)
      this.#options.streams.release(node)
    }
    if (!entrant.isSettled && this.#isOutdated(node, entrant))
      throw new UnavailableError('The identity was renewed meanwhile: try again')
    return entrant.isSettled
  }

  /** It was a member before, and remains one: sends what was held back. */
  #catchUp(node: NodeStream, { connection, readFrom }: Entrant): void {
    const { stream } = node
    const wasMember = stream.kind !== 'topic' || connection.joined.has(stream.topic)
    if (readFrom === null || !wasMember || !this.#isEntitled(connection, stream)) return
    const frames = this.#encode(connection, node.delivered.slice(readFrom), Number.POSITIVE_INFINITY)
    if (frames === null || this.#send(connection, frames)) this.#options.audiences.resume(connection, stream)
  }

  #settle(node: NodeStream, entrant: Entrant): void {
    if (entrant.isSettled) return
    entrant.isSettled = true
    node.entrants.delete(entrant.connection)
    if (entrant.readFrom === null) return
    entrant.readFrom = null
    node.readers--
    if (node.readers === 0) node.delivered.length = 0
  }

  /** Null: they are too large, or one has no form. */
  #encode(
    { codec, bufferedBytes }: HubConnection,
    entries: readonly Entry[],
    maxBytes: number = this.#options.maxBackpressureBytes - bufferedBytes,
  ): readonly Uint8Array[] | null {
    const frames: Uint8Array[] = []
    let bytes = 0
    try {
      for (const { publication, position } of entries) {
        const frame = encodeEvent(codec, publication, toEventMeta(publication, position))
        bytes += frame.byteLength
        if (bytes > maxBytes) return null
        frames.push(frame)
      }
      return frames
    } catch (error) {
      this.#options.onError(error)
      return null
    }
  }

  /** False: the connection was too slow, and is closed. */
  #send(connection: HubConnection, frames: readonly Uint8Array[]): boolean {
    for (const frame of frames) {
      if (connection.deliver(frame, connection.codec.binary)) continue
      connection.end(disconnects.tooSlow)
      return false
    }
    return true
  }
}

function after<T>(value: MaybePromise<T>, next: (value: T) => MaybePromise<void>): MaybePromise<void> {
  return isPromise(value) ? value.then(next) : next(value)
}
