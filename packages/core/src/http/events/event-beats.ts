import type { Clock, Timer } from '../../base/clock.ts'

/** A reader, as its heartbeats see it. */
export interface BeatReader {
  readonly serial: number
  /** Looks after it: sends a heartbeat when nothing was sent since the last time, and cuts a client that takes nothing. */
  beat(nowMs: number, sends: boolean): void
}

/** Readers are looked after in so many groups, one after the other: all at once would block a process with many. */
const slots = 8
/** How often readers without heartbeats are looked after. */
const withoutMs = 15_000

/** The heartbeats of all readers: one timer for each length, however many readers there are. */
export class EventBeats {
  readonly #clock: Clock
  readonly #byLength = new Map<number, Beat>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  add(reader: BeatReader, heartbeatMs: number): void {
    let beat = this.#byLength.get(heartbeatMs)
    if (beat === undefined) {
      beat = new Beat(this.#clock, heartbeatMs)
      this.#byLength.set(heartbeatMs, beat)
    }
    beat.add(reader)
  }

  remove(reader: BeatReader, heartbeatMs: number): void {
    const beat = this.#byLength.get(heartbeatMs)
    if (beat?.remove(reader)) this.#byLength.delete(heartbeatMs)
  }
}

class Beat {
  readonly #clock: Clock
  readonly #sends: boolean
  readonly #tickMs: number
  readonly #slots = Array.from({ length: slots }, () => new Set<BeatReader>())
  #size = 0
  #next = 0
  #timer: Timer | null = null

  constructor(clock: Clock, heartbeatMs: number) {
    this.#clock = clock
    this.#sends = heartbeatMs > 0
    // Each reader twice in a heartbeat: what was silent for a whole half has been silent for at most one whole.
    this.#tickMs = (heartbeatMs || withoutMs) / 2 / slots
  }

  add(reader: BeatReader): void {
    this.#slots[reader.serial % slots]?.add(reader)
    this.#size++
    this.#timer ??= this.#clock.timer(this.#tickMs, () => this.#tick())
  }

  /** Returns true if it was the last one. */
  remove(reader: BeatReader): boolean {
    if (this.#slots[reader.serial % slots]?.delete(reader)) this.#size--
    if (this.#size > 0) return false
    this.#timer?.cancel()
    return true
  }

  #tick(): void {
    this.#timer = this.#clock.timer(this.#tickMs, () => this.#tick())
    const nowMs = this.#clock.monotonic()
    for (const reader of this.#slots[this.#next] ?? []) reader.beat(nowMs, this.#sends)
    this.#next = (this.#next + 1) % slots
  }
}
