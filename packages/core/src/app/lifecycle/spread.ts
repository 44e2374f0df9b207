import type { Clock } from '../../base/clock.ts'

interface SpreadOptions {
  /** Duration in milliseconds. 0: all at once. */
  readonly spreadMs: number
  /** Deadline for the last item, at least `spreadMs`: a busy process may catch up until then. */
  readonly limitMs: number
}

const tickMs = 10

/**
 * Calls `act` for each item, spread evenly over `spreadMs`. A tick handles at most twice its share, so that a process that was blocked
 * catches up gradually instead of in a burst; only close to `limitMs` does a tick handle more.
 */
export function spread<T>(
  clock: Clock,
  items: readonly T[],
  { spreadMs, limitMs }: SpreadOptions,
  act: (item: T) => void,
): Promise<void> {
  if (items.length === 0 || spreadMs <= 0) {
    for (const item of items) act(item)
    return Promise.resolve()
  }
  const startMs = clock.monotonic()
  const perMs = items.length / spreadMs
  // Random, so that processes which close at the same time do not act in lockstep.
  const phase = Math.random()
  let done = 0
  return new Promise((resolve) => {
    const tick = (): void => {
      const elapsedMs = clock.monotonic() - startMs
      const leftMs = limitMs - elapsedMs
      const due = leftMs <= 0 ? items.length : Math.floor(elapsedMs * perMs + phase)
      const share = Math.max(2 * perMs * tickMs, ((items.length - done) * tickMs) / Math.max(leftMs, tickMs))
      const end = Math.min(items.length, due, done + Math.ceil(share))
      for (const item of items.slice(done, end)) act(item)
      done = Math.max(done, end)
      if (done === items.length) return resolve()
      const nextMs = (done + 1 - phase) / perMs
      clock.timer(Math.max(tickMs, nextMs - elapsedMs), tick)
    }
    tick()
  })
}
