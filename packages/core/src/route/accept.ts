import type { AnySchema } from '../base/schema.ts'
import { isSchema, toValibot, type ValibotAction, type ValibotSchema } from '../base/valibot.ts'
import { isIdle, toLengthTest, toNumberTest, toStringTest } from './accept-actions.ts'
import {
  type Accept,
  acceptList,
  acceptObject,
  acceptRecord,
  acceptWrapped,
  type Entry,
  isNumber,
  isPlainObject,
  isString,
} from './accept-parts.ts'

interface Compiled {
  readonly accepts: Accept
  /** False means that the schema rejects the value, and not only that it might change it. */
  readonly exact: boolean
}

/** Deeper schemas are not compiled. */
const maxDepth = 32

/**
 * Compiles a check from the structure of a valibot schema. A value that it accepts equals the result of the schema, the order of its keys
 * included, so that it can be used without running the schema. Null where something in the schema is not known here: a check or a
 * transformation of the application, a recursion, another vendor.
 *
 * For decoded data only: strings, numbers, booleans, null, and plain objects and arrays of them, which belong to the call.
 */
export function compileAccept(schema: AnySchema): Accept | null {
  const structure = toValibot(schema)
  return structure === null ? null : (compile(structure, 0)?.accepts ?? null)
}

function compile(schema: ValibotSchema, depth: number): Compiled | null {
  if (schema.async || depth > maxDepth || 'fallback' in schema) return null
  return schema.pipe === undefined ? compileType(schema, depth) : compilePipe(schema.pipe, depth)
}

function compileType(schema: ValibotSchema, depth: number): Compiled | null {
  switch (schema.type) {
    case 'any':
    case 'unknown':
      return { accepts: () => true, exact: true }
    case 'string':
      return { accepts: isString, exact: true }
    case 'number':
      return { accepts: isNumber, exact: true }
    case 'boolean':
      return { accepts: (value) => typeof value === 'boolean', exact: true }
    case 'null':
      return { accepts: (value) => value === null, exact: true }
    case 'literal':
      return compileLiteral(schema.literal)
    case 'picklist':
    case 'enum':
      return compileOptions(schema.options)
    case 'optional':
    case 'undefinedable':
    case 'nullable':
    case 'nullish':
    case 'exact_optional':
    case 'non_optional':
    case 'non_nullable':
    case 'non_nullish':
      return compileWrapper(schema, depth)
    case 'array':
      return compileList([], schema.item ?? null, 'rejected', depth)
    case 'tuple':
    case 'strict_tuple':
      return compileList(schema.items, null, 'rejected', depth)
    case 'loose_tuple':
      return compileList(schema.items, null, 'kept', depth)
    case 'tuple_with_rest':
      return compileList(schema.items, schema.rest ?? null, 'rejected', depth)
    case 'object':
    case 'strict_object':
      return compileObject(schema.entries, null, depth)
    case 'loose_object':
      return compileObject(schema.entries, anything, depth)
    case 'object_with_rest':
      return compileObject(schema.entries, compileMember(schema.rest, depth), depth)
    case 'record':
      return compileRecord(schema, depth)
    case 'union':
      return compileUnion(schema, depth)
    case 'variant':
      return compileVariant(schema, depth)
    default:
      return null
  }
}

const anything: Compiled = { accepts: () => true, exact: true }

function compileMember(schema: unknown, depth: number): Compiled | null {
  return isSchema(schema) ? compile(schema, depth + 1) : null
}

function compileLiteral(literal: unknown): Compiled | null {
  return Number.isNaN(literal) ? null : { accepts: (value) => value === literal, exact: true }
}

function compileOptions(options: readonly unknown[] | undefined): Compiled | null {
  return options === undefined ? null : { accepts: (value) => options.includes(value), exact: true }
}

// ---- pipes

function compilePipe([first, ...rest]: readonly (ValibotSchema | ValibotAction)[], depth: number): Compiled | null {
  const base = compileMember(first, depth)
  if (base === null || first === undefined) return null
  const actions = rest.filter((item): item is ValibotAction => !isSchema(item))
  const tests = actions.filter((action) => !isIdle(action))
  if (tests.length === 0 && actions.length === rest.length) return base
  // A second schema in a pipe gets the value of the first one, which both return as it is.
  const others = rest.filter(isSchema).map((schema) => compile(schema, depth + 1))
  const tested = compileTests(first.type, tests)
  if (tested === null || others.includes(null)) return null
  const all = [base, ...others.filter((other) => other !== null), ...tested]
  return { accepts: all.map(({ accepts }) => accepts).reduceRight(both), exact: all.every(({ exact }) => exact) }
}

