/** Captured when the module loads, so that fake timers of a test do not stop it. */
const { setImmediate } = globalThis

/** Beyond that, something starts another turn in each one, and nothing would ever come to rest. */
const maxTurns = 100_000

/** What Node.js waits for that ends by itself: immediates, and files. */
const passing = /^(?:Immediate|FSReq|CloseReq)/

/**
 * Resolves when everything that is ready has run: promises, `setImmediate`, reads and writes of files. Time does not pass meanwhile.
 *
 * Not seen, because Node.js does not report them: work of the thread pool in `zlib` and in `crypto`, sockets, child processes, workers.
 */
export async function untilAtRest(): Promise<void> {
  for (let turns = 0, quiet = 0; quiet < 2; turns++) {
    await new Promise<void>((resolve) => setImmediate(resolve))
    quiet = process.getActiveResourcesInfo().some((kind) => passing.test(kind)) ? 0 : quiet + 1
    if (turns > maxTurns) throw new Error(`The event loop has not come to rest within ${maxTurns} turns`)
  }
}
