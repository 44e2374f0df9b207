import type { Clock } from '@twinwire/core'
import type { Timer } from '@twinwire/core/plugin'

interface Deadline {
  readonly dueMs: number
  readonly onExpired: () => void
}

/**
 * Deadlines of the same length, on one timer. A deadline expires one turn of the event loop after its time, so that replies that arrived
 * while this process was busy are read first; with a plain timer a busy process would treat a fast Redis as slow.
 */
export class DeadlineQueue {
  readonly #clock: Clock
  readonly #lengthMs: number
  /** In the order of their ends, because all have the same length. */
  readonly #deadlines = new Set<Deadline>()
  #timer: Timer | null = null

  constructor(clock: Clock, lengthMs: number) {
    this.#clock = clock
    this.#lengthMs = lengthMs
  }

  /** The returned function cancels the deadline. */
  add(onExpired: () => void): () => void {
    const deadline: Deadline = { dueMs: this.#clock.monotonic() + this.#lengthMs, onExpired }
    this.#deadlines.add(deadline)
    this.#timer ??= this.#clock.timer(this.#lengthMs, () => this.#onTimer())
    return () => void this.#deadlines.delete(deadline)
  }

  /** Expires all deadlines now. */
  flush(): void {
    this.#timer?.cancel()
    this.#timer = null
    for (const deadline of this.#deadlines) this.#expire(deadline)
  }

  #onTimer(): void {
    const now = this.#clock.monotonic()
    setImmediate(() => this.#expireUntil(now))
  }

  #expireUntil(now: number): void {
    this.#timer = null
    for (const deadline of this.#deadlines) {
      if (deadline.dueMs > now) {
        this.#timer = this.#clock.timer(deadline.dueMs - now, () => this.#onTimer())
        return
      }
      this.#expire(deadline)
    }
  }

  #expire(deadline: Deadline): void {
    this.#deadlines.delete(deadline)
    deadline.onExpired()
  }
}
