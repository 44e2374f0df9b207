import type { AnySchema, Issue } from '../base/schema.ts'
import { isSchema, toValibot, type ValibotSchema } from '../base/valibot.ts'
import { isPlainObject } from './accept-parts.ts'
import { deeper, hasWireTypes, maxDepth, type Place, under } from './find-wire-types.ts'
import { fits, type ReadText, toReadText, toWireIssues, toWireType } from './wire-text.ts'

/** Returns the value itself where it changes nothing, else a copy. */
type Convert = (value: unknown) => unknown

/** How the input of a schema comes from the wire. */
export interface WireInput {
  /** Converts what it can; the schema rejects the rest. */
  readonly convert: Convert
  readonly toIssues: (issues: Parameters<typeof toWireIssues>[0]) => Issue[]
}

/**
 * Compiles how strings in decoded data become the values that a valibot schema expects: ISO 8601 to a Date, decimal digits to a bigint, base64
 * to bytes, at any depth. Null for a schema without these types, and for one of another vendor, whose structure is not known.
 *
 * A string that the schema takes as it is stays one. In a union the first option that fits the value determines the types.
 *
 * @param name - Of the schema, for the message of the error.
 * @throws BootError `bad_option` for a union of bytes and bigints, where text such as 1234 could be both.
 *
 * @example
 * compileWireInput(v.object({ at: v.date() }), 'input')?.convert({ at: '2024-02-29' }) // { at: Date }
 */
export function compileWireInput(schema: AnySchema, name: string): WireInput | null {
  const structure = toValibot(schema)
  if (structure === null || !hasWireTypes(structure, { name, depth: 0, isBoot: true })) return null
  const convert = compile(structure, { name, depth: 0, isBoot: true })
  return convert === null ? null : { convert, toIssues: toWireIssues }
}

// ---- schemas

// A pipe is its first schema with a `pipe` property, so that the input type is read here.
function compile(schema: unknown, place: Place): Convert | null {
  if (!isSchema(schema) || place.depth > maxDepth) return null
  const wireType = toWireType(schema)
  if (wireType !== null) return convertText(toReadText(schema, wireType))
  switch (schema.type) {
    case 'optional':
    case 'exact_optional':
    case 'undefinedable':
    case 'nullable':
    case 'nullish':
    case 'non_optional':
    case 'non_nullable':
    case 'non_nullish':
      return compile(schema.wrapped, deeper(place))
    case 'object':
    case 'strict_object':
    case 'loose_object':
    case 'object_with_rest':
      return compileObject(schema, place)
    case 'record':
      return convertRecord(new Map(), compile(schema.value, under(place, '*')))
    case 'array':
      return convertList([], compile(schema.item, under(place, '*')))
    case 'tuple':
    case 'strict_tuple':
    case 'loose_tuple':
    case 'tuple_with_rest':
      return compileTuple(schema, place)
    case 'intersect':
      return compileIntersect(schema, place)
    case 'union':
      return compileUnion(schema, place)
    case 'variant':
      return compileVariant(schema, place)
    case 'lazy':
      return compileLazy(schema, place)
    default:
      return null
  }
}

function convertText(read: ReadText): Convert {
  return (value) => (typeof value === 'string' ? (read(value) ?? value) : value)
}

// ---- objects and lists

function compileObject({ entries = {}, rest }: ValibotSchema, place: Place): Convert | null {
  const compiled = new Map<string, Convert | null>()
  for (const [key, entry] of Object.entries(entries)) compiled.set(key, compile(entry, under(place, key)))
  return convertRecord(compiled, compile(rest, under(place, '*')))
}

/** `rest`: of keys without an entry. */
function convertRecord(entries: ReadonlyMap<string, Convert | null>, rest: Convert | null): Convert | null {
  if (rest === null && [...entries.values()].every((convert) => convert === null)) return null
  return (value) => {
    if (!isPlainObject(value)) return value
    let copy: Record<string, unknown> | null = null
    for (const key in value) {
      const convert = entries.has(key) ? entries.get(key) : rest
      const item = value[key]
      const made = convert ? convert(item) : item
      // Assigned, this key would be the prototype of the copy.
      if (made === item || key === '__proto__') continue
      copy ??= { ...value }
      copy[key] = made
    }
    return copy ?? value
  }
}

