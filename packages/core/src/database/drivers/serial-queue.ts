type Work = () => Promise<void>

/** Runs one piece of work at a time, in order. */
export class SerialQueue {
  readonly #waiting: Work[] = []
  #isBusy = false

  /** `work` must not throw before it returns its promise. */
  run<T>(work: () => Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const next: Work = () => work().then(resolve, reject)
      if (this.#isBusy) this.#waiting.push(next)
      else void this.#work(next)
    })
  }

  async #work(first: Work): Promise<void> {
    this.#isBusy = true
    for (let next: Work | undefined = first; next !== undefined; next = this.#waiting.shift()) await next()
    this.#isBusy = false
  }
}
