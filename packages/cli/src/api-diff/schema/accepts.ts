import { get, has, isEqual, listAt, type Node, numberAt, textAt } from '../json.ts'
import { listedValues, opaqueKeywords } from './keywords.ts'
import type { SchemaSource } from './schema-source.ts'
import { isWhole, typeOf, typesOf } from './types.ts'

/** Whether a value of a list fits; null where it cannot be told. */
export type Verdict = boolean | null

/** Whether the schema takes this value. */
export function accepts(schema: Node, value: unknown, source: SchemaSource, depth = 0): Verdict {
  if (depth > 64) return null
  const within = (each: unknown): Verdict => accepts(source.toSchema(each), value, source, depth + 1)
  const verdicts: Verdict[] = [acceptsAlone(schema, value)]
  if (has(schema, '$ref')) verdicts.push(within(source.schemaAt(textAt(schema, '$ref'))))
  verdicts.push(...listAt(schema, 'allOf').map(within))
  if (has(schema, 'anyOf')) verdicts.push(anyOf(listAt(schema, 'anyOf').map(within)))
  if (has(schema, 'oneOf')) verdicts.push(oneOf(listAt(schema, 'oneOf').map(within)))
  if (has(schema, 'not')) verdicts.push(opposite(within(get(schema, 'not'))))
  if (verdicts.includes(false)) return false
  return verdicts.includes(null) ? null : true
}

function anyOf(verdicts: readonly Verdict[]): Verdict {
  if (verdicts.includes(true)) return true
  return verdicts.includes(null) ? null : false
}

function oneOf(verdicts: readonly Verdict[]): Verdict {
  const taken = verdicts.filter((each) => each === true).length
  if (taken > 1) return false
  return verdicts.includes(null) ? null : taken === 1
}

function opposite(verdict: Verdict): Verdict {
  return verdict === null ? null : !verdict
}

/** Whether the value fits the schema's own keywords, whatever it refers to. */
export function acceptsAlone(schema: Node, value: unknown): Verdict {
  const type = typeOf(value)
  if (!typesOf(schema).includes(type)) return false
  const listed = listedValues(schema)
  if (listed !== null && !listed.some((each) => isEqual(each, value))) return false
  if (typeof value === 'number' && !acceptsNumber(schema, value)) return false
  const ofText = typeof value === 'string' ? acceptsText(schema, value) : true
  if (ofText === false) return false
  // Lists and objects that are values of an enumeration are rare: only equal ones are known to fit.
  const isNested = type === 'object' || type === 'array'
  if (isNested && listed === null && Object.keys(schema).some((keyword) => !['type', '$ref'].includes(keyword)))
    return null
  return opaqueKeywords(schema, true).length > 0 ? null : ofText
}

function acceptsNumber(schema: Node, value: number): boolean {
  if (isWhole(schema) && !Number.isInteger(value)) return false
  const step = numberAt(schema, 'multipleOf')
  return (
    value >= (numberAt(schema, 'minimum') ?? -Infinity) &&
    value <= (numberAt(schema, 'maximum') ?? Infinity) &&
    value > (numberAt(schema, 'exclusiveMinimum') ?? -Infinity) &&
    value < (numberAt(schema, 'exclusiveMaximum') ?? Infinity) &&
    (step === null || Number.isInteger(value / step))
  )
}

function acceptsText(schema: Node, value: string): Verdict {
  const length = [...value].length
  if (length < (numberAt(schema, 'minLength') ?? 0) || length > (numberAt(schema, 'maxLength') ?? Infinity))
    return false
  if (!has(schema, 'pattern')) return true
  try {
    return new RegExp(textAt(schema, 'pattern'), 'u').test(value)
  } catch {
    return null
  }
}
