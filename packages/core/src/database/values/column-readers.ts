import { type Column, type DriverValueDecoder, getTableName, is } from 'drizzle-orm'
import { PgArray } from 'drizzle-orm/pg-core'
import { fromArrayText } from './array-text.ts'
import { fromTimeText } from './time-text.ts'
import { elementTypeOf, type Reader, readerOf, separatorOf, typeIds } from './type-readers.ts'

/** drizzle's way from a driver's value to a column's. */
type Decoder = DriverValueDecoder<unknown, unknown>

/**
 * How a column reads PostgreSQL's text of a value of `type`; null where the text is the value. drizzle's own ways (0.45) lose
 * backslashes and nulls of arrays, parse JSON twice, and take `infinity` and years below 100 for other dates.
 */
export function columnReader(column: Column, type: number): Reader | null {
  const element = elementOf(column)
  return element === null ? scalarReader(column, type, column) : arrayReader(element, type, column)
}

/** `named` is what errors name: the elements of an array have no name. */
function scalarReader(column: Column, type: number, named: Column): Reader | null {
  switch (column.columnType) {
    case 'PgJson':
    case 'PgJsonb':
      return type === typeIds.json || type === typeIds.jsonb ? readerOf(type) : decoded(column, type)
    case 'PgTimestamp':
    case 'PgDate':
      return (text) => readTime(named, text)
    case 'PgNumericBigInt':
      return (text) => readWholeNumeric(named, text)
    case 'PgText':
    case 'PgVarchar':
    case 'PgChar':
    case 'PgUUID':
    case 'PgNumeric':
    case 'PgTimestampString':
    case 'PgDateString':
      return null
    default:
      return decoded(column, type)
  }
}

/** What the decoder makes of the value of which only the type is known. */
export function decoded(decoder: Decoder, type: number): Reader {
  const read = readerOf(type)
  return read === null ? (text) => decoder.mapFromDriverValue(text) : (text) => decoder.mapFromDriverValue(read(text))
}

/** PostgreSQL does not keep the number of dimensions that was declared: what counts is how deep a value is. */
function arrayReader(element: Column, type: number, named: Column): Reader {
  const read = scalarReader(element, elementTypeOf(type) ?? typeOf(element), named) ?? String
  const separator = separatorOf(type)
  return (text) => fromArrayText(text, read, separator)
}

/** Of an array, the innermost of those that are within each other; null for any other column. */
export function elementOf(column: Column): Column | null {
  if (!is(column, PgArray)) return null
  const { baseColumn }: { readonly baseColumn: Column } = column
  return elementOf(baseColumn) ?? baseColumn
}

const declared: Readonly<Record<string, number>> = {
  bytea: typeIds.bytea,
  json: typeIds.json,
  jsonb: typeIds.jsonb,
  boolean: typeIds.boolean,
}

/** As far as what is declared tells; 0 for all that is read as a text. */
function typeOf(column: Column): number {
  return declared[column.getSQLType()] ?? 0
}

/** Throws a RangeError that names the column. */
export function readTime(column: Column, text: string): Date {
  const date = fromTimeText(text)
  if (date !== null) return date
  if (text === 'infinity' || text === '-infinity') {
    throw new RangeError(`${nameOf(column)} holds '${text}', which no Date can be: declare it with mode: 'string'`)
  }
  if (/^\d{4,6}-\d\d-\d\d/.test(text)) {
    throw new RangeError(`${nameOf(column)} holds a time past those of a Date: declare it with mode: 'string'`)
  }
  throw new RangeError(
    `${nameOf(column)} came as a date that is not written as in ISO 8601, so that its month may be its day: ` +
      "run ALTER ROLE … SET DateStyle TO 'ISO, MDY' for the role of the connection",
  )
}

/** `1.00` is a whole number too. */
export function readWholeNumeric(column: Column, text: string): bigint {
  const [whole = '', ...rest] = text.split('.')
  if (/^-?\d+$/.test(whole) && rest.every((digits) => /^0*$/.test(digits))) return BigInt(whole)
  throw new RangeError(`${nameOf(column)} holds a number that is not whole: declare it without mode: 'bigint'`)
}

function nameOf(column: Column): string {
  return `Column '${getTableName(column.table)}.${column.name}'`
}
