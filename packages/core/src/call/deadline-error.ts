import type { AppError } from '../errors/app-error.ts'

/** Not a field of calls, most of which never wait for another one. */
const errors = new WeakMap<object, () => AppError>()

/** If the deadline of the call passes while `work` runs, the call is answered with `error` instead of `deadline_exceeded`. */
export async function withDeadlineError<T>(call: object, error: () => AppError, work: () => Promise<T>): Promise<T> {
  errors.set(call, error)
  try {
    return await work()
  } finally {
    errors.delete(call)
  }
}

/** Null: `deadline_exceeded`. */
export function deadlineErrorOf(call: object): AppError | null {
  return errors.get(call)?.() ?? null
}
