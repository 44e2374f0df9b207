import type { Clock, Timer } from '../../base/clock.ts'

interface Scheduled {
  readonly dueMs: number
  readonly run: () => void
}

/** The start of 2026: each schedule begins then. */
const startMs = Date.UTC(2026, 0, 1)

/** The time of a simulation: it goes from one timer to the next one, and none passes in between. */
export class SimulationClock implements Clock {
  // A Set keeps the order of insertion, which is the order among timers of one moment.
  readonly #timers = new Set<Scheduled>()
  #elapsedMs = 0

  now(): number {
    return Math.floor(startMs + this.#elapsedMs)
  }

  monotonic(): number {
    return this.#elapsedMs
  }

  timer(delayMs: number, run: () => void): Timer {
    // A delay that is not a positive number is 0, as for `setTimeout`.
    const timer: Scheduled = { dueMs: this.#elapsedMs + Math.max(delayMs || 0, 0), run }
    this.#timers.add(timer)
    return { cancel: () => void this.#timers.delete(timer) }
  }

  /** Advances to the next timer and runs it. False: there is none. Throws what it throws. */
  runNext(): boolean {
    let first: Scheduled | undefined
    for (const timer of this.#timers) if (first === undefined || timer.dueMs < first.dueMs) first = timer
    if (first === undefined) return false
    this.#timers.delete(first)
    this.#elapsedMs = first.dueMs
    first.run()
    return true
  }
}

/** The clock of one process: when the process is killed, its timers never run. */
export class ProcessClock implements Clock {
  readonly #clock: Clock
  readonly #timers = new Set<Timer>()
  #isStopped = false

  constructor(clock: Clock) {
    this.#clock = clock
  }

  now(): number {
    return this.#clock.now()
  }

  monotonic(): number {
    return this.#clock.monotonic()
  }

  timer(delayMs: number, run: () => void): Timer {
    if (this.#isStopped) return { cancel() {} }
    const timer = this.#clock.timer(delayMs, () => {
      this.#timers.delete(timer)
      run()
    })
    this.#timers.add(timer)
    return {
      cancel: () => {
        timer.cancel()
        this.#timers.delete(timer)
      },
    }
  }

  stop(): void {
    this.#isStopped = true
    for (const timer of this.#timers) timer.cancel()
    this.#timers.clear()
  }
}
