import type { Clock } from '../../base/clock.ts'

interface SpreadOptions {
  /** Over how long. 0: all at once. */
  readonly spreadMs: number
  /** When all must have been done, at least `spreadMs`: what a busy process is behind with may take until then. */
  readonly limitMs: number
}

const tickMs = 10

/**
 * Does something to each item, evenly over a time. A tick does at most twice its even share, so that a process that is held up
 * makes up for it little by little and not by a burst; only when `limitMs` comes close does it do more.
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
  // No two processes that do this together fall into step.
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
