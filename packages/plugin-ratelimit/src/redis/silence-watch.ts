import type { Clock, Timer } from '@twinwire/core'

/** Tells when answers are due and nothing at all has come for a while. One timer, and none while nothing is due. */
export class SilenceWatch {
  readonly #clock: Clock
  readonly #limitMs: number
  readonly #isDue: () => boolean
  readonly #onSilent: () => void
  #sinceMs = 0
  #timer: Timer | null = null

  constructor(clock: Clock, limitMs: number, isDue: () => boolean, onSilent: () => void) {
    this.#clock = clock
    this.#limitMs = limitMs
    this.#isDue = isDue
    this.#onSilent = onSilent
  }

  /** Something was asked, and nothing was due before. */
  begin(): void {
    this.heard()
    this.#timer ??= this.#clock.timer(this.#limitMs, () => this.#look())
  }

  heard(): void {
    this.#sinceMs = this.#clock.monotonic()
  }

  stop(): void {
    this.#timer?.cancel()
    this.#timer = null
  }

  #look(): void {
    this.#timer = null
    if (!this.#isDue()) return
    const leftMs = this.#limitMs - (this.#clock.monotonic() - this.#sinceMs)
    if (leftMs <= 0) return this.#onSilent()
    this.#timer = this.#clock.timer(leftMs, () => this.#look())
  }
}
