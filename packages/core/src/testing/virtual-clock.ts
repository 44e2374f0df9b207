import type { Clock, Timer } from '../base/clock.ts'

/** A clock that stands still until it is told to go on. */
export interface VirtualClock extends Clock {
  /**
   * Lets `ms` pass: runs what falls due, earliest first, timers of one moment in the order in which they were set, timers set
   * on the way included. Before each timer and at the end, everything that is ready to run (promises, and deliveries of the
   * memory transport) gets its turn. Rejects with what a timer throws; await one call before the next.
   */
  advance(ms: number): Promise<void>
  /** Timers that are set and have neither run nor been cancelled: a test's proof that none leaks. */
  readonly pendingTimers: number
}

interface PendingTimer {
  readonly dueMs: number
  readonly callback: () => void
}

/** A full turn of the event loop; taken when the module loads, so that fake timers do not stop it. */
const afterThisTurn = setImmediate
const settle = (): Promise<void> => new Promise((resolve) => afterThisTurn(resolve))

/**
 * Creates the clock that tests drive. `startMs` is what `now()` says at first: milliseconds since the epoch, the start of 2026
 * when left out.
 *
 * @example
 * const clock = createVirtualClock()
 * clock.timer(5_000, () => socket.end(4002, ''))
 * await clock.advance(5_000)
 */
export function createVirtualClock(startMs: number = Date.UTC(2026, 0, 1)): VirtualClock {
  // A Set keeps the order of insertion, which is the order among timers of one moment.
  const timers = new Set<PendingTimer>()
  let elapsedMs = 0

  const earliest = (untilMs: number): PendingTimer | undefined => {
    let first: PendingTimer | undefined
    for (const timer of timers) {
      if (timer.dueMs <= untilMs && (first === undefined || timer.dueMs < first.dueMs)) first = timer
    }
    return first
  }

  return {
    now: () => startMs + elapsedMs,
    monotonic: () => elapsedMs,
    timer(delayMs, callback): Timer {
      // What is no positive number is due at once, as it is for `setTimeout`.
      const timer: PendingTimer = { dueMs: elapsedMs + Math.max(delayMs || 0, 0), callback }
      timers.add(timer)
      return { cancel: () => void timers.delete(timer) }
    },
    async advance(ms) {
      if (!(ms >= 0)) throw new RangeError(`a clock cannot go back: advance(${ms})`)
      const untilMs = elapsedMs + ms
      await settle()
      for (let next = earliest(untilMs); next !== undefined; next = earliest(untilMs)) {
        timers.delete(next)
        elapsedMs = Math.max(elapsedMs, next.dueMs)
        next.callback()
        await settle()
      }
      elapsedMs = Math.max(elapsedMs, untilMs)
    },
    get pendingTimers() {
      return timers.size
    },
  }
}
