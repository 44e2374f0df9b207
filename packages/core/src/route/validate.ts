import { isPromise, type MaybePromise } from '../base/maybe-promise.ts'
import { type AnySchema, toIssues } from '../base/schema.ts'
import { ValidationError } from '../errors/app-error.ts'

/** Turns what a caller sent into what the handler gets; throws a ValidationError, or rejects with one. */
export type Validate = (input: unknown) => MaybePromise<unknown>

/** Null for a route without `input`: its handler gets `undefined`, whatever was sent. */
export function compileValidate(schema: AnySchema | null): Validate | null {
  if (schema === null) return null
  const { validate } = schema['~standard']
  type Result = Awaited<ReturnType<typeof validate>>
  const finish = (result: Result): unknown => {
    if (result.issues === undefined) return result.value
    throw new ValidationError(undefined, toIssues(result.issues))
  }
  return (input) => {
    const result = validate(input)
    // A Standard Schema answers now or by promise; only the latter has a `then`.
    return isPromise(result) ? result.then(finish) : finish(result as Result)
  }
}
