export interface RestartOptions {
  /** Pause before a worker that died again is started; each further death doubles it. The first death has none. Default 200 ms. */
  readonly delayMs?: number
  /** Longest pause. Default 30 s. */
  readonly maxDelayMs?: number
  /** A worker that served for this long starts without a pause when it dies. Default 10 s. */
  readonly stableMs?: number
  /** When no worker serves: how many starts in a row may fail until the cluster ends with exit code 1. Default 5. */
  readonly attempts?: number
}

/** When to start a worker that has died. One for each id. */
export class Restarts {
  readonly #options: Required<RestartOptions>
  #deaths = 0

  constructor(options: Required<RestartOptions>) {
    this.#options = options
  }

  /** The pause until the next start. `servedMs`: how long the worker served; 0 for one that did not. */
  nextDelayMs(servedMs: number): number {
    const { delayMs, maxDelayMs, stableMs } = this.#options
    if (servedMs >= stableMs) this.#deaths = 0
    this.#deaths += 1
    return this.#deaths === 1 ? 0 : Math.min(maxDelayMs, delayMs * 2 ** (this.#deaths - 2))
  }
}
