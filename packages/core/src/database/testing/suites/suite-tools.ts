import { format } from 'node:util'
import type { MaybePromise } from '../../../base/maybe-promise.ts'
import type { TestRunner } from '../../../testing/test-runner.ts'
import { mapDatabaseError } from '../../errors.ts'

/** `test.each` of runners: one test for each case, whose values are put into the name. */
export function eachOf<const T>({ it }: Pick<TestRunner, 'it'>, cases: readonly T[]) {
  return (name: string, test: (value: T) => MaybePromise<void>): void => {
    for (const value of cases) it(format(name, ...(Array.isArray(value) ? value : [value])), () => test(value))
  }
}

/** The error of an application for work that must fail, as a plain object. */
export async function refused(work: Promise<unknown>): Promise<Readonly<Record<string, unknown>>> {
  const error: unknown = await work.then(
    () => Promise.reject(new Error('The work must fail, and has succeeded')),
    (reason: unknown) => mapDatabaseError(reason) ?? reason,
  )
  if (!(error instanceof Error) || !('code' in error)) throw error
  const { cause } = error
  return {
    ...error,
    code: error.code,
    message: error.message,
    cause: cause instanceof Error ? cause.message : null,
    details: 'details' in error ? error.details : null,
  }
}
