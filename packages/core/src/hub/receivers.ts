import type { Codec } from '../protocol/codec.ts'
import type { Transport } from '../transport/transport.ts'
import type { HubConnection } from './connection.ts'

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
  /** Those with another encoding. */
  readonly next: Receivers | null
  readonly #fanOut: FanOut
  readonly #connections = new Set<HubConnection>()
  /** Of the transport; null until the first publication to enough connections. */
  #topic: string | null = null
  /** Those that are sent to by themselves. */
  #apart: Set<HubConnection> | null = null
  /** `acceptedBytes` when the queues were read. */
  #readAt = 0

  constructor(codec: Codec, fanOut: FanOut, next: Receivers | null) {
    this.codec = codec
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

  add(connection: HubConnection): void {
    if (this.#connections.has(connection)) return
    this.#connections.add(connection)
    if (this.#topic !== null) this.#place(connection, this.#topic, false)
  }

  delete(connection: HubConnection): void {
    if (!this.#connections.delete(connection)) return
    if (this.#apart?.delete(connection) || this.#topic === null) return
    connection.socket?.unsubscribe(this.#topic)
  }

  /** Adds connections that were too slow for the frame to `slow`. */
  publish(bytes: Uint8Array, slow: HubConnection[]): void {
    const { codec } = this
    const topic = this.#publishedTopic()
    if (topic === null) {
      sendToEach(this.#connections, bytes, codec.binary, slow)
      return
    }
    const { transport, onPublished } = this.#fanOut
    const count = this.#connections.size - (this.#apart?.size ?? 0)
    if (count > 0) {
      transport.publish(topic, bytes, codec.binary)
      onPublished(count, bytes.byteLength)
    }
    if (this.#apart !== null) sendToEach(this.#apart, bytes, codec.binary, slow)
  }

  /** The topic to which no frame can be dropped now. Null: send to each connection. */
  #publishedTopic(): string | null {
    const { transport, maxBackpressureBytes, nextTopic } = this.#fanOut
    if (this.#topic === null) {
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
    if (connection.bufferedBytes > this.#fanOut.maxBackpressureBytes / 2 - unseenBytes) {
      if (isSubscribed) connection.socket?.unsubscribe(topic)
      this.#apart ??= new Set()
      this.#apart.add(connection)
    } else if (!isSubscribed) {
      this.#apart?.delete(connection)
      connection.socket?.subscribe(topic)
    }
  }
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
