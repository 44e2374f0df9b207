import type { Clock, Logger } from '@twinwire/core'
import type { BrokerNode, HistoryLimits, Position, Stream } from '@twinwire/core/transport'
import type { BrokerCells } from './broker-instruments.ts'
import type { StreamKeys } from './keys.ts'
import { decodePublication, type Message } from './message.ts'

type Placed = Extract<Message, { kind: 'placed' }>

/** Part of the history of a stream. */
export interface StreamPart {
  /** Of the last publication. */
  readonly position: Position
  /** In order; empty when `position` is of another epoch. */
  readonly entries: readonly { readonly offset: number; readonly text: string }[]
}

/** What receivers share. */
export interface ReceiverServices {
  readonly node: Pick<BrokerNode, 'deliver' | 'gap'>
  readonly log: Logger
  readonly clock: Clock
  readonly cells: BrokerCells
  /** What follows `since`, or a part of it. At most a few at once. */
  read(keys: StreamKeys, history: HistoryLimits, since: Position): Promise<StreamPart>
}

/** More wait in Redis, not here. */
const maxWaiting = 1000
const retryMs = 250

/**
 * Brings the messages of one stream in order: one that follows is delivered, one that was delivered is dropped, and a hole is filled from the history,
 * while what arrives waits. What the history does not have is a gap.
 */
export class StreamReceiver {
  readonly stream: Stream
  readonly keys: StreamKeys
  readonly history: HistoryLimits | false
  readonly #services: ReceiverServices
  #position: Position | null = null
  #state: 'starting' | 'live' | 'filling' | 'stopped' = 'starting'
  #waiting: Placed[] = []
  /** It has to be looked at again: messages were dropped, or the connection was lost. */
  #isDoubtful = false
  /** Of the clock that does not go back: when something arrived last. */
  heardMs: number

  constructor(stream: Stream, keys: StreamKeys, history: HistoryLimits | false, services: ReceiverServices) {
    this.stream = stream
    this.keys = keys
    this.history = history
    this.#services = services
    this.heardMs = services.clock.monotonic()
  }

  get isStopped(): boolean {
    return this.#state === 'stopped'
  }

  onMessage(message: Message): void {
    this.heardMs = this.#services.clock.monotonic()
    if (this.#state === 'stopped') return
    if (message.kind !== 'placed' && message.kind !== 'unplaced') return
    if (message.kind === 'placed' && this.history !== false) this.#onPlaced(message)
    // Also where a process with another rule for the topic has published it.
    else if (this.#state === 'live') this.#deliver(message.text, null)
  }

  /** What has arrived after `position` follows in a later turn, so that the caller can take the position first. */
  start(position: Position | null): void {
    this.#position = position
    if (position === null) this.#state = 'live'
    else setImmediate(() => this.#begin())
  }

  /** Compared with where Redis says that the stream is. */
  isBehind({ epoch, offset }: Position): boolean {
    const own = this.#position
    return own !== null && (own.epoch !== epoch || own.offset < offset)
  }

  /** Messages may have been lost. */
  doubt(): void {
    if (this.#state === 'stopped') return
    if (this.history === false) {
      if (this.#state === 'live') this.#gap(null)
      return
    }
    this.#isDoubtful = true
    if (this.#state === 'live') void this.#fill()
  }

  stop(): void {
    this.#state = 'stopped'
    this.#waiting = []
  }

  #begin(): void {
    if (this.#state !== 'starting') return
    this.#state = 'live'
    const waiting = this.#waiting
    this.#waiting = []
    for (const message of waiting) this.#onPlaced(message)
    if (this.#isDoubtful && this.#isLive()) void this.#fill()
  }

  #isLive(): boolean {
    return this.#state === 'live'
  }

  #onPlaced(message: Placed): void {
    if (this.#state === 'live' && this.#place(message)) return
    if (this.#waiting.length < maxWaiting) this.#waiting.push(message)
    else {
      this.#waiting = []
      this.#isDoubtful = true
    }
    if (this.#state === 'live') void this.#fill()
  }

  /** Delivers what follows, and drops what was delivered. False if something is missing before it. */
  #place({ epoch, offset, text }: Placed): boolean {
    const position = this.#position
    if (position === null || position.epoch !== epoch || offset > position.offset + 1) return false
    if (offset === position.offset + 1) this.#deliver(text, { epoch, offset })
    return true
  }

  async #fill(): Promise<void> {
    const { clock, log } = this.#services
    this.#state = 'filling'
    for (;;) {
      const since = this.#position
      if (this.history === false || since === null) return
      const seen = this.#waiting.length
      this.#isDoubtful = false
      try {
        const part = await this.#services.read(this.keys, this.history, since)
        if (this.isStopped) return
        if (!this.#apply(part)) continue
      } catch (error) {
        // Redis is away: its connection says so.
        log.debug({ err: error }, 'The history of a stream could not be read; it is read again')
        await new Promise<void>((resolve) => clock.timer(retryMs, resolve))
        if (this.isStopped) return
        this.#isDoubtful = true
        continue
      }
      if (this.#catchUp(seen)) break
    }
    if (!this.isStopped) this.#state = 'live'
  }

  /** True when everything up to the position of the part is delivered or given up. */
  #apply({ position, entries }: StreamPart): boolean {
    const own = this.#position
    if (own === null) return true
    if (position.epoch !== own.epoch) {
      // What the epoch has had so far may still be there.
      this.#gap({ epoch: position.epoch, offset: 0 })
      return position.offset === 0
    }
    let { offset } = own
    if (position.offset < offset) {
      this.#gap(position)
      return true
    }
    for (const entry of entries) {
      if (entry.offset !== offset + 1) break
      offset = entry.offset
      this.#services.cells.filled.inc()
      this.#deliver(entry.text, { epoch: own.epoch, offset })
      if (this.isStopped) return true
    }
    if (offset >= position.offset) return true
    if (offset === own.offset) {
      this.#gap(position)
      return true
    }
    return false
  }

  /** Of the messages that had arrived before the last read, those that do not follow are of the past. True if nothing is missing. */
  #catchUp(seen: number): boolean {
    if (this.isStopped) return true
    const waiting = this.#waiting
    this.#waiting = []
    for (const [i, message] of waiting.entries()) {
      if (this.isStopped) return true
      if (this.#place(message) || i < seen) continue
      this.#waiting = [...waiting.slice(i), ...this.#waiting]
      return false
    }
    return !this.#isDoubtful && this.#waiting.length === 0
  }

  #deliver(text: string, position: Position | null): void {
    const { node, log, cells } = this.#services
    if (position !== null) this.#position = position
    const publication = decodePublication(this.stream, text)
    if (publication === null) {
      log.error({ channel: this.keys.channel }, 'A publication in Redis is not one of this version of Twinwire')
      return this.#gap(position ?? this.#position)
    }
    cells.delivered.inc()
    try {
      node.deliver(publication, position)
    } catch (error) {
      log.error({ err: error }, 'The delivery of a publication failed')
    }
  }

  #gap(position: Position | null): void {
    this.#position = position
    this.#services.cells.lost.inc()
    this.#services.node.gap(this.stream, position)
  }
}
