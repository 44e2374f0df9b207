import type { Clock } from '@twinwire/core'
import type { Timer } from '@twinwire/core/plugin'

/**
 * Calls back when replies are pending and none has arrived for a given time. One timer, and none while nothing is pending. As in
 * `DeadlineQueue`, replies that arrived while this process was busy are read first.
 */
export class ReplyWatchdog {
  readonly #clock: Clock
  readonly #limitMs: number
  readonly #isPending: () => boolean
  readonly #onStalled: () => void
  #sinceMs = 0
  #timer: Timer | null = null
  #immediate: NodeJS.Immediate | null = null

  constructor(clock: Clock, limitMs: number, isPending: () => boolean, onStalled: () => void) {
    this.#clock = clock
    this.#limitMs = limitMs
    this.#isPending = isPending
    this.#onStalled = onStalled
  }

  /** A command was sent while no reply was pending. */
  start(): void {
    this.onReply()
    this.#timer ??= this.#clock.timer(this.#limitMs, () => this.#onTimer())
  }

  onReply(): void {
    this.#sinceMs = this.#clock.monotonic()
  }

  stop(): void {
    this.#timer?.cancel()
    this.#timer = null
    if (this.#immediate !== null) clearImmediate(this.#immediate)
    this.#immediate = null
  }

  #onTimer(): void {
    this.#timer = null
    if (this.#isStalled()) this.#immediate = setImmediate(() => this.#checkAgain())
  }

  #checkAgain(): void {
    this.#immediate = null
    // `start` was called meanwhile.
    if (this.#timer !== null) return
    if (this.#isStalled()) this.#onStalled()
  }

  /** Schedules the next check when replies are pending and there is time left. */
  #isStalled(): boolean {
    if (!this.#isPending()) return false
    const leftMs = this.#limitMs - (this.#clock.monotonic() - this.#sinceMs)
    if (leftMs <= 0) return true
    this.#timer = this.#clock.timer(leftMs, () => this.#onTimer())
    return false
  }
}
