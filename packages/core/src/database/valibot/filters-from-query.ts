import * as v from 'valibot'
import { type Coercion, compileCoercion } from '../../route/coerce.ts'

type AnySchema = v.GenericSchema<unknown, unknown>

/** By the key in a query: `name`, `name.prefix`. */
export type FlatEntries = Record<string, AnySchema>

interface Flat {
  readonly keys: ReadonlySet<string>
  readonly coerce: Coercion
}

const flats = new WeakMap<AnySchema, Flat>()

/** The query form of a schema of `filterSchema`. */
export function rememberFlat(schema: AnySchema, entries: FlatEntries): void {
  flats.set(schema, { keys: new Set(Object.keys(entries)), coerce: compileCoercion(v.strictObject(entries)) })
}

type Query = Readonly<Record<string, unknown>>

/**
 * For `http.input`: flat keys of a query become the filters of the input, with the types of the columns. `name=x` is the value itself,
 * `name.prefix=x` an operator, `id.in=1&id.in=2` a list, `country.isNull=true` means null. All other keys stay, and the route's schema
 * accepts or refuses them. A schema that is not of `filterSchema` is a TypeError.
 *
 * @example
 * http: { route: 'GET /authors', input: filtersFromQuery(AuthorFilters) },
 * input: v.strictObject({ ...pageInput(), filters: v.optional(AuthorFilters, {}) }),
 * // GET /authors?per_page=50&name.prefix=ur&id.in=1&id.in=2
 */
export function filtersFromQuery(schema: v.GenericSchema<object, object>, key = 'filters'): (query: Query) => Query {
  const flat = flats.get(schema)
  if (flat === undefined) throw new TypeError('filtersFromQuery() requires a schema of filterSchema()')
  return (query) => {
    const rest: Record<string, unknown> = {}
    const strings: Record<string, string | readonly string[]> = {}
    for (const [name, value] of Object.entries(query)) {
      if (flat.keys.has(name) && isStrings(value)) strings[name] = value
      else rest[name] = value
    }
    const filters: Record<string, unknown> = {}
    for (const [name, value] of Object.entries(flat.coerce(strings))) put(filters, name, value)
    return Object.keys(filters).length === 0 ? rest : { ...rest, [key]: filters }
  }
}

/** A column may have a value and operators: the value then is the operator `eq`. */
function put(filters: Record<string, unknown>, name: string, value: unknown): void {
  const dot = name.lastIndexOf('.')
  const [column, operator] = dot === -1 ? [name, null] : [name.slice(0, dot), name.slice(dot + 1)]
  const present = Object.hasOwn(filters, column) ? filters[column] : undefined
  if (operator === null && present === undefined) filters[column] = value
  else filters[column] = { ...toOperators(present), [operator ?? 'eq']: value }
}

function toOperators(present: unknown): object {
  if (present === undefined) return {}
  const isOperators =
    typeof present === 'object' && present !== null && Object.getPrototypeOf(present) === Object.prototype
  return isOperators ? present : { eq: present }
}

function isStrings(value: unknown): value is string | readonly string[] {
  return typeof value === 'string' || (Array.isArray(value) && value.every((each) => typeof each === 'string'))
}
