/** Runs one piece of work at a time, in order. */
export class Turns {
  readonly #waiting: (() => Promise<void>)[] = []
  #busy = false

  /** `work` must not throw before it returns its promise. */
  run<T>(work: () => Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const turn = (): Promise<void> => work().then(resolve, reject)
      if (this.#busy) this.#waiting.push(turn)
      else void this.#work(turn)
    })
  }

  async #work(first: () => Promise<void>): Promise<void> {
    this.#busy = true
    for (let turn: typeof first | undefined = first; turn !== undefined; turn = this.#waiting.shift()) await turn()
    this.#busy = false
  }
}
