/** Captured when the module loads, so that fake timers of a test do not stop it. */
const { setImmediate } = globalThis

/** Counts answers and ended sockets whose last byte the system has not taken yet. Core has finished with them. */
export class Unsent {
  /** The server is about to close: an answer ends its connection. */
  ending = false
  #count = 0
  #waiting: (() => void)[] = []

  add(): void {
    this.#count += 1
  }

  remove(): void {
    this.#count -= 1
    if (this.#count === 0) for (const wake of this.#waiting.splice(0)) wake()
  }

  /** Resolves when there are none. */
  async none(): Promise<void> {
    do {
      if (this.#count > 0) await new Promise<void>((resolve) => this.#waiting.push(resolve))
      // Promises may continue before a callback of uWS has returned, and what was written in it is corked until then.
      await new Promise((resolve) => setImmediate(resolve))
    } while (this.#count > 0)
  }
}
