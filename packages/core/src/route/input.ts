import type { AnySchema, Issue } from '../base/schema.ts'
import type { QueryRecord } from '../call/call.ts'
import type { InputReader } from '../call/compiled-route.ts'
import { AppError, InternalError, ValidationError } from '../errors/app-error.ts'
import type { Result } from '../errors/result.ts'
import { findUnsafe } from '../protocol/safe-value.ts'
import { type Coercion, compileCoercion, readOnlyKeys } from './coerce.ts'
import { toBigint, toDate } from './numerals.ts'
import { pathParameters } from './path-pattern.ts'
import type { ParameterType } from './route-types.ts'

export interface InputOptions {
  /** Of the route's input; null when it has none: then the input is undefined, unless `map` returns one. */
  readonly schema: AnySchema | null
  readonly pattern: string
  /** The method has a body (POST, PUT, PATCH): the query may have only the keys of `queryKeys`. */
  readonly hasBody: boolean
  readonly queryKeys: readonly string[]
  readonly overrides?: Readonly<Record<string, ParameterType>>
  /** Builds the input where the wires differ in shape. Gets path and query, converted, merged with the keys of a body. */
  readonly map?: ((query: Readonly<Record<string, unknown>>) => unknown) | undefined
  /** `ignore`: a key of query or body that neither the schema nor the route declares is dropped. Default `validate`. */
  readonly unknownKeys?: 'validate' | 'ignore'
}

type Fields = Record<string, unknown>

/**
 * Compiles how the input of a route is merged from path, query and body. The path takes precedence; the same key elsewhere with another
 * value is rejected, and so is a query key that the route does not list for a method with a body. A body that is not an object can only
 * be the whole input: a route with path or query keys rejects it. No body is an empty object, as is a package without `data`.
 * With `unknownKeys: 'ignore'` the schema does not see keys that it would reject as unknown.
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
      if (issues !== null) return reject(issues)
    }
    if (isIgnored) return succeed(undefined)
    if (body.kind === 'json' || body.kind === 'raw') {
      const issue = body.kind === 'json' ? findUnsafe(body.value, body.hadEscapes) : null
      if (issue !== null) return reject([issue])
      if (bodyOnly && body.kind === 'json') return finish(body.value)
      const fields = body.kind === 'json' ? body.value : { body: body.value }
      if (!isFields(fields)) return reject([{ path: '', message: 'Body must be an object' }])
      return joinBody(coerce, params, query, fields, finish)
    }
    const strings = joinStrings(params, query, body.kind === 'form' ? body.value : null)
    return strings.ok ? finish(coerce(strings.value)) : strings
  }
}

/** Merges strings: they are compared as they were written, before any conversion. */
function joinStrings(params: QueryRecord, query: QueryRecord, form: QueryRecord | null): Result<QueryRecord> {
  if (form === null && isEmpty(query)) return { ok: true, value: params }
  if (form === null && isEmpty(params)) return { ok: true, value: query }
  const strings: Record<string, string | readonly string[]> = Object.create(null)
  for (const source of form === null ? [params, query] : [params, query, form]) {
    for (const key in source) {
      const value = source[key]
      if (value === undefined) continue
      const present = strings[key]
      if (present === undefined) strings[key] = value
      else if (!isSame(present, value)) return reject([conflict(key)])
    }
  }
  return { ok: true, value: strings }
}

/** Merges path and query with JSON, which has types: they are compared after conversion. */
function joinBody(
  coerce: Coercion,
  params: QueryRecord,
  query: QueryRecord,
  body: Fields,
  finish: (input: unknown) => Result<unknown>,
): Result<unknown> {
  const strings = joinStrings(params, query, null)
  if (!strings.ok) return strings
  // The converted object is new: adding the keys of the body to it is far cheaper than spreading both.
  const input = coerce(strings.value)
  for (const key in body) {
    if (!Object.hasOwn(input, key)) input[key] = body[key]
    else if (!isSame(input[key], body[key])) return reject([conflict(key)])
  }
  return finish(input)
}

function applyMap(map: (query: Fields) => unknown, input: unknown): Result<unknown> {
  // Path and query always form an object; a body alone may be something else, and `map` expects an object.
  if (!isFields(input)) return reject([{ path: '', message: 'Body must be an object' }])
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

/** The input without the keys that the schema would reject. An input that is not an object is rejected by the schema. */
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
    issues.push({ path: key, message: 'Unknown query parameter' })
  }
  return issues
}

function isEmpty(record: QueryRecord): boolean {
  for (const _key in record) return false
  return true
}

/** `b` may be from JSON, where a Date and a bigint are text. */
function isSame(a: unknown, b: unknown): boolean {
  if (a instanceof Date)
    return (typeof b === 'string' ? toDate(b) : b instanceof Date ? b : null)?.getTime() === a.getTime()
  if (typeof a === 'bigint') return (typeof b === 'string' ? toBigint(b) : b) === a
  if (!Array.isArray(a) || !Array.isArray(b)) return a === b
  return a.length === b.length && a.every((item, index) => isSame(item, b[index]))
}

function conflict(key: string): Issue {
  return { path: key, message: 'Received twice with different values' }
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function succeed(value: unknown): Result<unknown> {
  return { ok: true, value }
}

function reject(issues: readonly Issue[]): Result<never> {
  return { ok: false, error: new ValidationError(undefined, issues) }
}
