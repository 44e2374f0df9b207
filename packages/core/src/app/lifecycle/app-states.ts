import type { Logger } from '../../base/logger.ts'
import { isPromise } from '../../base/maybe-promise.ts'

/** In the order in which an app passes through them. */
export type AppState = 'created' | 'starting' | 'ready' | 'serving' | 'draining' | 'closed'

/** The current state of an app, and its `onState` listeners. */
export class AppStates {
  readonly #log: Logger
  readonly #listeners = new Set<(state: AppState) => void>()
  #current: AppState = 'created'

  constructor(log: Logger) {
    this.#log = log
  }

  get current(): AppState {
    return this.#current
  }

  /** Returns a function that removes the listener. */
  listen(listener: (state: AppState) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Calls every listener; the error of one is logged and does not affect the others. */
  enter(state: AppState): void {
    this.#current = state
    const failed = (error: unknown): void => this.#log.error({ err: error, state }, 'A listener of onState failed')
    for (const listener of [...this.#listeners]) {
      try {
        // The types allow an async listener.
        const result: unknown = listener(state)
        if (isPromise(result)) result.then(undefined, failed)
      } catch (error) {
        failed(error)
      }
    }
  }
}