function both(second: Accept, first: Accept): Accept {
  return (value) => first(value) && second(value)
}

/** The actions behind a schema of this type, which has been checked before them. */
function compileTests(type: string, actions: readonly ValibotAction[]): readonly Compiled[] | null {
  const compiled: Compiled[] = []
  for (const action of actions) {
    const accepts = compileTest(type, action)
    if (accepts === null) return null
    compiled.push({ accepts, exact: action.kind === 'validation' })
  }
  return compiled
}

function compileTest(type: string, action: ValibotAction): Accept | null {
  if (type === 'string') {
    const test = toStringTest(action)
    return test === null ? null : (value) => isString(value) && test(value)
  }
  if (type === 'number') {
    const test = toNumberTest(action)
    return test === null ? null : (value) => isNumber(value) && test(value)
  }
  if (type === 'array') {
    const test = toLengthTest(action)
    return test === null ? null : (value) => Array.isArray(value) && test(value)
  }
  return null
}

// ---- wrappers

function compileWrapper({ type, wrapped, default: preset }: ValibotSchema, depth: number): Compiled | null {
  const inner = compileMember(wrapped, depth)
  if (inner === null) return null
  const isDefault = preset !== undefined
  return { accepts: acceptWrapped(type, inner.accepts, isDefault), exact: inner.exact && !isDefault }
}

// ---- lists

function compileList(
  items: readonly ValibotSchema[] | undefined,
  rest: ValibotSchema | null,
  others: 'rejected' | 'kept',
  depth: number,
): Compiled | null {
  const members: Accept[] = []
  for (const item of items ?? []) {
    const member = compile(item, depth + 1)
    if (member === null) return null
    members.push(member.accepts)
  }
  const tail = rest === null ? (others === 'kept' ? anything : null) : compile(rest, depth + 1)
  if (rest !== null && tail === null) return null
  return { accepts: acceptList(members, tail?.accepts ?? null), exact: false }
}

// ---- objects

type Entries = Readonly<Record<string, ValibotSchema>>

function compileObject(schemas: Entries | undefined, others: Compiled | null, depth: number): Compiled | null {
  const entries = compileEntries(schemas, depth)
  if (entries === null) return null
  return { accepts: acceptObject(entries, others?.accepts ?? null), exact: false }
}

const mayBeMissing = new Set(['optional', 'exact_optional', 'nullish'])

function compileEntries(schemas: Entries | undefined, depth: number): readonly Entry[] | null {
  if (schemas === undefined) return null
  const entries: Entry[] = []
  for (const [key, schema] of Object.entries(schemas)) {
    const member = compile(schema, depth + 1)
    // Valibot looks for a key with `in`, which finds those of Object.prototype in any object.
    if (member === null || key in Object.prototype) return null
    const required = !mayBeMissing.has(schema.type) || schema.default !== undefined
    entries.push({ key, required, accepts: member.accepts })
  }
  return entries
}

function compileRecord({ key, value }: ValibotSchema, depth: number): Compiled | null {
  const [keys, values] = [compileMember(key, depth), compileMember(value, depth)]
  if (keys === null || values === null) return null
  return { accepts: acceptRecord(keys.accepts, values.accepts), exact: false }
}

// ---- one of several

/** The first option that is valid gives the result: all before it must be known to reject the value. */
function compileUnion({ options }: ValibotSchema, depth: number): Compiled | null {
  const compiled = (options ?? []).map((option) => compileMember(option, depth))
  const known = compiled.filter((option) => option !== null)
  if (known.length < compiled.length || known.slice(0, -1).some(({ exact }) => !exact)) return null
  const accepts = (value: unknown): boolean => {
    for (const option of known) if (option.accepts(value)) return true
    return false
  }
  return { accepts, exact: known.every(({ exact }) => exact) }
}

function compileVariant({ key, options }: ValibotSchema, depth: number): Compiled | null {
  if (typeof key !== 'string') return null
  const variants: { readonly matches: Accept; readonly accepts: Accept }[] = []
  for (const option of options ?? []) {
    const entry = isSchema(option) ? option.entries?.[key] : undefined
    const [whole, discriminator] = [compileMember(option, depth), compileMember(entry, depth)]
    if (whole === null || discriminator === null || !discriminator.exact) return null
    // A missing one matches.
    if (isSchema(entry) && entry.type === 'exact_optional') return null
    variants.push({ matches: discriminator.accepts, accepts: whole.accepts })
  }
  const accepts = (value: unknown): boolean => {
    if (!isPlainObject(value)) return false
    const name = value[key]
    for (const { matches, accepts } of variants) if (matches(name)) return accepts(value)
    return false
  }
  return { accepts, exact: false }
}