function compileTuple({ items = [], rest }: ValibotSchema, place: Place): Convert | null {
  const compiled = items.map((item, index) => compile(item, under(place, String(index))))
  return convertList(compiled, compile(rest, under(place, '*')))
}

/** `rest`: of the items behind the first ones. */
function convertList(first: readonly (Convert | null)[], rest: Convert | null): Convert | null {
  if (rest === null && first.every((convert) => convert === null)) return null
  return (value) => {
    if (!Array.isArray(value)) return value
    const list: readonly unknown[] = value
    let copy: unknown[] | null = null
    for (let index = 0; index < list.length; index++) {
      const item = list[index]
      const convert = index < first.length ? first[index] : rest
      const made = convert ? convert(item) : item
      if (made === item) continue
      copy ??= [...list]
      copy[index] = made
    }
    return copy ?? value
  }
}

// ---- several schemas

interface Option {
  readonly schema: ValibotSchema
  readonly convert: Convert | null
}

function compileOptions({ options = [] }: ValibotSchema, place: Place): readonly Option[] {
  return options.filter(isSchema).map((schema) => ({ schema, convert: compile(schema, deeper(place)) }))
}

/** All of them hold: each converts what it knows. */
function compileIntersect(schema: ValibotSchema, place: Place): Convert | null {
  const converts = compileOptions(schema, place).flatMap(({ convert }) => convert ?? [])
  if (converts.length === 0) return null
  return (value) => converts.reduce((made, convert) => convert(made), value)
}

function compileUnion(schema: ValibotSchema, place: Place): Convert | null {
  const options = compileOptions(schema, place)
  if (options.every(({ convert }) => convert === null)) return null
  return (value) => {
    if (typeof value === 'string') {
      if (options.some((option) => fits(option.schema, value) === true)) return value
    } else if (typeof value !== 'object' || value === null) return value
    return chooseOption(options, value)
  }
}

/** Converts the value as the first option that fits it. Where none fits, the schema has to explain why. */
function chooseOption(options: readonly Option[], value: unknown): unknown {
  let first = value
  for (const { schema, convert } of options) {
    const made = convert === null ? value : convert(value)
    // One that is asynchronous decides when the schema runs.
    if ((fits(schema, made) ?? made !== value) === true) return made
    if (first === value) first = made
  }
  return first
}

function compileVariant(schema: ValibotSchema, place: Place): Convert | null {
  const options = compileOptions(schema, place)
  const { key } = schema
  if (typeof key !== 'string' || options.every(({ convert }) => convert === null)) return null
  return (value) => {
    if (!isPlainObject(value)) return value
    const discriminator = value[key]
    const possible = options.filter(({ schema: { type, entries } }) => {
      const entry = entries?.[key]
      return type === 'variant' || entry === undefined || fits(entry, discriminator) !== false
    })
    const [only] = possible
    if (possible.length > 1) return chooseOption(possible, value)
    return only?.convert ? only.convert(value) : value
  }
}

// ---- recursion

/** Resolved when a value is there, as by valibot, and where the value ends. */
function compileLazy(schema: ValibotSchema, place: Place): Convert | null {
  const { getter } = schema
  if (typeof getter !== 'function' || (place.isBoot && !hasWireTypes(schema, place))) return null
  const known = new WeakMap<ValibotSchema, { readonly convert: Convert | null }>()
  return (value) => {
    if (typeof value !== 'string' && (typeof value !== 'object' || value === null)) return value
    const inner: unknown = getter(value)
    if (!isSchema(inner)) return value
    const compiled = known.get(inner) ?? {
      convert: compile(inner, { name: place.name, depth: 0, isBoot: false }),
    }
    known.set(inner, compiled)
    return compiled.convert === null ? value : compiled.convert(value)
  }
}
