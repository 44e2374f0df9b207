import { randomUUID } from 'node:crypto'
import type { Entry, HistoryLimits, HistoryPage, Position, Stream } from '@twinwire/core/transport'
import { RedisError } from '@twinwire/redis'
import { inParallel } from './broker-options.ts'
import type { StreamKeys } from './keys.ts'
import { decodePublication } from './message.ts'
import type { RedisLink } from './redis-link.ts'
import { positionsScript, readScript } from './scripts/stream-scripts.ts'
import type { StreamPart } from './stream-receiver.ts'

/** Streams in one script: it blocks Redis for less than a millisecond. In a cluster a script has one stream. */
const chunkSize = 200
/** Publications in one reply. */
const pageSize = 100
/** Histories that are read at once, and scripts for positions: after a loss of the connection all streams are looked at. */
const width = 16

export interface StreamPlace {
  readonly keys: StreamKeys
  readonly history: HistoryLimits
}

interface Reading {
  readonly place: StreamPlace
  readonly resolve: (position: Position) => void
  readonly reject: (error: unknown) => void
}

/** Reads positions and histories, many together and few at once. What it reads is joined: its history is kept from then on. */
export class StreamReader {
  readonly #link: RedisLink
  #readings: Reading[] = []
  #reads = 0
  readonly #queue: (() => void)[] = []

  constructor(link: RedisLink) {
    this.#link = link
  }

  /** Together with the others of this turn of the event loop. */
  position(place: StreamPlace): Promise<Position> {
    return new Promise((resolve, reject) => {
      this.#readings.push({ place, resolve, reject })
      if (this.#readings.length > 1) return
      setImmediate(() => {
        const readings = this.#readings
        this.#readings = []
        void this.#readAll(readings)
      })
    })
  }

  /** What follows `since`: a page of it, and nothing when the epoch is another one. */
  async read({ keys, history }: StreamPlace, since: Position, limit: number = pageSize): Promise<StreamPart> {
    await this.#enter()
    try {
      const args = [newEpoch(), history.ttlMs, since.epoch, since.offset, Math.min(limit, pageSize)]
      return toPart(await this.#link.run('read', readScript, [keys.meta, keys.history], args))
    } finally {
      this.#reads -= 1
      this.#queue.shift()?.()
    }
  }

  /** At most `limit` publications; complete if they are all between `since` and the position. */
  async page(stream: Stream, place: StreamPlace, since: Position, limit: number): Promise<HistoryPage> {
    const entries: Entry[] = []
    let { offset } = since
    for (;;) {
      const part = await this.read(place, { epoch: since.epoch, offset }, limit - entries.length)
      const { position } = part
      const isReached = position.epoch === since.epoch && position.offset === offset
      if (isReached) return { entries, position, complete: true }
      const next = part.entries.filter((entry, i) => entry.offset === offset + 1 + i)
      for (const entry of next) {
        const publication = decodePublication(stream, entry.text)
        if (publication === null) return { entries: [], position, complete: false }
        entries.push({ publication, position: { epoch: since.epoch, offset: entry.offset } })
        offset = entry.offset
      }
      if (position.epoch === since.epoch && position.offset === offset) return { entries, position, complete: true }
      if (next.length === 0 || next.length < part.entries.length || entries.length >= limit)
        return { entries: [], position, complete: false }
    }
  }

  async #enter(): Promise<void> {
    if (this.#reads >= width) await new Promise<void>((resolve) => this.#queue.push(resolve))
    this.#reads += 1
  }

  async #readAll(readings: readonly Reading[]): Promise<void> {
    const size = this.#link.isCluster ? 1 : chunkSize
    const chunks = Array.from({ length: Math.ceil(readings.length / size) }, (_, i) =>
      readings.slice(i * size, (i + 1) * size),
    )
    await inParallel(chunks, width, async (chunk) => {
      try {
        const reply = await this.#link.run(
          'read',
          positionsScript,
          chunk.flatMap(({ place: { keys } }) => [keys.meta, keys.history]),
          [newEpoch(), ...chunk.map(({ place }) => place.history.ttlMs)],
        )
        const positions = toPositions(reply, chunk.length)
        for (const [i, { resolve, reject }] of chunk.entries()) {
          const position = positions[i]
          if (position === undefined) reject(unexpected())
          else resolve(position)
        }
      } catch (error) {
        for (const { reject } of chunk) reject(error)
      }
    })
  }
}

const newEpoch = (): string => randomUUID().slice(0, 13)
const unexpected = (): RedisError => new RedisError('error', 'Redis returned an unexpected reply to a reading')

function toPositions(reply: unknown, count: number): readonly Position[] {
  const parts = Array.isArray(reply) ? reply.map(String) : []
  if (parts.length !== 2 * count) throw unexpected()
  return Array.from({ length: count }, (_, i) => ({ epoch: parts[2 * i] ?? '', offset: Number(parts[2 * i + 1]) }))
}

function toPart(reply: unknown): StreamPart {
  const [epoch, offset, ...rest] = Array.isArray(reply) ? reply.map(String) : []
  if (epoch === undefined || offset === undefined) throw unexpected()
  const entries = Array.from({ length: rest.length / 2 }, (_, i) => ({
    offset: Number(rest[2 * i]),
    text: rest[2 * i + 1] ?? '',
  }))
  return { position: { epoch, offset: Number(offset) }, entries }
}
