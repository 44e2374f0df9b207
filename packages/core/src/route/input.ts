import type { AnySchema, Issue } from '../base/schema.ts'
import type { QueryRecord } from '../call/call.ts'
import type { InputReader } from '../call/compiled-route.ts'
import { AppError, InternalError, ValidationError } from '../errors/app-error.ts'
import type { Result } from '../errors/result.ts'
import { findUnsafe } from '../protocol/safe-value.ts'
import { type Coercion, compileCoercion, readOnlyKeys } from './coerce.ts'
import { pathParameters } from './path-pattern.ts'
import type { ParameterType } from './route-types.ts'

export interface InputOptions {
  /** Of the route's input; null when it has none: then the input is undefined, unless `map` makes one. */
  readonly schema: AnySchema | null
  readonly pattern: string
  /** Does the method have a body (POST, PUT, PATCH)? Then the query has only the keys of `queryKeys`. */
  readonly hasBody: boolean
  readonly queryKeys: readonly string[]
  readonly overrides?: Readonly<Record<string, ParameterType>>
  /** Makes the input where the two wires differ in shape. Gets path and query, coerced, joined with the body's keys if there is one. */
  readonly map?: ((query: Readonly<Record<string, unknown>>) => unknown) | undefined
  /** `ignore`: what neither the schema nor the route names is left out, in query and body. Default `validate`. */
  readonly unknownKeys?: 'validate' | 'ignore'
}

type Fields = Record<string, unknown>

/**
 * Compiles how a route's input is put together. The path wins; the same key elsewhere with another value is refused, and
 * so is a query key that a method with a body did not name. A body that is no object can only be the input as a whole:
 * where the path or the query may say something it is refused. No body is an empty object, as a package without `data` is.
 * With `unknownKeys: 'ignore'` keys that the schema would refuse for being unknown do not reach it.
 *
 * @throws BootError `bad_path`, `bad_route`
 *
 * @example
 * const read = compileInput({ schema: v.object({ id: v.number(), name: v.string() }), pattern: '/authors/:id', hasBody: true, queryKeys: [] })
 * read({ id: '7' }, {}, { kind: 'json', value: { name: 'Ursula' }, hadEscapes: false })
 * // { ok: true, value: { id: 7, name: 'Ursula' } }
 */
export function compileInput(options: InputOptions): InputReader {
  const { schema, hasBody, map } = options
  const queryKeys = new Set(options.queryKeys)
  const coerce = compileCoercion(schema, options.overrides)
  const bodyOnly = hasBody && queryKeys.size === 0 && pathParameters(options.pattern).length === 0
  const mapped = map === undefined ? succeed : (input: unknown) => applyMap(map, input)
  const ignores = options.unknownKeys === 'ignore'
  const onlyKeys = ignores ? readOnlyKeys(schema) : null
  const finish = onlyKeys === null ? mapped : (input: unknown) => keepKeys(mapped(input), onlyKeys)
  const isIgnored = schema === null && map === undefined

  return (params, wholeQuery, body) => {
    const query = hasBody && ignores ? pickKeys(wholeQuery, queryKeys) : wholeQuery
    if (hasBody) {
      const issues = unexpectedKeys(query, queryKeys)
      if (issues !== null) return refuse(issues)
    }
    if (isIgnored) return succeed(undefined)
    if (body.kind === 'json' || body.kind === 'raw') {
      const issue = body.kind === 'json' ? findUnsafe(body.value, body.hadEscapes) : null
      if (issue !== null) return refuse([issue])
      if (bodyOnly && body.kind === 'json') return finish(body.value)
      const fields = body.kind === 'json' ? body.value : { body: body.value }
      if (!isFields(fields)) return refuse([{ path: '', message: 'The body has to be an object' }])
      return joinBody(coerce, params, query, fields, finish)
    }
    const texts = joinTexts(params, query, body.kind === 'form' ? body.value : null)
    return texts.ok ? finish(coerce(texts.value)) : texts
  }
}

/** Texts against texts: they are compared as they were written, before any type is made of them. */
function joinTexts(params: QueryRecord, query: QueryRecord, form: QueryRecord | null): Result<QueryRecord> {
  if (form === null && isEmpty(query)) return { ok: true, value: params }
  if (form === null && isEmpty(params)) return { ok: true, value: query }
  const texts: Record<string, string | readonly string[]> = Object.create(null)
  for (const source of form === null ? [params, query] : [params, query, form]) {
    for (const key in source) {
      const text = source[key]
      if (text === undefined) continue
      const present = texts[key]
      if (present === undefined) texts[key] = text
      else if (!isSame(present, text)) return refuse([contradiction(key)])
    }
  }
  return { ok: true, value: texts }
}

/** Path and query against JSON, which has types: compared after coercion. */
function joinBody(
  coerce: Coercion,
  params: QueryRecord,
  query: QueryRecord,
  body: Fields,
  finish: (input: unknown) => Result<unknown>,
): Result<unknown> {
  const texts = joinTexts(params, query, null)
  if (!texts.ok) return texts
  // What coercion made is new and ours: the body's keys are added to it, which is far cheaper than to spread both.
  const input = coerce(texts.value)
  for (const key in body) {
    if (!Object.hasOwn(input, key)) input[key] = body[key]
    else if (!isSame(input[key], body[key])) return refuse([contradiction(key)])
  }
  return finish(input)
}

function applyMap(map: (query: Fields) => unknown, input: unknown): Result<unknown> {
  // Path and query always make an object; a body alone may be none, and `map` is typed to get one.
  if (!isFields(input)) return refuse([{ path: '', message: 'The body has to be an object' }])
  try {
    return succeed(map(input))
  } catch (error) {
    return { ok: false, error: AppError.is(error) ? error : new InternalError({ cause: error }) }
  }
}

function pickKeys(query: QueryRecord, keys: ReadonlySet<string>): QueryRecord {
  const picked: Record<string, string | readonly string[]> = Object.create(null)
  for (const key of keys) {
    const value = query[key]
    if (value !== undefined) picked[key] = value
  }
  return picked
}

/** The input without what the schema would refuse. One that is no object is for the schema to refuse. */
function keepKeys(input: Result<unknown>, keys: ReadonlySet<string>): Result<unknown> {
  if (!input.ok || !isFields(input.value)) return input
  const kept: Fields = {}
  let left = 0
  for (const key in input.value) {
    if (keys.has(key)) kept[key] = input.value[key]
    else left++
  }
  return left === 0 ? input : succeed(kept)
}

function unexpectedKeys(query: QueryRecord, known: ReadonlySet<string>): Issue[] | null {
  let issues: Issue[] | null = null
  for (const key in query) {
    if (known.has(key)) continue
    issues ??= []
    issues.push({ path: key, message: 'The query does not take this key' })
  }
  return issues
}

function isEmpty(record: QueryRecord): boolean {
  for (const _key in record) return false
  return true
}

function isSame(a: unknown, b: unknown): boolean {
  if (a instanceof Date && b instanceof Date) return a.getTime() === b.getTime()
  if (!Array.isArray(a) || !Array.isArray(b)) return a === b
  return a.length === b.length && a.every((item, index) => isSame(item, b[index]))
}

function contradiction(key: string): Issue {
  return { path: key, message: 'The request says it twice, with different values' }
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function succeed(value: unknown): Result<unknown> {
  return { ok: true, value }
}

function refuse(issues: readonly Issue[]): Result<never> {
  return { ok: false, error: new ValidationError(undefined, issues) }
}
