/** Taken when the module loads: fake timers of a test do not stop it. */
const { setImmediate } = globalThis

/** Counts answers and ended sockets, which core is done with, until the system has taken their last byte. */
export class Unsent {
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
      // Promises go on before a callback of uWS has returned, and what was written within it is corked until then (rule 5).
      await new Promise((resolve) => setImmediate(resolve))
    } while (this.#count > 0)
  }
}
