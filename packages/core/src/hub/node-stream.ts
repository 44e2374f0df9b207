import type { Clock, Timer } from '../base/clock.ts'
import { isPromise, type MaybePromise } from '../base/maybe-promise.ts'
import { UnavailableError } from '../errors/app-error.ts'
import type { Broker, Entry, Position, Stream, StreamHistory } from './broker.ts'
import type { HubConnection } from './connection.ts'
import { lastSerial } from './connection-id.ts'
import type { Entrant } from './entrant.ts'

/** How long a stream that has lost its last member is still received: a page that is loaded again joins it again. */
const lagMs = 1000

/** A stream that this node follows: whether it receives it, how far, and for which connections. */
export class NodeStream {
  readonly stream: Stream
  readonly history: StreamHistory
  /** Of the last publication that the node delivered. Null without history, and before the node receives it. */
  position: Position | null = null
  /** With the position from which on each has received everything. */
  readonly members: Map<HubConnection, Position | null> = new Map()
  /** Members that have named a position that they have: what is before it is not sent again. */
  readonly claimed: Set<HubConnection> = new Set()
  /** Connections that are about to become members, or whose past is being read. */
  readonly entrants: Map<HubConnection, Entrant> = new Map()
  /** Members that were sent the stream by another node up to this offset: they get nothing until this node has got there. */
  readonly ahead: Map<HubConnection, number> = new Map()
  /** What was delivered while the past was being read for an entrant. */
  readonly delivered: Entry[] = []
  /** For how many. */
  readers = 0
  /** It is received without members too: that of an identity, or of all. */
  isKept = false
  /** Connections with a higher serial have been sent nothing of it up to `position`. */
  #lastSerial = 0
  #isReceived = false
  #opening: Promise<void> | null = null
  #lag: Timer | null = null

  constructor(stream: Stream, history: StreamHistory) {
    this.stream = stream
    this.history = history
  }

  get isReceived(): boolean {
    return this.#isReceived
  }
  get isNeeded(): boolean {
    return this.isKept || this.members.size > 0 || this.entrants.size > 0
  }

  /** Of what has been sent to this connection, if it has received everything so far. */
  positionOf(connection: HubConnection): Position | null {
    const offset = this.ahead.get(connection)
    return offset === undefined || this.position === null ? this.position : { epoch: this.position.epoch, offset }
  }
  get reading(): readonly Entrant[] {
    return [...this.entrants.values()].filter(({ readFrom }) => readFrom !== null)
  }

  add(connection: HubConnection, from: Position | null, hasClaimed: boolean): void {
    this.members.set(connection, from)
    if (hasClaimed) this.claimed.add(connection)
  }
  /** Returns false if it was not a member. */
  remove(connection: HubConnection): boolean {
    this.claimed.delete(connection)
    return this.members.delete(connection)
  }

  /** From which position on this connection, which may be a member, has received everything. Null: it is not known. */
  receivedFrom(connection: HubConnection): Position | null {
    const known = this.members.get(connection)
    if (known !== undefined) return known
    const isNew =
      this.stream.kind === 'topic' ? !connection.joined.has(this.stream.topic) : connection.serial > this.#lastSerial
    return isNew ? this.position : null
  }

  /** Resolves when the node receives it. Rejects with an UnavailableError; the next call tries again. */
  open(broker: Broker): MaybePromise<void> {
    this.#lag?.cancel()
    this.#lag = null
    if (this.#isReceived) return
    if (this.#opening !== null) return this.#opening
    try {
      const result = broker.subscribe(this.stream, this.history)
      this.position = null
      if (!isPromise(result)) return this.#opened(result)
      this.#opening = result.then(
        (position) => this.#opened(position),
        (cause) => {
          this.#opening = null
          throw cannotSubscribe(cause)
        },
      )
      return this.#opening
    } catch (cause) {
      throw cannotSubscribe(cause)
    }
  }

  /** The node has delivered a publication of it. */
  advance(position: Position | null): void {
    this.#lastSerial = lastSerial()
    if (position !== null) this.position = position
  }

  /** Publications may have been lost. */
  jump(position: Position | null): void {
    this.#lastSerial = lastSerial()
    this.position = position
  }
  /** They are counted by nothing else. */
  get pausedMembers(): number {
    const { stream } = this
    const joined = ({ connection }: Entrant): boolean => stream.kind === 'topic' && connection.joined.has(stream.topic)
    return this.ahead.size + (this.readers === 0 ? 0 : this.reading.filter(joined).length)
  }

  /** No connection needs it: it is left a little later, unless it is needed again. `left`: the broker no longer sends it. */
  closeLater(broker: Broker, clock: Clock, left: () => void): void {
    if (this.#opening !== null || this.#lag !== null) return
    if (!this.#isReceived) return left()
    this.#lag = clock.timer(lagMs, () => {
      this.#lag = null
      this.#isReceived = false
      broker.unsubscribe(this.stream)
      left()
    })
  }
  /** The app closes: the broker is closed as a whole. */
  dispose(): void {
    this.#lag?.cancel()
  }

  /** What was delivered meanwhile comes after `position`. */
  #opened(position: Position | null): void {
    this.#opening = null
    this.#isReceived = true
    const known = this.position
    const isLater =
      known !== null && position !== null && (known.epoch !== position.epoch || known.offset > position.offset)
    if (!isLater) this.position = position
  }
}

function cannotSubscribe(cause: unknown): UnavailableError {
  return new UnavailableError('The topic cannot be joined now: the broker does not answer', { cause })
}
