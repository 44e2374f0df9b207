import type { StandardJSONSchemaV1 } from '@standard-schema/spec'
import { BootError } from '../base/boot-error.ts'
import type { AnySchema } from '../base/schema.ts'
import type { QueryRecord } from '../call/call.ts'
import { readJsonSchema } from './coerce-json-schema.ts'
import { applyPlan, chooseVariant, noEntries, noString, type RecordPlan, type ValuePlan } from './coerce-plan.ts'
import { readRecord } from './coerce-valibot.ts'
import type { ParameterType } from './route-types.ts'

/** Converts strings to the input type of a schema. Never throws; what it cannot convert stays a string. */
export type Coercion = (strings: QueryRecord) => Record<string, unknown>

const parameterTypes: readonly ParameterType[] = ['int', 'number', 'boolean', 'bigint', 'date']

/**
 * Converts the strings of path, query and form to the input type of a schema, by a plan that is compiled once:
 *
 * - valibot: read from the schema's structure;
 * - a schema with `~standard.jsonSchema`: from that;
 * - any other: strings stay strings, unless `overrides` name their types.
 *
 * Numbers are written as in JSON, booleans as `true`, `false`, `1`, `0`, dates as ISO 8601; where an array is expected, one
 * string is an array of one. Where any string is valid a string is not converted, `null` and the empty string included. A number
 * always equals the one written: an input that a number cannot represent is not accepted as another.
 *
 * @throws BootError `bad_route` when an override is not a type.
 *
 * @example
 * const coerce = compileCoercion(v.object({ page: v.optional(v.number(), 1), tags: v.array(v.string()) }))
 * coerce({ page: '2', tags: 'new' }) // { page: 2, tags: ['new'] }
 */
export function compileCoercion(
  schema: AnySchema | null,
  overrides: Readonly<Record<string, ParameterType>> = {},
): Coercion {
  const plan = readPlan(schema)
  const forced = new Map<string, Forced>()
  for (const [key, type] of Object.entries(overrides)) forced.set(key, toForced(key, type, plan))
  return (strings) => {
    const chosen = chooseVariant(plan, strings)
    const input: Record<string, unknown> = {}
    for (const key in strings) {
      const value = strings[key]
      if (value === undefined || key === '__proto__') continue
      const force = forced.get(key)
      const read =
        force === undefined
          ? (chosen.entries.get(key) ?? chosen.rest)
          : typeof value === 'string'
            ? force.one
            : force.many
      input[key] = read === null ? value : applyPlan(read, value)
    }
    return input
  }
}

/**
 * The keys that a schema accepts, where it rejects all others: a strict object of valibot, `additionalProperties: false` of another
 * vendor. Null where it does not reject any, or where that is not known.
 */
export function readOnlyKeys(schema: AnySchema | null): ReadonlySet<string> | null {
  const { entries, unknownKeys } = readPlan(schema)
  return unknownKeys === 'rejected' ? new Set(entries.keys()) : null
}

/** The plans of a key with an override: for one string, and for several. */
interface Forced {
  readonly one: ValuePlan
  readonly many: ValuePlan
}

function toForced(key: string, type: ParameterType, plan: RecordPlan): Forced {
  if (!parameterTypes.includes(type)) {
    throw new BootError(
      'bad_route',
      `http.params.${key} must be one of ${parameterTypes.join(', ')}, received '${String(type)}'`,
    )
  }
  const scalar: ValuePlan = { ...noString, [type]: true }
  const many: ValuePlan = { ...noString, list: { items: [], rest: scalar } }
  const isList = (plan.entries.get(key)?.list ?? null) !== null
  return { one: isList ? many : scalar, many }
}

function readPlan(schema: AnySchema | null): RecordPlan {
  if (schema === null) return noEntries
  if (schema['~standard'].vendor === 'valibot') return readRecord(schema)
  // A vendor may not implement this newer part of the standard.
  const { jsonSchema } = schema['~standard'] as Partial<StandardJSONSchemaV1.Props>
  if (jsonSchema === undefined) return noEntries
  try {
    return readJsonSchema(jsonSchema.input({ target: 'draft-2020-12' }))
  } catch {
    // A type that JSON does not have (a bigint, a date): the vendor cannot describe it, `overrides` can.
    return noEntries
  }
}
