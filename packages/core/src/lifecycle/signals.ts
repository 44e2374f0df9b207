/** What `closeOnSignals` needs of an app. */
interface Closable {
  close(): Promise<void>
}

const signals = { SIGINT: 2, SIGTERM: 15 } as const

/**
 * Closes the app on SIGTERM and SIGINT and ends the process: with 0 when all went well, 1 when closing failed, and at once, with the
 * signal's own code, on a second signal. Returns what takes the handlers off again.
 *
 * @example
 * await app.listen({ port: 8000 })
 * closeOnSignals(app)
 */
export function closeOnSignals(app: Closable): () => void {
  let closing = false
  const listeners = Object.entries(signals).map(([signal, number]) => {
    const listener = (): void => {
      if (closing) process.exit(128 + number)
      closing = true
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
