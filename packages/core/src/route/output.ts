import { isPromise, type MaybePromise } from '../base/maybe-promise.ts'
import { type AnySchema, type Issue, type Schema, toIssues } from '../base/schema.ts'
import { isPage, isPageSchema, type Page, withItems } from '../call/page.ts'
import { isReply, type Reply, withValue } from '../call/reply.ts'
import { toJsonValue } from '../protocol/json-value.ts'
import { compileProjection, compileReplyProjection, type Projection } from './project.ts'

/** Turns the result of a handler into what is sent. Throws an `OutputMismatch` for what the schema rejects. */
export type Output = (value: unknown) => MaybePromise<unknown>

/** A result that does not match the route's `output`: a bug of the application, answered with `internal_error` and logged. */
class OutputMismatch extends Error {
  override readonly name = 'OutputMismatch'
  readonly issues: readonly Issue[]
  constructor(issues: readonly Issue[]) {
    super(
      `The result does not match the output schema: ${issues.map(({ path, message }) => `${path || '(whole)'}: ${message}`).join('; ')}`,
    )
    this.issues = issues
  }
}

const uncheckedMark: unique symbol = Symbol('twinwire.unchecked')

/**
 * An `output` that only gives types: the result goes out as it is, neither projected nor validated.
 *
 * @example
 * route({ output: unchecked(v.object({ id: v.number() })), handler: () => ({ id: 1 }) })
 */
export function unchecked<S extends AnySchema>(schema: S): S {
  // A copy that still is the schema, so that its types are kept; `compileOutput` checks for the mark.
  return Object.assign(Object.create(schema) as S, { [uncheckedMark]: true })
}

/**
 * Compiles the last stage of a route. `validate` (development and test) runs the schema as well, so that a mismatch is found
 * before production; there, results are only projected where the structure of the schema allows it. `check` throws for a `reply` that the
 * route cannot send.
 */
export function compileOutput(
  schema: AnySchema | null,
  validate: boolean,
  check: (reply: Reply<unknown>) => void = () => {},
): Output {
  const output = compileValue(schema, validate, compileReplyProjection)
  return (result) => {
    if (!isReply(result)) return output(result)
    check(result)
    if (result.kind !== 'value') return result
    const rewrap = (value: unknown): unknown => withValue(result, value)
    const value = output(result.value)
    return isPromise(value) ? value.then(rewrap) : rewrap(value)
  }
}

/** The same for a value that is not a `reply`, and for the data of an event. */
export function compileValue(
  schema: AnySchema | null,
  validate: boolean,
  compile: (schema: AnySchema) => Projection | null = compileProjection,
): Output {
  if (schema === null || uncheckedMark in schema) return toJson
  if (isPageSchema(schema)) return compilePage(compileValue(schema.item, validate, compile))
  const project = compile(schema)
  if (project === null) return (value) => run(schema, value, toJsonValue)
  return validate ? (value) => run(schema, value, () => project(value)) : project
}

/** Without `output`, the items of a page are converted, its meta is plain JSON. */
function toJson(value: unknown): unknown {
  return isPage(value) ? withItems(value, value.items.map(toJsonValue)) : toJsonValue(value)
}

function compilePage(item: Output): Output {
  return (value) => {
    if (!isPage(value)) throw new OutputMismatch([{ path: '', message: 'return page(items, meta)' }])
    const items = value.items.map(item)
    const toPage = (done: readonly unknown[]): Page<unknown> => withItems(value, done)
    return items.some(isPromise) ? Promise.all(items).then(toPage) : toPage(items)
  }
}

function run(schema: Schema, value: unknown, form: (valid: unknown) => unknown): MaybePromise<unknown> {
  const result = schema['~standard'].validate(value)
  const finish = (done: Awaited<typeof result>): unknown => {
    if (done.issues !== undefined) throw new OutputMismatch(toIssues(done.issues))
    return form(done.value)
  }
  return isPromise(result) ? result.then(finish) : finish(result as Awaited<typeof result>)
}
