import { isRecord, type Json, toList, toNode } from '../schemas/node.ts'
import type { TopLevel } from './top-level.ts'

type Schemas = Pick<TopLevel, 'properties' | 'required'>

/** Where a value of the query is put. */
interface Place {
  /** `filters.id` */
  readonly path: string
  readonly schema: Json
  readonly isRequired: boolean
}

/**
 * The keys that `http.input` of a route reads, with the schemas of the keys of the input to which it gives their values. The function is called
 * twice, with a value of its own for each key. Null where it fails for these values, or makes others of them.
 *
 * @example
 * readMapped(({ search, ...query }) => ({ search_term: search, ...query }), input) // has `search` with the schema of `search_term`
 */
export function readMapped(map: (query: Json) => unknown, input: TopLevel | null): TopLevel | null {
  if (input === null) return null
  // A query has no objects.
  const scalars = Object.keys(input.properties).filter((key) => !isRecord(input.properties[key]?.['properties']))
  const named = probe(map, input, [])
  const passed = probe(map, input, scalars)
  if (named === null || passed === null) return null
  const filled = new Set([...named.values()].map(({ path }) => path))
  const places = new Map([...[...passed].filter(([, { path }]) => !filled.has(path)), ...named])
  return {
    properties: Object.fromEntries([...places].map(([key, { schema }]) => [key, schema])),
    required: new Set([...places].flatMap(([key, { isRequired }]) => (isRequired ? [key] : []))),
    isExact: true,
    isClosed: input.isClosed,
    annotations: {},
  }
}

/** @param keys - Of a query as it is listed: what a rest of it has. */
function probe(
  map: (query: Json) => unknown,
  input: Schemas,
  keys: readonly string[],
): ReadonlyMap<string, Place> | null {
  const probes = new Map<symbol, string>()
  const byKey = new Map<string, symbol>()
  const probeOf = (key: string): symbol => {
    const known = byKey.get(key) ?? Symbol(key)
    byKey.set(key, known)
    probes.set(known, key)
    return known
  }
  const listed = Object.fromEntries(keys.map((key) => [key, probeOf(key)]))
  const query = new Proxy<Record<string, unknown>>(listed, {
    get: (_target, key) => (typeof key === 'string' ? probeOf(key) : undefined),
  })
  const places = new Map<string, Place>()
  try {
    return place(map(query), input, probes, places, '') ? places : null
  } catch {
    return null
  }
}

/** False for a value that is neither a probe nor an object of probes: what was made of the query is not known. */
function place(
  value: unknown,
  { properties, required }: Schemas,
  probes: ReadonlyMap<symbol, string>,
  places: Map<string, Place>,
  at: string,
): boolean {
  if (!isRecord(value)) return false
  return Object.entries(value).every(([name, item]) => {
    const schema = properties[name] ?? {}
    const path = at === '' ? name : `${at}.${name}`
    if (item === undefined) return true
    if (typeof item === 'symbol') {
      const key = probes.get(item)
      if (key !== undefined) places.set(key, { path, schema, isRequired: required.has(name) })
      return key !== undefined
    }
    const inner = {
      properties: toSchemas(schema['properties']),
      required: new Set(required.has(name) ? toList(schema['required']).map(String) : []),
    }
    return place(item, inner, probes, places, path)
  })
}

function toSchemas(properties: unknown): Readonly<Record<string, Json>> {
  return Object.fromEntries(Object.entries(toNode(properties)).map(([key, schema]) => [key, toNode(schema)]))
}
