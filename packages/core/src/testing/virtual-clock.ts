import type { Clock, Timer } from '../base/clock.ts'

/** A clock that advances only when the test says so. */
export interface VirtualClock extends Clock {
  /**
   * Advances by `ms`: runs the timers of that time, earliest first, those of one moment in the order in which they were set, including
   * timers that are set meanwhile. Before each timer and at the end, everything that is ready runs (promises, and deliveries of the memory
   * transport). Rejects with what a timer throws. Await one call before the next.
   */
  advance(ms: number): Promise<void>
  /** Timers that have neither run nor been cancelled: shows that none leaks. */
  readonly pendingTimers: number
}

interface PendingTimer {
  readonly dueMs: number
  readonly callback: () => void
}

/** A full turn of the event loop; captured when the module loads, so that fake timers do not stop it. */
const afterThisTurn = setImmediate
const settle = (): Promise<void> => new Promise((resolve) => afterThisTurn(resolve))

/**
 * Creates a clock for tests. `startMs`: the first `now()`, in milliseconds since the epoch; default the start of 2026.
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
      // A delay that is not a positive number is 0, as for `setTimeout`.
      const timer: PendingTimer = { dueMs: elapsedMs + Math.max(delayMs || 0, 0), callback }
      timers.add(timer)
      return { cancel: () => void timers.delete(timer) }
    },
    async advance(ms) {
      if (!(ms >= 0)) throw new RangeError(`advance() takes a number of milliseconds of at least 0, received ${ms}`)
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
