/** Tells listeners that something has changed. */
export class Emitter<T = void> {
  readonly #listeners = new Set<(value: T) => void>()

  /** Returns what stops it. */
  on(listener: (value: T) => void): () => void {
    this.#listeners.add(listener)
    return () => {
      this.#listeners.delete(listener)
    }
  }

  emit(value: T): void {
    for (const listener of [...this.#listeners]) listener(value)
  }
}
