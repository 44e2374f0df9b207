import {
  anyString,
  both,
  either,
  exactly,
  joinRecords,
  type ListPlan,
  noEntries,
  noString,
  type RecordPlan,
  type ValuePlan,
} from './coerce-plan.ts'

/**
 * A valibot schema as plain data, read key by key: core does not import valibot here, and a type that a later version
 * adds is read as "any string", which converts nothing.
 */
type Node = Readonly<Record<string, unknown>>

/** Lazy schemas that are being read, so that a recursive one ends. */
type Open = readonly Node[]

/** A getter that returns a new schema each time would never reach one that is being read. */
const maxLazies = 8

// A pipe is its first schema with a `pipe` property, so that the input type is read here.
const wrappers = new Set([
  'optional',
  'exact_optional',
  'undefinedable',
  'nullable',
  'nullish',
  'non_optional',
  'non_nullable',
  'non_nullish',
])
const withoutString = new Set([
  'null',
  'undefined',
  'void',
  'nan',
  'never',
  'symbol',
  'function',
  'promise',
  'instance',
  'blob',
  'file',
  'map',
  'set',
  'record',
  'object',
  'loose_object',
  'strict_object',
  'object_with_rest',
  'variant',
])

/** The plan of one value. */
function readValue(schema: unknown, open: Open = []): ValuePlan {
  const node = toNode(schema)
  const type = String(node['type'])
  if (wrappers.has(type)) return readValue(node['wrapped'], open)
  if (withoutString.has(type)) return noString
  switch (type) {
    case 'number':
    case 'bigint':
    case 'boolean':
    case 'date':
      return { ...noString, [type]: true }
    case 'literal':
      return exactly(node['literal'])
    case 'picklist':
    case 'enum':
      return toArray(node['options']).map(exactly).reduce(either, noString)
    case 'union':
      return toArray(node['options'])
        .map((option) => readValue(option, open))
        .reduce(either, noString)
    case 'intersect':
      return toArray(node['options'])
        .map((option) => readValue(option, open))
        .reduce(both, anyString)
    case 'array':
      return { ...noString, list: { items: [], rest: readItem(node['item'], open) } }
    case 'tuple':
    case 'loose_tuple':
    case 'strict_tuple':
    case 'tuple_with_rest':
      return { ...noString, list: readTuple(node, open) }
    case 'lazy': {
      const inner = enter(node, open)
      return inner === null ? noString : readValue(inner, [...open, node])
    }
    default:
      return anyString
  }
}

/** The plan of a whole input. */
export function readRecord(schema: unknown, open: Open = []): RecordPlan {
  const node = toNode(schema)
  const type = String(node['type'])
  if (wrappers.has(type)) return readRecord(node['wrapped'], open)
  switch (type) {
    case 'object':
      return { ...noEntries, entries: readEntries(node, open), unknownKeys: 'dropped' }
    case 'strict_object':
      return { ...noEntries, entries: readEntries(node, open), unknownKeys: 'rejected' }
    case 'loose_object':
      return { ...noEntries, entries: readEntries(node, open) }
    case 'object_with_rest':
      return { ...noEntries, entries: readEntries(node, open), rest: readValue(node['rest'], open) }
    case 'record':
      return { ...noEntries, rest: readValue(node['value'], open) }
    case 'union':
      return joinAll(readOptions(node, open), either)
    case 'intersect':
      return joinAll(readOptions(node, open), both)
    case 'variant': {
      const options = readOptions(node, open)
      const joined = joinAll(options, either)
      return { ...joined, variants: { key: String(node['key']), options } }
    }
    case 'lazy': {
      const inner = enter(node, open)
      return inner === null ? noEntries : readRecord(inner, [...open, node])
    }
    default:
      return noEntries
  }
}

function joinAll([first, ...others]: readonly RecordPlan[], join: typeof either): RecordPlan {
  return first === undefined ? noEntries : others.reduce((a, b) => joinRecords(a, b, join), first)
}

function readOptions(node: Node, open: Open): RecordPlan[] {
  return toArray(node['options']).map((option) => readRecord(option, open))
}

function readEntries(node: Node, open: Open): Map<string, ValuePlan> {
  const entries = new Map<string, ValuePlan>()
  for (const [key, entry] of Object.entries(toNode(node['entries']))) entries.set(key, readValue(entry, open))
  return entries
}

function readTuple(node: Node, open: Open): ListPlan {
  return { items: toArray(node['items']).map((item) => readItem(item, open)), rest: readItem(node['rest'], open) }
}

/** A query has no nested lists. */
function readItem(schema: unknown, open: Open): ValuePlan {
  return schema === undefined ? noString : { ...readValue(schema, open), list: null }
}

function enter(node: Node, open: Open): unknown {
  const { getter } = node
  if (typeof getter !== 'function' || open.includes(node) || open.length >= maxLazies) return null
  try {
    // Without an input, which does not exist yet; a getter that needs one is read as `noString`.
    return getter(undefined)
  } catch {
    return null
  }
}

function toNode(value: unknown): Node {
  // Any object may be read by any key: the value is unknown.
  return typeof value === 'object' && value !== null ? (value as Node) : {}
}

function toArray(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}
