import { format } from 'node:util'
import type { MaybePromise } from '../../../base/maybe-promise.ts'
import type { TestRunner } from '../../../testing/test-runner.ts'
import type { Database } from '../../database.ts'
import { mapDatabaseError } from '../../errors.ts'

/** `test.each` of runners: one test for each case, whose values are put into the name. */
export function eachOf<const T>(
  { it }: Pick<TestRunner, 'it'>,
  cases: readonly T[],
): (name: string, test: (value: T) => MaybePromise<void>) => void {
  return (name, test) => {
    const count = name.match(/%[a-z]/g)?.length ?? 0
    for (const value of cases) {
      const shown: readonly unknown[] = Array.isArray(value) ? value.slice(0, count) : [value]
      it(format(name, ...shown), () => test(value))
    }
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

const counted: readonly unknown[] = ['select', 'insert', 'update', 'delete', 'transaction']

/** The same handle, which notes what is sent through it. */
export function watch(db: Database): { readonly db: Database; readonly statements: string[] } {
  const statements: string[] = []
  const watched = new Proxy(db, {
    get(target, name, receiver) {
      if (typeof name === 'string' && counted.includes(name)) statements.push(name)
      return Reflect.get(target, name, receiver)
    },
  })
  return { db: watched, statements }
}
