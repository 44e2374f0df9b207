import { AsyncResource } from 'node:async_hooks'
import { randomUUID } from 'node:crypto'
import type { Timer } from '@twinwire/core/plugin'
import type { HistoryLimits, Position } from '@twinwire/core/transport'
import { RedisError } from '@twinwire/redis'
import type { StreamKeys } from './keys.ts'
import type { RedisLink } from './redis-link.ts'
import { publishScript } from './scripts/publish-script.ts'

/** One command takes this much at most. */
const maxBatch = { publications: 64, bytes: 256 * 1024 }
/** What one process holds while Redis does not answer. */
const maxHeld = { publications: 20_000, bytes: 64 * 1024 * 1024 }
const maxCommands = 512
/** How long a batch is remembered: longer than it is sent again. */
const batchTtlMs = 60_000
/** How long the key of a publication is remembered. */
const keyTtlMs = 600_000
/** How often publications are looked through whose time is over. */
const expiryMs = 250

export interface NewPublication {
  readonly keys: StreamKeys
  readonly history: HistoryLimits | false
  /** The history is kept also before a node has joined the stream. */
  readonly isKept: boolean
  readonly text: string
  readonly bytes: number
  readonly key: string | null
}

interface Held extends NewPublication {
  readonly deadlineMs: number
  isSettled: boolean
  readonly resolve: (position: Position | null) => void
  readonly reject: (error: RedisError) => void
}

/** The publications of one stream that Redis has not taken, in order. */
interface Queue {
  readonly waiting: Held[]
  /** Sent, and sent again until there is an answer: nothing of the stream is sent meanwhile. */
  sent: readonly Held[]
}

/**
 * Sends publications. In each stream one command is on its way; what is published meanwhile goes with the next one. Each has a number:
 * Redis ignores one that it knows, so that it can be sent again after a loss of the connection, and one that a later one has overtaken, so that
 * what had no answer in its time cannot come afterwards.
 */
export class Publisher {
  readonly #link: RedisLink
  readonly #processId: string
  readonly #queues = new Map<string, Queue>()
  /** Streams with something to send, when there are too many commands. */
  readonly #ready = new Set<string>()
  readonly #idle = new Set<() => void>()
  /** That of the boot: a batch of several callers belongs to none of them, and who fills a queue must not own all that follows. */
  readonly #context = new AsyncResource('RedisPublisher')
  #commands = 0
  #lastNumber = 0
  #heldPublications = 0
  #heldBytes = 0
  #timer: Timer | null = null

  constructor(link: RedisLink, processId: string) {
    this.#link = link
    this.#processId = processId
  }

  publish(publication: NewPublication): Promise<Position | null> {
    const { bytes, keys } = publication
    if (this.#heldPublications >= maxHeld.publications || this.#heldBytes + bytes > maxHeld.bytes) {
      const held = `${this.#heldPublications} publications of ${this.#heldBytes} bytes wait for Redis already`
      return Promise.reject(new RedisError('too_many_pending', `Not published: ${held}`))
    }
    return new Promise((resolve, reject) => {
      const deadlineMs = this.#link.clock.monotonic() + this.#link.timeoutMs
      const held: Held = { ...publication, deadlineMs, isSettled: false, resolve, reject }
      this.#heldPublications += 1
      this.#heldBytes += bytes
      this.#timer ??= this.#link.clock.timer(expiryMs, () => this.#expire())
      const queue = this.#queues.get(keys.channel)
      if (queue === undefined) {
        this.#queues.set(keys.channel, { waiting: [held], sent: [] })
        this.#context.runInAsyncScope(() => this.#send(keys.channel))
      } else queue.waiting.push(held)
    })
  }

