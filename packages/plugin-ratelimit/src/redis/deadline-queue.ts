import type { Clock } from '@twinwire/core'
import type { Timer } from '@twinwire/core/plugin'

interface Waiting {
  readonly dueMs: number
  readonly onLate: () => void
}

/**
 * Deadlines of one length: one timer serves them all. Whoever is due gets one more turn of the event loop before it is late, so that
 * answers which came while this process was busy are read first; a plain timer would call a Redis slow that is not.
 */
export class DeadlineQueue {
  readonly #clock: Clock
  readonly #lengthMs: number
  /** In the order of their ends, since all are of one length. */
  readonly #waiting = new Set<Waiting>()
  #timer: Timer | null = null

  constructor(clock: Clock, lengthMs: number) {
    this.#clock = clock
    this.#lengthMs = lengthMs
  }

  /** The function takes it out again. */
  add(onLate: () => void): () => void {
    const waiting: Waiting = { dueMs: this.#clock.monotonic() + this.#lengthMs, onLate }
    this.#waiting.add(waiting)
    this.#timer ??= this.#clock.timer(this.#lengthMs, () => this.#look())
    return () => void this.#waiting.delete(waiting)
  }

  /** Whoever waits is late now. */
  flush(): void {
    this.#timer?.cancel()
    this.#timer = null
    for (const waiting of this.#waiting) this.#end(waiting)
  }

  #look(): void {
    const now = this.#clock.monotonic()
    setImmediate(() => this.#endUntil(now))
  }

  #endUntil(now: number): void {
    this.#timer = null
    for (const waiting of this.#waiting) {
      if (waiting.dueMs > now) {
        this.#timer = this.#clock.timer(waiting.dueMs - now, () => this.#look())
        return
      }
      this.#end(waiting)
    }
  }

  #end(waiting: Waiting): void {
    this.#waiting.delete(waiting)
    waiting.onLate()
  }
}
