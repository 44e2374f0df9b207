import type { MaybePromise } from './maybe-promise.ts'

/** Read once: the global is a getter, which costs a fourth of a reading (10 ns, twice a call). */
const { performance } = globalThis

/** A timer that has been set. */
export interface Timer {
  /** Idempotent; after it the callback never runs. */
  cancel(): void
}

/** The time source of all modules and plugins. Tests use a virtual clock. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number
  /** Milliseconds since an arbitrary start, with fractions, never going back: for durations. */
  monotonic(): number
  /** Runs `callback` once after `delayMs`. A timer never keeps the process alive. */
  timer(delayMs: number, callback: () => void): Timer
}

/** Longest delay that `setTimeout` supports; with a longer one it fires at once. */
const maxDelayMs = 2 ** 31 - 1

/** The clock of the machine. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  timer(delayMs, callback) {
    const handle = setTimeout(callback, Math.min(delayMs, maxDelayMs))
    handle.unref()
    return { cancel: () => clearTimeout(handle) }
  },
}

/** Rejects with an error that starts with `what` if `work` takes longer than `timeoutMs`. The work itself is not interrupted. */
export function withTimeout<T>(clock: Clock, timeoutMs: number, what: string, work: () => MaybePromise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = clock.timer(timeoutMs, () => reject(new Error(`${what} took longer than ${timeoutMs} ms`)))
    Promise.resolve()
      .then(work)
      .then(resolve, reject)
      .finally(() => timer.cancel())
  })
}
