import { isPromise, type MaybePromise } from '../base/maybe-promise.ts'
import { type AnySchema, type Issue, type Schema, toIssues } from '../base/schema.ts'
import { isSchema, toValibot, type ValibotSchema } from '../base/valibot.ts'
import { isStreamSchema } from '../call/item-stream.ts'
import { isPage, isPageSchema, isReply, type Page, type Reply, withItems, withValue } from '../call/reply.ts'
import { toBase64, toJsonValue } from '../protocol/json-value.ts'

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
  // Its items are sent one by one.
  if (isStreamSchema(schema)) return compileValue(schema.each, validate, compile)
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

/** Copies the keys of a schema from a value, in their JSON form. */
export type Projection = (value: unknown) => unknown

/** Scalars whose JSON form is themselves. A Date has its own `toJSON`. */
const plain = new Set([
  'string',
  'number',
  'boolean',
  'null',
  'date',
  'literal',
  'picklist',
  'enum',
  'nan',
  'undefined',
  'void',
  'never',
])
const wrappers = new Set([
  'optional',
  'exact_optional',
  'nullable',
  'nullish',
  'undefinedable',
  'non_optional',
  'non_nullable',
  'non_nullish',
])

/**
 * Sent as it is. Production does not validate, so an object in the place of a scalar must not be sent with all it contains: an account
 * instead of its id.
 */
const scalar: Projection = (value) => {
  if (isNested(value)) throw new TypeError('The result has an object where the output schema has a scalar')
  return value
}

function isNested(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !(value instanceof Date)
}

/**
 * Compiles a projection from the structure of a valibot schema. Null where a projection differs from the schema (a
 * transformation, a default, a fallback, a union of objects) and for other vendors: there the schema itself runs.
 */
export function compileProjection(schema: AnySchema): Projection | null {
  const structure = toValibot(schema)
  return structure === null ? null : compile(structure, 0)
}

/**
 * The same for a value that is serialised at once: an object of scalars with exactly the keys of the schema is not copied, which
 * saves 50 ns.
 */
export function compileReplyProjection(schema: AnySchema): Projection | null {
  const project = compileProjection(schema)
  const keys = project === null ? null : scalarKeys(toValibot(schema))
  if (project === null || keys === null) return project
  return (value) => (hasExactly(value, keys) ? value : project(value))
}

/** The keys of an object whose values are all sent as they are; else null. */
function scalarKeys(schema: ValibotSchema | null): readonly string[] | null {
  if (schema === null || (schema.type !== 'object' && schema.type !== 'strict_object')) return null
  const entries = Object.entries(schema.entries ?? {})
  return entries.every(([, entry]) => compile(entry, 1) === scalar) ? entries.map(([key]) => key) : null
}

/** True for a plain object with exactly these keys, in this order, and without `toJSON`. */
function hasExactly(value: unknown, keys: readonly string[]): boolean {
  if (typeof value !== 'object' || value === null || 'toJSON' in value) return false
  if (Object.getPrototypeOf(value) !== Object.prototype) return false
  let at = 0
  for (const key in value) {
    if (key !== keys[at++] || isNested((value as Record<string, unknown>)[key])) return false
  }
  return at === keys.length
}

/** Deep enough for any schema written by hand; a recursive one would never end. */
const maxDepth = 32

function compile(schema: ValibotSchema, depth: number): Projection | null {
  if (schema.async || depth > maxDepth || 'fallback' in schema) return null
  if (schema.pipe !== undefined && !isUnchanging(schema.pipe)) return null
  const { type } = schema
  if (type === 'picklist' && schema.options?.some(isBigint)) return toScalar
  if (plain.has(type)) return type === 'literal' && isBigint(schema.literal) ? String : scalar
  if (type === 'bigint') return String
  if (type === 'any' || type === 'unknown') return toJsonValue
  if (type === 'instance' || type === 'custom')
    return (value) => (value instanceof Uint8Array ? toBase64(value) : toJsonValue(value))
  if (wrappers.has(type)) return compileWrapper(schema, depth)
  if (type === 'array') return schema.item === undefined ? null : compileArray(schema.item, depth)
  if (type === 'object' || type === 'strict_object') return compileObject(schema, depth)
  if (type === 'record') return compileRecord(schema, depth)
  if (type === 'union') return compileUnion(schema, depth)
  return null
}

/** The first item of a pipe is a schema, which may be a pipe itself. */
function isUnchanging([first, ...actions]: NonNullable<ValibotSchema['pipe']>): boolean {
  if (actions.some(({ kind }) => kind === 'transformation' || kind === 'schema')) return false
  return !isSchema(first) || first.pipe === undefined || isUnchanging(first.pipe)
}

function compileWrapper({ wrapped, default: fallback }: ValibotSchema, depth: number): Projection | null {
  if (wrapped === undefined || fallback !== undefined) return null
  const project = compile(wrapped, depth + 1)
  if (project === null || project === scalar) return project
  return (value) => (value === undefined || value === null ? value : project(value))
}

function compileArray(item: ValibotSchema, depth: number): Projection | null {
  const project = compile(item, depth + 1)
  if (project === null) return null
  return (value) => {
    const items = value as readonly unknown[]
    const out = new Array<unknown>(items.length)
    for (let i = 0; i < items.length; i++) out[i] = project(items[i])
    return out
  }
}

function compileRecord({ key, value }: ValibotSchema, depth: number): Projection | null {
  // Only with any string as key: a restricted key type is a list of what may be sent, and a transformed one has to be transformed.
  if (!isSchema(key) || key.type !== 'string' || compile(key, depth + 1) === null || value === undefined) return null
  const project = compile(value, depth + 1)
  if (project === null) return null
  return (record) => Object.fromEntries(Object.entries(record as object).map(([key, item]) => [key, project(item)]))
}

function isBigint(value: unknown): value is bigint {
  return typeof value === 'bigint'
}

const toScalar: Projection = (value) => (isBigint(value) ? String(value) : scalar(value))

/** Of scalars only: only the schema can determine which object of a union a value is. */
function compileUnion({ options = [] }: ValibotSchema, depth: number): Projection | null {
  const projections = options.map((option) => (isSchema(option) ? compile(option, depth + 1) : null))
  if (projections.some((project) => project !== scalar && project !== String)) return null
  return projections.includes(String) ? toScalar : scalar
}

function compileObject({ entries }: ValibotSchema, depth: number): Projection | null {
  if (entries === undefined) return null
  const keys = Object.keys(entries)
  const projections: Projection[] = []
  for (const key of keys) {
    const project = compile(entries[key] as ValibotSchema, depth + 1)
    if (project === null) return null
    projections.push(project)
  }
  if (projections.every((project) => project === scalar)) return (value) => pick(value, keys)
  return (value) => {
    const source = value as Record<string, unknown>
    const out: Record<string, unknown> = {}
    for (let i = 0; i < keys.length; i++) {
      const key = keys[i] as string
      const item = source[key]
      if (item !== undefined) out[key] = (projections[i] as Projection)(item)
    }
    return out
  }
}

function pick(value: unknown, keys: readonly string[]): unknown {
  const source = value as Record<string, unknown>
  const out: Record<string, unknown> = {}
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i] as string
    const item = source[key]
    if (item !== undefined) out[key] = scalar(item)
  }
  return out
}
