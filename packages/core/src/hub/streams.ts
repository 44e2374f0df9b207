import type { Clock, Timer } from '../base/clock.ts'
import type { Logger } from '../base/logger.ts'
import { isPromise, type MaybePromise } from '../base/maybe-promise.ts'
import type { Broker, Position, Stream, StreamHistory } from './broker.ts'
import { NodeStream } from './node-stream.ts'

export interface StreamsOptions {
  readonly broker: Broker
  readonly clock: Clock
  readonly log: Logger
  readonly historyOf: (stream: Stream) => StreamHistory
  readonly hasConnections: (identityId: string) => boolean
}

/** Between attempts to receive a stream that no call waits for; doubled after each. */
const firstRetryMs = 1000
const maxRetryMs = 30_000

/** The streams that this node follows. With a broker of one process only those whose position a client has asked for. */
export class Streams {
  readonly #options: StreamsOptions
  readonly #byTopic = new Map<string, NodeStream>()
  readonly #byIdentity = new Map<string, NodeStream>()
  #all: NodeStream | null = null
  /** Kept streams that the broker refused. */
  readonly #refused = new Set<NodeStream>()
  #retry: Timer | null = null
  #retryMs = firstRetryMs

  constructor(options: StreamsOptions) {
    this.#options = options
  }

  /** Resolves when the node receives what is published to all. */
  start(): MaybePromise<void> {
    const { broker } = this.#options
    if (broker.oneProcess) return
    const all = this.follow({ kind: 'all' })
    all.isKept = true
    return all.open(broker)
  }

  /** Of all streams, members that are connections. */
  get members(): number {
    let members = this.#all?.members.size ?? 0
    for (const streams of [this.#byTopic, this.#byIdentity])
      for (const node of streams.values()) members += node.members.size
    return members
  }

  find(stream: Stream): NodeStream | null {
    if (stream.kind === 'topic') return this.#byTopic.get(stream.topic) ?? null
    return stream.kind === 'identity' ? (this.#byIdentity.get(stream.identityId) ?? null) : this.#all
  }
  /** Is it followed from its first member on? With a broker of one process only if its topic declares a history. */
  isFollowed(stream: Stream): boolean {
    const { broker, historyOf } = this.#options
    return !broker.oneProcess || typeof historyOf(stream) === 'object'
  }
  /** The caller adds a member or an entrant, and calls `release` once it has removed that. */
  follow(stream: Stream): NodeStream {
    let node = this.find(stream)
    if (node !== null) return node
    node = new NodeStream(stream, this.#options.historyOf(stream))
    if (stream.kind === 'topic') this.#byTopic.set(stream.topic, node)
    else if (stream.kind === 'identity') this.#byIdentity.set(stream.identityId, node)
    else this.#all = node
    return node
  }

  /** Receives it from now on, with or without members; until it does, it tries again and again. */
  keep(stream: Stream): void {
    const node = this.follow(stream)
    node.isKept = true
    this.#tryToOpen(node)
  }
  unkeep(stream: Stream): void {
    const node = this.find(stream)
    if (node === null) return
    node.isKept = false
    this.#refused.delete(node)
    this.release(node)
  }
  release(node: NodeStream): void {
    if (node.isNeeded) return
    node.closeLater(this.#options.broker, this.#options.clock, () => {
      if (this.find(node.stream) !== node) return
      const { stream } = node
      if (stream.kind === 'topic') this.#byTopic.delete(stream.topic)
      // Others may subscribe yet, and it is known what they have received.
      else if (stream.kind === 'identity' && !this.#options.hasConnections(stream.identityId))
        this.#byIdentity.delete(stream.identityId)
    })
  }

  /** The node has delivered a publication. Null: this node does not follow its stream. */
  advance(stream: Stream, position: Position | null): NodeStream | null {
    let node = this.find(stream)
    // It has a history, so a client has subscribed to it: from here on it is known which connections have received what.
    if (node === null && position !== null && this.#isHeard(stream)) node = this.follow(stream)
    node?.advance(position)
    return node
  }

  close(): void {
    this.#retry?.cancel()
    for (const node of [...this.#byTopic.values(), ...this.#byIdentity.values()]) node.dispose()
    this.#all?.dispose()
  }

  #isHeard(stream: Stream): boolean {
    return stream.kind === 'all' || (stream.kind === 'identity' && this.#options.hasConnections(stream.identityId))
  }

  #tryToOpen(node: NodeStream): void {
    const failed = (error: unknown): void => this.#failed(node, error)
    try {
      const opening = node.open(this.#options.broker)
      if (isPromise(opening)) opening.then(() => this.#opened(node), failed)
      else this.#opened(node)
    } catch (error) {
      failed(error)
    }
  }

  #opened(node: NodeStream): void {
    this.release(node)
    if (!this.#refused.delete(node) || this.#refused.size > 0) return
    this.#retryMs = firstRetryMs
    this.#options.log.info('The broker delivers the publications of all identities again')
  }

  /** Logs once for all streams until all of them are received. */
  #failed(node: NodeStream, error: unknown): void {
    if (!node.isKept) return this.release(node)
    if (this.#refused.size === 0)
      this.#options.log.error(
        { err: error },
        'The broker does not deliver the publications of some identities: the app tries again',
      )
    this.#refused.add(node)
    if (this.#retry !== null) return
    this.#retry = this.#options.clock.timer(this.#retryMs, () => {
      this.#retry = null
      this.#retryMs = Math.min(this.#retryMs * 2, maxRetryMs)
      for (const refused of this.#refused) this.#tryToOpen(refused)
    })
  }
}
