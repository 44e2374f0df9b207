import process from 'node:process'
import { type Clock, systemClock } from '../../base/clock.ts'

/** What `closeOnSignals` needs of an app. */
interface Closable {
  close(): Promise<void>
}

/** What it needs of a process. */
interface SignalledProcess {
  on(signal: NodeJS.Signals, listener: () => void): unknown
  off(signal: NodeJS.Signals, listener: () => void): unknown
  exit(code: number): unknown
}

const signals = [
  ['SIGINT', 2],
  ['SIGTERM', 15],
] as const

/**
 * npm passes a signal on to its child, which has got it from the terminal or from systemd as well: both arrive within
 * milliseconds, and only one of them was meant.
 */
const repeatMs = 1000

/**
 * Closes the app on SIGTERM and SIGINT and ends the process: with 0 when all went well, 1 when closing failed. A second signal
 * within 1,000 ms of the first is ignored, because npm and systemd deliver each signal twice; a later one ends the process at
 * once, with the signal's own code (130 or 143). Returns a function that removes the handlers.
 *
 * @example
 * await app.listen({ port: 8000 })
 * closeOnSignals(app)
 */
export function closeOnSignals(app: Closable): () => void {
  return watchSignals(app, process, systemClock)
}

/** `closeOnSignals` of any process, by any clock. */
export function watchSignals(app: Closable, process: SignalledProcess, clock: Clock): () => void {
  let firstMs: number | null = null
  const listeners = signals.map(([signal, number]) => {
    const listener = (): void => {
      if (firstMs !== null) {
        if (clock.monotonic() - firstMs >= repeatMs) process.exit(128 + number)
        return
      }
      firstMs = clock.monotonic()
      app.close().then(
        () => process.exit(0),
        () => process.exit(1),
      )
    }
    process.on(signal, listener)
    return [signal, listener] as const
  })
  return () => {
    for (const [signal, listener] of listeners) process.off(signal, listener)
  }
}