  /** Resolves when everything is taken or refused: each publication is in its time. */
  async settle(): Promise<void> {
    if (this.#queues.size > 0) await new Promise<void>((resolve) => this.#idle.add(resolve))
  }

  #send(channel: string): void {
    const queue = this.#queues.get(channel)
    if (queue === undefined || queue.sent.length > 0) return
    if (queue.waiting.length === 0) {
      this.#queues.delete(channel)
      if (this.#queues.size > 0) return
      for (const done of this.#idle) done()
      this.#idle.clear()
      return
    }
    if (this.#commands >= maxCommands) {
      this.#ready.add(channel)
      return
    }
    this.#commands += 1
    queue.sent = takeBatch(queue.waiting)
    this.#sendBatch(queue.sent)
      .catch((error: unknown) => {
        const failure = this.#toFailure(error)
        for (const held of queue.sent) this.#settle(held, () => held.reject(failure))
      })
      .finally(() => {
        queue.sent = []
        this.#commands -= 1
        this.#send(channel)
        for (const next of this.#ready) {
          if (this.#commands >= maxCommands) break
          this.#ready.delete(next)
          this.#send(next)
        }
      })
  }

  #toFailure(error: unknown): RedisError {
    if (!(error instanceof RedisError)) return new RedisError('error', String(error))
    return error.code === 'error' ? error : new RedisError(error.code, `${this.#refusal}; it may have been published`)
  }

  get #refusal(): string {
    return `Redis did not take the publication within ${this.#link.timeoutMs} ms`
  }

  async #sendBatch(batch: readonly Held[]): Promise<void> {
    const [first] = batch
    const last = batch.at(-1)
    if (first === undefined || last === undefined) return
    const { keys, history, key, isKept } = first
    const { size, ttlMs } = history === false ? { size: 0, ttlMs: 1 } : history
    this.#lastNumber += 1
    const producer = keys.producer(this.#processId)
    const batchMs = Math.max(batchTtlMs, 4 * this.#link.timeoutMs)
    const reply = await this.#link.run(
      'publish',
      publishScript,
      [keys.meta, keys.history, producer, ...(key === null ? [] : [keys.publication(key)])],
      [
        ...[this.#lastNumber, randomUUID().slice(0, 13), size, ttlMs, batchMs, keyTtlMs],
        ...[keys.channel, this.#link.publishCommand, isKept ? 1 : 0],
        ...batch.map(({ text }) => text),
      ],
      last.deadlineMs,
    )
    const [state, epoch, offset] = Array.isArray(reply) ? reply.map(String) : []
    if (epoch === undefined || offset === undefined || state === 'overtaken')
      throw new RedisError('error', 'Redis returned an unexpected reply to a publication')
    for (const [i, held] of batch.entries()) {
      const position = epoch === '' ? null : { epoch, offset: Number(offset) - (batch.length - 1 - i) }
      this.#settle(held, () => held.resolve(position))
    }
  }

  #settle(held: Held, tell: () => void): void {
    if (held.isSettled) return
    held.isSettled = true
    this.#heldPublications -= 1
    this.#heldBytes -= held.bytes
    tell()
  }

  #expire(): void {
    this.#timer = null
    const now = this.#link.clock.monotonic()
    const within = this.#refusal
    for (const { sent, waiting } of this.#queues.values()) {
      for (const held of sent) {
        if (held.deadlineMs > now) continue
        this.#settle(held, () => held.reject(new RedisError('timeout', `${within}; it may have been published`)))
      }
      // In the order of their deadlines.
      while (waiting[0] !== undefined && waiting[0].deadlineMs <= now) {
        const held = waiting.shift()
        if (held !== undefined)
          this.#settle(held, () => held.reject(new RedisError('timeout', `${within}; it was not published`)))
      }
    }
    if (this.#queues.size > 0) this.#timer = this.#link.clock.timer(expiryMs, () => this.#expire())
  }
}

/** Those with one history and without keys go together; one with a key goes alone. */
function takeBatch(waiting: Held[]): readonly Held[] {
  const [first] = waiting
  if (first === undefined) return []
  let bytes = 0
  let count = 0
  for (const { history, key, isKept, bytes: size } of waiting) {
    const isLike = key === null && first.key === null && isKept === first.isKept && isSame(history, first.history)
    if (count > 0 && (!isLike || count === maxBatch.publications || bytes + size > maxBatch.bytes)) break
    count += 1
    bytes += size
  }
  return waiting.splice(0, count)
}

function isSame(a: HistoryLimits | false, b: HistoryLimits | false): boolean {
  if (a === false || b === false) return a === b
  return a.size === b.size && a.ttlMs === b.ttlMs
}
