import type { Publication } from '../../../call/publication.ts'
import type { BrokerNode, Position, Stream, StreamHistory } from '../../../hub/broker.ts'
import type { NetworkServer } from './network-server.ts'

type Item =
  | { readonly kind: 'publication'; readonly publication: Publication; readonly position: Position | null }
  | { readonly kind: 'gap'; readonly position: Position | null }

/** A stream that a node receives: what has arrived, and waits to be delivered. */
export class Subscription {
  readonly stream: Stream
  readonly history: StreamHistory
  /** The node knows where it begins: it is delivered to from here on. */
  isAnswered = false
  /** The node does not want it any more, which the server learns later. */
  isLeaving = false
  /** The last that the node was given. */
  done: Position | null = null
  /** The last that has arrived. */
  #arrived: Position | null = null
  /** The server sends it. */
  #hasBegun = false
  #queue: Item[] = []

  constructor(stream: Stream, history: StreamHistory) {
    this.stream = stream
    this.history = history
  }

  get hasNext(): boolean {
    return this.isAnswered && this.#queue.length > 0
  }

  begin(position: Position | null): Position | null {
    this.#hasBegun = true
    this.done = position
    this.#arrived = position
    return position
  }

  receive(publication: Publication, position: Position | null): void {
    if (!this.#hasBegun) return
    this.#queue.push({ kind: 'publication', publication, position })
    this.#arrived = position
  }

  /** The next one. To a stream that the node does not want any more, silently. */
  deliver(node: BrokerNode): void {
    const item = this.hasNext ? this.#queue.shift() : undefined
    if (item === undefined) return
    this.done = item.position
    if (this.isLeaving) return
    if (item.kind === 'gap') node.gap(this.stream, item.position)
    else node.deliver(item.publication, item.position)
  }

  /** The connection is lost, and with it the last of what was on its way. */
  cut(random: (below: number) => number): void {
    this.#queue = this.#queue.slice(0, random(this.#queue.length + 1))
    this.#arrived = this.#queue.at(-1)?.position ?? this.done
  }

  /** The connection is back: what was missed follows, or a gap. */
  fill(server: NetworkServer, random: (below: number) => number): void {
    if (!this.#hasBegun) return
    const { stream, history } = this
    const from = this.#arrived
    const present = server.position(stream, history)
    this.#arrived = present
    if (from === null || present === null) {
      this.#queue.push({ kind: 'gap', position: present })
      return
    }
    const page = server.history(stream, history, from, Number.POSITIVE_INFINITY)
    let entries = page?.entries ?? []
    if (page?.complete !== true) {
      // The gap ends at the present, or before what is left of the history.
      const left = server.left(stream)
      entries = left.slice(random(left.length + 1))
      const first = entries[0]?.position
      const position = first === undefined ? present : { epoch: first.epoch, offset: first.offset - 1 }
      this.#queue.push({ kind: 'gap', position })
    }
    for (const entry of entries) this.#queue.push({ kind: 'publication', ...entry })
  }
}
