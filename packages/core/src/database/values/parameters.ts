import { toArrayText } from './array-text.ts'
import { fromIsoText, toTimeText } from './time-text.ts'
import { typeIds } from './type-readers.ts'

/** PostgreSQL's text of a value of drizzle, or of a query of the application. Throws a TypeError. */
export function toParameterText(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return value
    case 'number':
      return Object.is(value, -0) ? '-0' : String(value)
    case 'bigint':
    case 'boolean':
      return String(value)
    case 'object':
      if (value instanceof Date) return toTimeText(value)
      if (value instanceof Uint8Array) return `\\x${Buffer.from(value).toString('hex')}`
      if (Array.isArray(value)) return toArrayText(value, toParameterText)
      return JSON.stringify(value)
    default:
      throw new TypeError(`A query parameter must not be ${value === undefined ? 'undefined' : `a ${typeof value}`}`)
  }
}

/** The type of a value that is sent to the server, which cannot infer it in `select $1`; 0: the server infers it. The same as those of postgres.js. */
export function typeIdOf(value: unknown): number {
  if (typeof value === 'boolean') return typeIds.boolean
  if (typeof value === 'bigint') return typeIds.bigint
  if (value instanceof Date) return typeIds.timestamptz
  return value instanceof Uint8Array ? typeIds.bytea : 0
}

/** A parameter for a driver: a string, or a value whose type is sent to the server. Throws a TypeError. */
export function toParameter(value: unknown): unknown {
  return value === null || typeIdOf(value) !== 0 ? value : toParameterText(value)
}

type Serializer = (value: unknown) => string

const toTimes: Serializer = (value) =>
  toParameterText(value).replaceAll(/(?:[+-]\d{6}|0000)-\d\d-\d\dT[\d:.]+Z/g, fromIsoText)

/**
 * Parameter writers by the type (`pg_type.oid`) that PostgreSQL expects: they rewrite strings of drizzle that PostgreSQL would not accept, such
 * as dates after the year 9999. For a driver that knows the type of a parameter by describing the statement.
 */
export const serializers: Readonly<Record<number, Serializer>> = {
  [typeIds.date]: (value) => fromIsoText(toParameterText(value)),
  [typeIds.timestamp]: (value) => fromIsoText(toParameterText(value)),
  [typeIds.timestamptz]: (value) => fromIsoText(toParameterText(value)),
  [typeIds.dateArray]: toTimes,
  [typeIds.timestampArray]: toTimes,
  [typeIds.timestamptzArray]: toTimes,
  [typeIds.byteaArray]: toBytesArray,
  // Types of `typeIdOf`.
  [typeIds.boolean]: toParameterText,
  [typeIds.bytea]: toParameterText,
  [typeIds.bigint]: toParameterText,
}

/** drizzle converts a Buffer in an array to a string, which loses its bytes. */
function toBytesArray(value: unknown): string {
  const text = toParameterText(value)
  if (/^[{},\s]*(?:(?:NULL|"\\\\x[\da-f]*")[{},\s]*)*$/i.test(text)) return text
  throw new TypeError(
    'drizzle cannot write a Buffer in an array: return the text of bytea from toDriver of the column type, ' +
      String.raw`'\\x' + bytes.toString('hex')`,
  )
}
