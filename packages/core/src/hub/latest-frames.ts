import type { CounterCell } from '../base/cells.ts'
import type { Logger } from '../base/logger.ts'
import type { Publication } from '../call/publication.ts'
import { disconnects } from '../errors/disconnect.ts'
import type { HubConnection } from './connection.ts'
import { maxQueuedBytes, sendToEach } from './receivers.ts'

export interface LatestOptions {
  /** Of each connection. */
  readonly maxBackpressureBytes: number
  /** What a publication is the state of; null for an event without key. */
  readonly keyOf: (publication: Publication) => string | null
  readonly onError: (error: unknown) => void
  readonly log: Logger
  readonly replaced: CounterCell
}

interface Frame {
  readonly topic: string
  readonly bytes: Uint8Array
  readonly binary: boolean
  readonly size: number
}

/** What waits for one connection, in the order of the newest publication of each key. */
interface Waiting {
  readonly frames: Map<string, Frame>
  bytes: number
}

/**
 * Publications of topics with `slow: 'latest'`: of what waits for a slow connection, a newer one replaces that of the same key. Nothing is kept for
 * other connections.
 */
export class LatestFrames {
  readonly #options: LatestOptions
  /** With more in its queue a connection is sent the latest of each key, once its queue is shorter. */
  readonly #maxQueuedBytes: number
  readonly #waiting = new Map<HubConnection, Waiting>()

  constructor(options: LatestOptions) {
    this.#options = options
    this.#maxQueuedBytes = Math.max(0, maxQueuedBytes(options.maxBackpressureBytes))
  }

  /** Does something wait for it? */
  has(connection: HubConnection): boolean {
    return this.#waiting.has(connection)
  }

  /** Adds connections to `slow` for which too much waits, or that were too slow for an event without key. */
  send(
    connections: Iterable<HubConnection>,
    publication: Publication,
    bytes: Uint8Array,
    binary: boolean,
    slow: HubConnection[],
  ): void {
    const { audience } = publication
    const key = this.#keyOf(publication)
    if (key === null || audience.kind !== 'topic') return sendToEach(connections, bytes, binary, slow)
    const { topic } = audience
    const name = `${topic.length}:${topic}:${publication.pkgId}:${key}`
    const frame = { topic, bytes, binary, size: bytes.byteLength + name.length }
    for (const connection of connections) {
      if (this.#isBehind(connection)) {
        if (!this.#hold(connection, name, frame)) slow.push(connection)
      } else if (!connection.deliver(bytes, binary)) slow.push(connection)
    }
  }

  /** Its queue may be shorter. */
  drained(connection: HubConnection): void {
    const waiting = this.#waiting.get(connection)
    if (waiting === undefined) return
    for (const [name, frame] of waiting.frames) {
      if (connection.bufferedBytes > this.#maxQueuedBytes) return
      this.#drop(waiting, name, frame)
      if (connection.deliver(frame.bytes, frame.binary)) continue
      connection.end(disconnects.tooSlow)
      break
    }
    this.#waiting.delete(connection)
  }

  /** It has left the topic: nothing more of it is sent. */
  leave(connection: HubConnection, topic: string): void {
    const waiting = this.#waiting.get(connection)
    if (waiting === undefined) return
    for (const [name, frame] of waiting.frames) if (frame.topic === topic) this.#drop(waiting, name, frame)
    if (waiting.frames.size === 0) this.#waiting.delete(connection)
  }

  /** It has closed. */
  remove(connection: HubConnection): void {
    this.#waiting.delete(connection)
  }

  /** Of an event without key, or whose `key` throws: null. */
  #keyOf(publication: Publication): string | null {
    try {
      return this.#options.keyOf(publication)
    } catch (error) {
      this.#options.onError(error)
      this.#options.log.error({ err: error, pkg_id: publication.pkgId }, 'The key of an event failed')
      return null
    }
  }

  /** What is sent now must not overtake what waits. */
  #isBehind(connection: HubConnection): boolean {
    return this.#waiting.has(connection) || connection.bufferedBytes > this.#maxQueuedBytes
  }

  /** False: too much waits. */
  #hold(connection: HubConnection, name: string, frame: Frame): boolean {
    let waiting = this.#waiting.get(connection)
    if (waiting === undefined) {
      waiting = { frames: new Map(), bytes: 0 }
      this.#waiting.set(connection, waiting)
    }
    const older = waiting.frames.get(name)
    if (older !== undefined) {
      this.#drop(waiting, name, older)
      this.#options.replaced.inc()
    }
    waiting.frames.set(name, frame)
    waiting.bytes += frame.size
    return waiting.bytes <= this.#options.maxBackpressureBytes
  }

  #drop(waiting: Waiting, name: string, { size }: Frame): void {
    waiting.frames.delete(name)
    waiting.bytes -= size
  }
}
