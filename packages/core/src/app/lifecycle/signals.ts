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
 * npm forwards a signal to its child, which has also received it from the terminal or from systemd. Both arrive within milliseconds and
 * count as one.
 */
const repeatMs = 1000

/**
 * Closes the app on SIGTERM and SIGINT and exits: with code 0 on success, 1 if closing failed. A second signal
 * within 1,000 ms of the first is ignored, because npm and systemd may deliver each signal twice; a later one exits
 * at once with the code of the signal (130 or 143). Returns a function that removes the handlers.
 *
 * @example
 * await app.listen({ port: 8000 })
 * closeOnSignals(app)
 */
export function closeOnSignals(app: Closable): () => void {
  return watchSignals(app, process, systemClock)
}

/** `closeOnSignals` for any process and clock. */
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
