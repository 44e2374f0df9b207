import { type Column, type DriverValueDecoder, getTableName, is } from 'drizzle-orm'
import { PgArray } from 'drizzle-orm/pg-core'
import { fromArrayText } from './array-text.ts'
import { fromTimeText } from './time-text.ts'
import { elementTypeOf, type Reader, readerOf, separatorOf, typeIds } from './type-readers.ts'

/** drizzle's conversion of a driver's value to a column's value. */
type Decoder = DriverValueDecoder<unknown, unknown>

/**
 * A column's reader of PostgreSQL's text of a value of `type`; null where the text is the value. drizzle's readers (0.45) lose
 * backslashes and nulls of arrays, parse JSON twice, and read `infinity` and years below 100 as other dates.
 */
export function columnReader(column: Column, type: number): Reader | null {
  const element = elementOf(column)
  return element === null ? scalarReader(column, type, column) : arrayReader(element, type, column)
}

/** `named`: the column that errors name, because elements of an array have no name. */
function scalarReader(column: Column, type: number, named: Column): Reader | null {
  switch (column.columnType) {
    case 'PgJson':
    case 'PgJsonb':
      return type === typeIds.json || type === typeIds.jsonb ? readerOf(type) : decoded(column, type)
    case 'PgTimestamp':
    case 'PgDate':
      return (text) => readTime(named, text)
    case 'PgNumericBigInt':
      return (text) => readIntegerNumeric(named, text)
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

/** The decoder applied to the value that is read by its type alone. */
export function decoded(decoder: Decoder, type: number): Reader {
  const read = readerOf(type)
  return read === null ? (text) => decoder.mapFromDriverValue(text) : (text) => decoder.mapFromDriverValue(read(text))
}

/** PostgreSQL does not store the declared number of dimensions: the depth of the value decides. */
function arrayReader(element: Column, type: number, named: Column): Reader {
  const read = scalarReader(element, elementTypeOf(type) ?? typeOf(element), named) ?? String
  const separator = separatorOf(type)
  return (text) => fromArrayText(text, read, separator)
}

/** The innermost element column of an array; null for any other column. */
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

/** By the declared type; 0 for types that are read as text. */
function typeOf(column: Column): number {
  return declared[column.getSQLType()] ?? 0
}

/** Throws a RangeError that names the column. */
export function readTime(column: Column, text: string): Date {
  const date = fromTimeText(text)
  if (date !== null) return date
  if (text === 'infinity' || text === '-infinity') {
    throw new RangeError(
      `${nameOf(column)} contains '${text}', which a Date cannot represent: declare the column with mode: 'string'`,
    )
  }
  if (/^\d{4,6}-\d\d-\d\d/.test(text)) {
    throw new RangeError(
      `${nameOf(column)} contains a time outside the range of a Date: declare the column with mode: 'string'`,
    )
  }
  throw new RangeError(
    `${nameOf(column)} has a date that is not in ISO 8601, so that month and day may be swapped: ` +
      "run ALTER ROLE … SET DateStyle TO 'ISO, MDY' for the role of the connection",
  )
}

/** `1.00` is an integer too. */
export function readIntegerNumeric(column: Column, text: string): bigint {
  const [integer = '', ...rest] = text.split('.')
  if (/^-?\d+$/.test(integer) && rest.every((digits) => /^0*$/.test(digits))) return BigInt(integer)
  throw new RangeError(
    `${nameOf(column)} contains a number that is not an integer: declare the column without mode: 'bigint'`,
  )
}

function nameOf(column: Column): string {
  return `Column '${getTableName(column.table)}.${column.name}'`
}
