import type { StandardJSONSchemaV1 } from '@standard-schema/spec'
import { BootError } from '../base/boot-error.ts'
import type { AnySchema } from '../base/schema.ts'
import type { QueryRecord } from '../call/call.ts'
import { readJsonSchema } from './coerce-json-schema.ts'
import { applyPlan, chooseVariant, noEntries, nothing, type RecordPlan, type ValuePlan } from './coerce-plan.ts'
import { readRecord } from './coerce-valibot.ts'
import type { ParameterType } from './route-types.ts'

/** Makes of texts what a schema's input type wants. Never throws; what it cannot make stays a text. */
export type Coercion = (texts: QueryRecord) => Record<string, unknown>

const parameterTypes: readonly ParameterType[] = ['int', 'number', 'boolean', 'bigint', 'date']

/**
 * Turns the texts of path, query and form into what the input type of a schema wants, by a plan made once:
 *
 * - valibot: read from the schema's structure;
 * - a schema with `~standard.jsonSchema`: from that;
 * - any other: texts stay texts, unless `overrides` name their types.
 *
 * Numbers are what JSON calls a number, booleans `true`, `false`, `1`, `0`, dates ISO 8601; where an array is wanted, one
 * text is an array of one. Where any text is admitted a text is left alone, `null` and the empty text included. A number is
 * never another than the one written, so that no input is accepted for what it did not say.
 *
 * @throws BootError `bad_route` when an override is no type.
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
  return (texts) => {
    const chosen = chooseVariant(plan, texts)
    const input: Record<string, unknown> = {}
    for (const key in texts) {
      const text = texts[key]
      if (text === undefined || key === '__proto__') continue
      const force = forced.get(key)
      const read =
        force === undefined
          ? (chosen.entries.get(key) ?? chosen.rest)
          : typeof text === 'string'
            ? force.one
            : force.many
      input[key] = read === null ? text : applyPlan(read, text)
    }
    return input
  }
}

/**
 * The only keys that a schema takes, where it refuses all others: a strict object of valibot, `additionalProperties: false` of another
 * vendor. Null where it does not refuse any, or where that is not known.
 */
export function readOnlyKeys(schema: AnySchema | null): ReadonlySet<string> | null {
  const { entries, unknownKeys } = readPlan(schema)
  return unknownKeys === 'refused' ? new Set(entries.keys()) : null
}

/** The plans of a key whose type was said: of one text, and of several. */
interface Forced {
  readonly one: ValuePlan
  readonly many: ValuePlan
}

function toForced(key: string, type: ParameterType, plan: RecordPlan): Forced {
  if (!parameterTypes.includes(type)) {
    throw new BootError('bad_route', `http.params.${key} is one of ${parameterTypes.join(', ')}, not '${String(type)}'`)
  }
  const scalar: ValuePlan = { ...nothing, [type]: true }
  const many: ValuePlan = { ...nothing, list: { items: [], rest: scalar } }
  const isList = (plan.entries.get(key)?.list ?? null) !== null
  return { one: isList ? many : scalar, many }
}

function readPlan(schema: AnySchema | null): RecordPlan {
  if (schema === null) return noEntries
  if (schema['~standard'].vendor === 'valibot') return readRecord(schema)
  // Whether the vendor has this younger half of the standard is what is asked here.
  const { jsonSchema } = schema['~standard'] as Partial<StandardJSONSchemaV1.Props>
  if (jsonSchema === undefined) return noEntries
  try {
    return readJsonSchema(jsonSchema.input({ target: 'draft-2020-12' }))
  } catch {
    // A type that JSON does not have (a bigint, a date): the vendor cannot say, and `overrides` have to.
    return noEntries
  }
}
