import type { Clock } from '../../../base/clock.ts'
import type { Publication } from '../../../call/publication.ts'
import type {
  ControlMessage,
  Entry,
  HistoryLimits,
  HistoryPage,
  Member,
  MemberPage,
  NodeInfo,
  Position,
  PresenceChange,
  Stream,
  StreamHistory,
} from '../../../hub/broker.ts'
import { streamKey } from '../../../hub/stream-key.ts'

/** What a server tells a node that is connected. */
export interface ServerClient {
  onPublication(publication: Publication, position: Position | null): void
  onPresence(change: PresenceChange): void
  onControl(message: KeptMessage): void
}

export interface KeptMessage {
  readonly message: ControlMessage
  /** Of the clock that does not go back. */
  readonly until: number
}

/** What was published, whether or not its publisher was told so. */
export interface LoggedPublication {
  readonly stream: string
  readonly publication: Publication
  readonly position: Position | null
}

interface ServerStream {
  readonly epoch: string
  offset: number
  entries: Entry[]
  expiresAt: number
}

/** What is in Redis, for the brokers of one network: what it does, it does at once. */
export class NetworkServer {
  readonly clients: Set<ServerClient> = new Set()
  /** Those that have ended without a word are in it until they expire. */
  readonly nodes: Map<string, NodeInfo> = new Map()
  readonly log: LoggedPublication[] = []
  kept: KeptMessage[] = []
  readonly #clock: Pick<Clock, 'monotonic'>
  readonly #defaultHistory: HistoryLimits | false
  #epochs = 0
  readonly #streams = new Map<string, ServerStream>()
  readonly #keys = new Map<string, Position | null>()
  readonly #members = new Map<string, Map<string, { readonly member: Member; readonly node: string }>>()
  readonly #leases = new Map<string, { readonly node: string; readonly untilMs: number }>()

  constructor(clock: Pick<Clock, 'monotonic'>, defaultHistory: HistoryLimits | false) {
    this.#clock = clock
    this.#defaultHistory = defaultHistory
  }

  /** It starts again with nothing in it. */
  empty(): void {
    this.#streams.clear()
    this.#keys.clear()
    this.#members.clear()
    this.#leases.clear()
    this.nodes.clear()
    this.kept = []
  }

  /** Only the last `keep` entries of a stream stay in its history. */
  trim(stream: Stream, keep: number): void {
    const found = this.#streams.get(streamKey(stream))
    if (found !== undefined) found.entries = keep === 0 ? [] : found.entries.slice(-keep)
  }

  publish(publication: Publication, history: StreamHistory, key: string | null): Position | null {
    const before = key === null ? undefined : this.#keys.get(key)
    if (before !== undefined) return before
    const limits = this.limits(history)
    const found = this.#find(publication.audience, history, false)
    let position: Position | null = null
    if (found !== null && limits !== false) {
      position = { epoch: found.epoch, offset: ++found.offset }
      found.entries.push({ publication, position })
      if (found.entries.length > limits.size) found.entries.shift()
      found.expiresAt = this.#clock.monotonic() + limits.ttlMs
    }
    if (key !== null) this.#keys.set(key, position)
    this.log.push({ stream: streamKey(publication.audience), publication, position })
    for (const client of this.clients) client.onPublication(publication, position)
    return position
  }

  /** Of the last publication. The stream is kept from now on. */
  position(stream: Stream, history: StreamHistory): Position | null {
    const found = this.#find(stream, history, true)
    return found === null ? null : { epoch: found.epoch, offset: found.offset }
  }

  history(stream: Stream, history: StreamHistory, since: Position | null, limit: number): HistoryPage | null {
    const found = this.#find(stream, history, true)
    if (found === null) return null
    const position = { epoch: found.epoch, offset: found.offset }
    if (since === null) return { entries: [], position, complete: true }
    const missed = found.offset - since.offset
    const complete = since.epoch === found.epoch && missed >= 0 && missed <= Math.min(found.entries.length, limit)
    return { entries: complete && missed > 0 ? found.entries.slice(-missed) : [], position, complete }
  }

  /** Of the last publication; null for a stream without a subscriber so far. */
  head(stream: Stream): Position | null {
    const found = this.#streams.get(streamKey(stream))
    return found === undefined ? null : { epoch: found.epoch, offset: found.offset }
  }

  /** What is left of the history of a stream. */
  left(stream: Stream): readonly Entry[] {
    return this.#streams.get(streamKey(stream))?.entries ?? []
  }

  join(topic: string, member: Member, node: string): void {
    const members = this.#members.get(topic) ?? new Map()
    this.#members.set(topic, members.set(member.connection, { member, node }))
    for (const client of this.clients) client.onPresence({ topic, kind: 'joined', member })
  }

  leave(topic: string, connection: string): void {
    const found = this.#members.get(topic)?.get(connection)
    if (found === undefined) return
    this.#members.get(topic)?.delete(connection)
    for (const client of this.clients) client.onPresence({ topic, kind: 'left', member: found.member })
  }

  /** The lease of a node is over. */
  expire(node: string): void {
    this.nodes.delete(node)
    for (const [topic, members] of this.#members)
      for (const [connection, member] of [...members]) if (member.node === node) this.leave(topic, connection)
  }

  presence(topic: string, cursor: string | null, limit: number): MemberPage {
    const ids = [...(this.#members.get(topic)?.keys() ?? [])].sort().filter((id) => cursor === null || id > cursor)
    const page = ids.slice(0, limit)
    const members = page.flatMap((id) => this.#members.get(topic)?.get(id)?.member ?? [])
    return { members, cursor: ids.length > limit ? (page.at(-1) ?? null) : null }
  }

  control(message: ControlMessage, keepMs: number): void {
    const kept = { message, until: this.#clock.monotonic() + keepMs }
    if (keepMs > 0) this.kept = [...this.keptNow(), kept]
    for (const client of this.clients) client.onControl(kept)
  }

  lease(name: string, ttlMs: number, node: string): boolean {
    const now = this.#clock.monotonic()
    const held = this.#leases.get(name)
    if (held !== undefined && held.node !== node && held.untilMs > now) return false
    this.#leases.set(name, { node, untilMs: now + ttlMs })
    return true
  }

  release(name: string, node: string): void {
    if (this.#leases.get(name)?.node === node) this.#leases.delete(name)
  }

  keptNow(): KeptMessage[] {
    return this.kept.filter(({ until }) => until > this.#clock.monotonic())
  }

  limits(history: StreamHistory): HistoryLimits | false {
    return history === undefined ? this.#defaultHistory : history
  }

  #find(stream: Stream, history: StreamHistory, create: boolean): ServerStream | null {
    const limits = this.limits(history)
    if (limits === false) return null
    const key = streamKey(stream)
    const now = this.#clock.monotonic()
    let found = this.#streams.get(key)
    if (found === undefined) {
      if (!create && history === undefined) return null
      found = { epoch: `e${++this.#epochs}`, offset: 0, entries: [], expiresAt: now + limits.ttlMs }
      this.#streams.set(key, found)
    }
    // Epoch and offset outlive the history.
    if (found.expiresAt <= now) found.entries = []
    return found
  }
}
