import { randomUUID } from 'node:crypto'
import type { Publication } from '../call/publication.ts'
import type { Entry, HistoryLimits, HistoryPage, Position, Stream, StreamHistory } from './broker.ts'
import { isLargerThan } from './entry-size.ts'
import { streamKey } from './stream-key.ts'

/** What is remembered of a stream. Times are of the clock that does not go back. */
interface KeptStream {
  readonly epoch: string
  offset: number
  entries: Entry[]
  /** Until then the entries may be read. */
  entriesUntil: number
  /** Until then publications are kept, for a stream whose topic declares no history: as long as it is subscribed to, and a little longer. */
  wantedUntil: number
}

/** So much longer than the entries: a client that comes back to a silent stream is told that it has missed nothing. */
const positionMs = 24 * 60 * 60 * 1000
/** Streams whose position is remembered; beyond that those that were first are forgotten, unless they are subscribed to. */
const maxStreams = 100_000
/** Streams that are looked at for each publication: what has expired is dropped in passing. */
const sweptAtOnce = 2

/** The histories of a `memoryBroker`. */
export class MemoryHistory {
  readonly #default: HistoryLimits | false
  readonly #maxEntryBytes: number
  readonly #streams = new Map<string, KeptStream>()
  #sweep: Iterator<[string, KeptStream]> = this.#streams.entries()

  constructor(limits: HistoryLimits | false, maxEntryBytes: number) {
    this.#default = limits
    this.#maxEntryBytes = maxEntryBytes
  }

  /** Streams whose position is remembered. */
  get size(): number {
    return this.#streams.size
  }

  /** False: no stream with these limits has a history, which is the usual case and costs nothing. */
  mayKeep(history: StreamHistory): boolean {
    return history !== undefined || this.#streams.size > 0
  }

  /** Null for a stream without history, and for one that no client has asked for and no topic declares. */
  append(publication: Publication, history: StreamHistory, now: number): Position | null {
    const limits = this.#limits(history)
    if (limits === null) return null
    const kept = this.#find(publication.audience, history !== undefined, limits, now)
    if (kept === null) return null
    this.#checkSize(publication)
    const position = { epoch: kept.epoch, offset: ++kept.offset }
    if (history === undefined && now >= kept.wantedUntil) {
      // No connection has come back to it: it is counted, and not kept.
      kept.entries = []
      return position
    }
    kept.entries.push({ publication, position })
    if (kept.entries.length > limits.size) kept.entries.shift()
    kept.entriesUntil = now + limits.ttlMs
    return position
  }

  /** @throws Error for one that is too large for a stream with these limits, which may have a history by the time it is published */
  check(publication: Publication, history: StreamHistory): void {
    if (this.#limits(history) !== null) this.#checkSize(publication)
  }

  subscribe(stream: Stream, history: StreamHistory, now: number): Position | null {
    const limits = this.#limits(history)
    const kept = limits === null ? null : this.#find(stream, true, limits, now)
    if (kept === null) return null
    kept.wantedUntil = Number.POSITIVE_INFINITY
    return { epoch: kept.epoch, offset: kept.offset }
  }

  unsubscribe(stream: Stream, now: number): void {
    const kept = this.#streams.get(streamKey(stream))
    if (kept !== undefined && this.#default !== false) kept.wantedUntil = now + this.#default.ttlMs
  }

  read(stream: Stream, history: StreamHistory, since: Position | null, limit: number, now: number): HistoryPage | null {
    const limits = this.#limits(history)
    const kept = limits === null ? null : this.#find(stream, true, limits, now)
    if (kept === null || limits === null) return null
    kept.wantedUntil = Math.max(kept.wantedUntil, now + limits.ttlMs)
    const position = { epoch: kept.epoch, offset: kept.offset }
    if (since === null) return { entries: [], position, complete: true }
    const missed = kept.offset - since.offset
    const complete = since.epoch === kept.epoch && missed >= 0 && missed <= Math.min(kept.entries.length, limit)
    return { entries: complete && missed > 0 ? kept.entries.slice(-missed) : [], position, complete }
  }

  clear(): void {
    this.#streams.clear()
  }

  #checkSize({ data }: Publication): void {
    if (!isLargerThan(data, this.#maxEntryBytes)) return
    throw new Error(
      `The data of a publication has more than ${this.#maxEntryBytes} bytes, the most that the history of its stream may hold: publish less at once, or set history: false for its topic`,
    )
  }

  #limits(history: StreamHistory): HistoryLimits | null {
    const limits = history === undefined ? this.#default : history
    return limits === false ? null : limits
  }

  #find(stream: Stream, create: boolean, limits: HistoryLimits, now: number): KeptStream | null {
    for (let i = 0; i < sweptAtOnce; i++) this.#dropNext(now)
    const key = streamKey(stream)
    const known = this.#streams.get(key)
    if (known !== undefined && !isForgotten(known, now)) {
      if (known.entriesUntil <= now) known.entries = []
      return known
    }
    if (!create) return null
    const until = now + limits.ttlMs
    const kept = { epoch: randomUUID(), offset: 0, entries: [], entriesUntil: until, wantedUntil: until }
    // As the newest one.
    this.#streams.delete(key)
    this.#streams.set(key, kept)
    if (this.#streams.size > maxStreams) this.#dropOldest()
    return kept
  }

  #dropNext(now: number): void {
    const { value } = this.#sweep.next()
    if (value === undefined) {
      this.#sweep = this.#streams.entries()
      return
    }
    const [key, kept] = value
    if (isForgotten(kept, now)) this.#streams.delete(key)
    else if (kept.entriesUntil <= now) kept.entries = []
  }

  #dropOldest(): void {
    for (const [key, { wantedUntil }] of this.#streams) {
      if (wantedUntil === Number.POSITIVE_INFINITY) continue
      this.#streams.delete(key)
      return
    }
  }
}

function isForgotten({ entriesUntil, wantedUntil }: KeptStream, now: number): boolean {
  return Math.max(entriesUntil, wantedUntil) + positionMs <= now
}
