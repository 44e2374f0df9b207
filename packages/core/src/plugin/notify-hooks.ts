import { isPromise } from '../base/maybe-promise.ts'

/** Calls hooks that only observe. One that throws, or rejects as an async function does, is reported and does not stop the others. */
export function notifyHooks<A, B>(
  hooks: readonly ((first: A, second: B) => void)[],
  first: A,
  second: B,
  failed: (error: unknown) => void,
): void {
  for (const hook of hooks) {
    try {
      const result: unknown = hook(first, second)
      if (isPromise(result)) result.then(undefined, failed)
    } catch (error) {
      failed(error)
    }
  }
}
