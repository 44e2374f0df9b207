import { AsyncLocalStorage } from 'node:async_hooks'

interface Entry<T> {
  readonly value: T
  isOpen: boolean
  readonly outer: Entry<T> | null
}

/**
 * Carries a value through asynchronous work: code inside of `run`, and all that it starts, finds the value until the work of `run` has
 * settled. Runs may be nested. Background work that outlives its run no longer finds the value.
 *
 * @example
 * const transactions = new AsyncScope<Transaction>()
 * await transactions.run(transaction, async () => {
 *   transactions.find(({ database }) => database === mine) // transaction
 * })
 */
export class AsyncScope<T> {
  // Node pays for it from the first `run` on, an application that never calls it does not.
  readonly #storage = new AsyncLocalStorage<Entry<T>>()

  /** True outside of every `run`: then `find` need not be called, and no closure for it be made. */
  get isEmpty(): boolean {
    return this.#storage.getStore() === undefined
  }

  async run<R>(value: T, work: () => Promise<R>): Promise<R> {
    const entry: Entry<T> = { value, isOpen: true, outer: this.#storage.getStore() ?? null }
    try {
      return await this.#storage.run(entry, work)
    } finally {
      entry.isOpen = false
    }
  }

  /** The innermost value that matches, of the runs around this code that have not settled. */
  find(matches: (value: T) => boolean): T | null {
    for (let entry = this.#storage.getStore() ?? null; entry !== null; entry = entry.outer) {
      if (entry.isOpen && matches(entry.value)) return entry.value
    }
    return null
  }
}
