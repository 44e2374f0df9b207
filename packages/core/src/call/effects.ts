import { isPromise } from '../util/maybe-promise.ts'

/** What a call wants to happen once its transaction has committed, or, without one, once it has succeeded. */
export class Effects {
  readonly #onError: (error: unknown) => void
  #list: (() => void | Promise<void>)[] = []
  #holds = 0

  constructor(onError: (error: unknown) => void) {
    this.#onError = onError
  }

  /** True inside a transaction. */
  get held(): boolean {
    return this.#holds > 0
  }

  add(effect: () => void | Promise<void>): void {
    this.#list.push(effect)
  }

  /** How many wait: what `rewind` goes back to. */
  get mark(): number {
    return this.#list.length
  }

  /** Drops what was added since. */
  rewind(mark: number): void {
    this.#list.length = Math.min(this.#list.length, mark)
  }

  /** A transaction begins. Returns what undoes it: what is added from now on. */
  hold(): number {
    this.#holds++
    return this.#list.length
  }

  /** The transaction that `hold` began is over. The outermost commit runs the effects; a rollback drops those that came in it. */
  unhold(mark: number, committed: boolean): Promise<void> | undefined {
    this.#holds--
    if (!committed) this.rewind(mark)
    return committed && this.#holds === 0 ? this.release() : undefined
  }

  /** Runs all, in order, each after the one before. */
  release(): Promise<void> | undefined {
    if (this.#list.length === 0) return undefined
    const list = this.#list
    this.#list = []
    return this.#run(list)
  }

  drop(): void {
    // Within a transaction that still runs, its own end decides.
    if (this.#holds === 0) this.#list = []
  }

  async #run(list: readonly (() => void | Promise<void>)[]): Promise<void> {
    for (const effect of list) {
      try {
        const result = effect()
        if (isPromise(result)) await result
      } catch (error) {
        this.#onError(error)
      }
    }
  }
}
