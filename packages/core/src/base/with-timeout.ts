import type { Clock } from './clock.ts'
import type { MaybePromise } from './maybe-promise.ts'

/** Rejects with an error that starts with `what` if `work` takes longer than `timeoutMs`. The work itself is not interrupted. */
export function withTimeout<T>(clock: Clock, timeoutMs: number, what: string, work: () => MaybePromise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = clock.timer(timeoutMs, () => reject(new Error(`${what} took longer than ${timeoutMs} ms`)))
    Promise.resolve()
      .then(work)
      .then(resolve, reject)
      .finally(() => timer.cancel())
  })
}
