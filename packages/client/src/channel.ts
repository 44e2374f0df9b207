/** Values that one side pushes and the other one reads in order. */
export class Channel<T> {
  readonly #values: T[] = []
  #end: { readonly error: unknown } | null = null
  #wake = (): void => {}

  push(value: T): void {
    this.#values.push(value)
    this.#wake()
  }

  /** The last value was pushed. `error`: thrown to the reader after all values. */
  end(error?: unknown): void {
    this.#end ??= { error }
    this.#wake()
  }

  async *read(): AsyncGenerator<T, void, undefined> {
    for (;;) {
      // What is pushed meanwhile is read by the next round.
      yield* this.#values.splice(0)
      if (this.#values.length > 0) continue
      if (this.#end?.error !== undefined) throw this.#end.error
      if (this.#end !== null) return
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }
}
