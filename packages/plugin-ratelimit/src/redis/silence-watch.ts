import type { Clock } from '@twinwire/core'
import type { Timer } from '@twinwire/core/plugin'

/**
 * Tells when answers are due and nothing at all has come for a while. One timer, and none while nothing is due. What came while this process
 * was busy is read first, as with a `DeadlineQueue`.
 */
export class SilenceWatch {
  readonly #clock: Clock
  readonly #limitMs: number
  readonly #isDue: () => boolean
  readonly #onSilent: () => void
  #sinceMs = 0
  #timer: Timer | null = null
  #turn: NodeJS.Immediate | null = null

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
    if (this.#turn !== null) clearImmediate(this.#turn)
    this.#turn = null
  }

  #look(): void {
    this.#timer = null
    if (this.#isSilent()) this.#turn = setImmediate(() => this.#lookAgain())
  }

  #lookAgain(): void {
    this.#turn = null
    // Something was asked anew meanwhile.
    if (this.#timer !== null) return
    if (this.#isSilent()) this.#onSilent()
  }

  /** When it is not, and answers are due, it is looked at again in time. */
  #isSilent(): boolean {
    if (!this.#isDue()) return false
    const leftMs = this.#limitMs - (this.#clock.monotonic() - this.#sinceMs)
    if (leftMs <= 0) return true
    this.#timer = this.#clock.timer(leftMs, () => this.#look())
    return false
  }
}
