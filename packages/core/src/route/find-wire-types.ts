import { BootError } from '../base/boot-error.ts'
import { isSchema, type ValibotSchema } from '../base/valibot.ts'
import { toWireType, type WireType } from './wire-text.ts'

/** Deeper schemas are not read. */
export const maxDepth = 32
/** Further ones are not looked at. */
const maxSchemas = 4096

/** Where a schema is, for messages. */
export interface Place {
  readonly name: string
  readonly depth: number
  /** False for the schema of a lazy one, which is read when a value is there. */
  readonly isBoot: boolean
}

export function deeper({ name, depth, isBoot }: Place): Place {
  return { name, depth: depth + 1, isBoot }
}

export function under({ name, depth, isBoot }: Place, key: string): Place {
  return { name: `${name}.${key}`, depth: depth + 1, isBoot }
}

/**
 * True where a client sends text for a value somewhere in it. Looks at everything, so that a union that cannot work is found at boot.
 *
 * @throws BootError `bad_option`
 */
export function hasWireTypes(schema: ValibotSchema, place: Place, seen: Set<ValibotSchema> = new Set()): boolean {
  // A getter may return another schema each time, without end.
  if (seen.has(schema) || seen.size >= maxSchemas || place.depth > maxDepth) return false
  seen.add(schema)
  if (toWireType(schema) !== null) return true
  if (schema.type === 'union') checkUnion(schema, place)
  if (schema.type === 'lazy') {
    const inner = toLazy(schema)
    return inner === 'unknown' || (inner !== null && hasWireTypes(inner, deeper(place), seen))
  }
  let hasSome = false
  for (const [key, child] of childrenOf(schema)) {
    if (hasWireTypes(child, key === null ? deeper(place) : under(place, key), seen)) hasSome = true
  }
  return hasSome
}

/** With the key of each; null where it is about the same value. */
function childrenOf({
  entries,
  rest,
  item,
  items,
  value,
  wrapped,
  options,
}: ValibotSchema): [string | null, ValibotSchema][] {
  const children: [string | null, unknown][] = [
    ['*', rest],
    ['*', item],
    ['*', value],
    [null, wrapped],
    ...(options ?? []).map((option): [null, unknown] => [null, option]),
    ...Object.entries(items ?? {}),
    ...Object.entries(entries ?? {}),
  ]
  return children.flatMap(([key, child]) => (isSchema(child) ? [[key, child]] : []))
}

/** The schema of a lazy one; unknown where it depends on the input. */
function toLazy({ getter }: ValibotSchema): ValibotSchema | 'unknown' | null {
  if (typeof getter !== 'function' || getter.length > 0) return 'unknown'
  try {
    const inner: unknown = getter(undefined)
    return isSchema(inner) ? inner : null
  } catch {
    return 'unknown'
  }
}

/** Text must not be two things: which of the types a value becomes would depend on its content. */
function checkUnion(schema: ValibotSchema, { name }: Place): void {
  const types = new Set(typesOf(schema))
  // Where any string is valid, none is converted.
  if (!types.has('bytes') || !types.has('bigint') || types.has('text')) return
  throw new BootError(
    'bad_option',
    `${name} is a union of bytes and bigints, and text such as 1234 may be both: send each under a key of its own`,
  )
}

/** The types of which this schema itself takes text; `text` where it takes any. */
function typesOf(schema: ValibotSchema): (WireType | 'text')[] {
  const wireType = toWireType(schema)
  if (wireType !== null) return [wireType]
  const { type, pipe, wrapped, options = [] } = schema
  if (pipe === undefined && (type === 'string' || type === 'any' || type === 'unknown')) return ['text']
  return [wrapped, ...(type === 'union' ? options : [])].filter(isSchema).flatMap(typesOf)
}
