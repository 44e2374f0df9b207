import { toArrayText } from './array-text.ts'
import { fromIsoText, toTimeText } from './time-text.ts'
import { typeIds } from './type-readers.ts'

/** PostgreSQL's text of a value that drizzle hands over, or that stands in a query of the application. Throws a TypeError. */
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
      throw new TypeError(`A parameter of the query is ${value === undefined ? 'undefined' : `a ${typeof value}`}`)
  }
}

/**
 * The type that the server is told for a value, since in `select $1` it has nothing to find it out by; 0: it finds it out. These are
 * those that postgres.js tells.
 */
export function typeIdOf(value: unknown): number {
  if (typeof value === 'boolean') return typeIds.boolean
  if (typeof value === 'bigint') return typeIds.bigint
  if (value instanceof Date) return typeIds.timestamptz
  return value instanceof Uint8Array ? typeIds.bytea : 0
}

/** What a driver is given: a text, or a value whose type it tells the server. Throws a TypeError. */
export function toParameter(value: unknown): unknown {
  return value === null || typeIdOf(value) !== 0 ? value : toParameterText(value)
}

type Serializer = (value: unknown) => string

const toTimes: Serializer = (value) =>
  toParameterText(value).replaceAll(/(?:[+-]\d{6}|0000)-\d\d-\d\dT[\d:.]+Z/g, fromIsoText)

/** By the type that PostgreSQL expects: what drizzle writes for a column, and PostgreSQL would not read. */
export const serializers: Readonly<Record<number, Serializer>> = {
  [typeIds.date]: (value) => fromIsoText(toParameterText(value)),
  [typeIds.timestamp]: (value) => fromIsoText(toParameterText(value)),
  [typeIds.timestamptz]: (value) => fromIsoText(toParameterText(value)),
  [typeIds.dateArray]: toTimes,
  [typeIds.timestampArray]: toTimes,
  [typeIds.timestamptzArray]: toTimes,
  [typeIds.byteaArray]: toBytesArray,
  // Of the types that `typeIdOf` tells.
  [typeIds.boolean]: toParameterText,
  [typeIds.bytea]: toParameterText,
  [typeIds.bigint]: toParameterText,
}

/** drizzle makes a text of a Buffer within an array, which is no longer what it was. */
function toBytesArray(value: unknown): string {
  const text = toParameterText(value)
  if (/^[{},\s]*(?:(?:NULL|"\\\\x[\da-f]*")[{},\s]*)*$/i.test(text)) return text
  throw new TypeError(
    'drizzle cannot write a Buffer within an array: let toDriver of the column type return the text that bytea has, ' +
      String.raw`'\\x' + bytes.toString('hex')`,
  )
}
