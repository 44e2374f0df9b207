import type { Wire } from '../call/call.ts'
import type { Publication } from '../call/publication.ts'
import { disconnects } from '../errors/disconnect.ts'
import type { Codec } from '../protocol/codec.ts'
import type { Transport } from '../transport/transport.ts'
import type { HubConnection } from './connection.ts'
import type { LatestFrames } from './latest-frames.ts'

/** What receivers need to publish. */
export interface FanOut {
  readonly transport: Pick<Transport, 'publish' | 'acceptedBytes'>
  /** The limit of each connection. */
  readonly maxBackpressureBytes: number
  /** `count` connections were sent a frame of `bytes` by one call of the transport. */
  readonly onPublished: (count: number, bytes: number) => void
  /** A new name at each call. */
  readonly nextTopic: () => string
}

/** A frame of core for connections that have opted in. */
export type TextFrame = { readonly type: string; readonly [key: string]: unknown }

/** With fewer connections, sending to each costs no more, and needs no memory of the transport. */
const minPublished = 4
/** What `bufferedBytes` may miss, and the transport's own pings. */
const unseenBytes = 20 * 1024

/**
 * The connections of one topic, or all, that take the same encoding: a publication is encoded once for them, and sent to most of them by one
 * call of the transport.
 *
 * That call does not report a frame that it drops, so no connection may come near its limit by it. A connection with more than half of its limit
 * queued is sent to by itself: a dropped frame is then a result of `send`. What is queued is read again when the transport has accepted
 * the other half.
 */
export class Receivers {
  readonly codec: Codec
  /** Their events have `meta`. */
  readonly optedIn: boolean
  /** Those with another encoding. */
  readonly next: Receivers | null
  /** All of one codec are on one wire. */
  readonly #wire: Wire
  readonly #fanOut: FanOut
  /** Of a topic with `slow: 'latest'`. */
  readonly #latest: LatestFrames | null
  readonly #connections = new Set<HubConnection>()
  /** Of the transport; null until the first publication to enough connections. */
  #topic: string | null = null
  /** Those that are sent to by themselves. */
  #apart: Set<HubConnection> | null = null
  /** `acceptedBytes` when the queues were read. */
  #readAt = 0

  constructor(
    { codec, isOptedIn, wire }: HubConnection,
    fanOut: FanOut,
    next: Receivers | null,
    latest: LatestFrames | null = null,
  ) {
    this.#latest = latest
    this.codec = codec
    this.optedIn = isOptedIn
    this.#wire = wire
    this.#fanOut = fanOut
    this.next = next
  }

  /** With those of other encodings. */
  get total(): number {
    return this.#connections.size + (this.next?.total ?? 0)
  }

  get isEmpty(): boolean {
    return this.#connections.size === 0
  }

  has(connection: HubConnection): boolean {
    return this.#connections.has(connection)
  }

  add(connection: HubConnection): void {
    if (this.#connections.has(connection)) return
    this.#connections.add(connection)
    if (this.#topic !== null) this.#place(connection, this.#topic, false)
  }

  /** False: it was not one of them. */
  delete(connection: HubConnection): boolean {
    if (!this.#connections.delete(connection)) return false
    if (this.#apart?.delete(connection) !== true && this.#topic !== null) connection.socket?.unsubscribe(this.#topic)
    return true
  }

  /** Adds connections that were too slow for the frame to `slow`. */
  publish(bytes: Uint8Array, publication: Publication, slow: HubConnection[]): void {
    const { codec } = this
    const topic = this.#publishedTopic()
    if (topic === null) return this.#sendTo(this.#connections, bytes, publication, slow)
    const { transport, onPublished } = this.#fanOut
    const count = this.#connections.size - (this.#apart?.size ?? 0)
    if (count > 0) {
      transport.publish(topic, bytes, codec.binary)
      onPublished(count, bytes.byteLength)
    }
    if (this.#apart !== null) this.#sendTo(this.#apart, bytes, publication, slow)
  }

  #sendTo(
    connections: ReadonlySet<HubConnection>,
    bytes: Uint8Array,
    publication: Publication,
    slow: HubConnection[],
  ): void {
    const { binary } = this.codec
    if (this.#latest === null) sendToEach(connections, bytes, binary, slow)
    else this.#latest.send(connections, publication, bytes, binary, slow)
  }

  /** A text frame to each; those that were too slow for it are added to `slow`. */
  sendText(frame: TextFrame, slow: HubConnection[]): void {
    if (this.#wire === 'ws') sendToEach(this.#connections, Buffer.from(JSON.stringify(frame)), false, slow)
    else for (const connection of [...this.#connections]) connection.sendControl(frame)
  }

  /** The topic to which no frame can be dropped now. Null: send to each connection. */
  #publishedTopic(): string | null {
    const { transport, maxBackpressureBytes, nextTopic } = this.#fanOut
    if (this.#topic === null) {
      // The transport publishes to sockets.
      if (this.#wire === 'http') return null
      if (this.#connections.size < minPublished || maxBackpressureBytes <= 2 * unseenBytes) return null
      const topic = nextTopic()
      this.#topic = topic
      for (const connection of this.#connections) this.#place(connection, topic, false)
      this.#readAt = transport.acceptedBytes
    } else if (transport.acceptedBytes - this.#readAt > maxBackpressureBytes / 2) {
      for (const connection of this.#connections)
        this.#place(connection, this.#topic, this.#apart?.has(connection) !== true)
      this.#readAt = transport.acceptedBytes
    }
    return this.#topic
  }

  /** The frames of both ways arrive in order: a socket sends what was published to it before anything else. */
  #place(connection: HubConnection, topic: string, isSubscribed: boolean): void {
    const isBehind = connection.bufferedBytes > maxQueuedBytes(this.#fanOut.maxBackpressureBytes)
    // What waits for it must not be overtaken.
    if (isBehind || this.#latest?.has(connection) === true) {
      if (isSubscribed) connection.socket?.unsubscribe(topic)
      this.#apart ??= new Set()
      this.#apart.add(connection)
    } else if (!isSubscribed) {
      this.#apart?.delete(connection)
      connection.socket?.subscribe(topic)
    }
  }
}

/** With more in its queue a connection is sent to by itself. */
export function maxQueuedBytes(maxBackpressureBytes: number): number {
  return maxBackpressureBytes / 2 - unseenBytes
}

/** Those of the kind of `connection`; null if there are none. */
export function receiversLike(first: Receivers | null, connection: HubConnection): Receivers | null {
  const { codec, isOptedIn } = connection
  for (let receivers = first; receivers !== null; receivers = receivers.next)
    if (receivers.codec === codec && receivers.optedIn === isOptedIn) return receivers
  return null
}

/** A connection that is too slow is added to `slow`: its end runs hooks, which may publish. */
export function sendToEach(
  connections: Iterable<HubConnection>,
  bytes: Uint8Array,
  binary: boolean,
  slow: HubConnection[],
): void {
  for (const connection of connections) if (!connection.deliver(bytes, binary)) slow.push(connection)
}

/** Now that everyone has the frame: the hooks that a close runs may publish the next one. */
export function endSlow(slow: readonly HubConnection[]): void {
  for (const connection of slow) connection.end(disconnects.tooSlow)
}
