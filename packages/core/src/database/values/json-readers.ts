import type { Column } from 'drizzle-orm'
import { elementOf, readIntegerNumeric, readTime } from './column-readers.ts'
import { readBytes } from './type-readers.ts'

/** Precedes a number that would lose digits: PostgreSQL's strings never contain it. */
const mark = '\0'

/** A string or a number. */
const tokens = /"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*/g

/** Parses JSON of nested rows. A number that JavaScript cannot represent becomes a marked string of its text. */
export function parseExactJson(text: string): unknown {
  return JSON.parse(
    text.replace(tokens, (token) =>
      token.startsWith('"') || isExact(token, Number(token)) ? token : JSON.stringify(mark + token),
    ),
  )
}

/** Above 2^53 the text of a number may be that of another number. */
function isExact(token: string, value: number): boolean {
  return String(value) === token && (Number.isSafeInteger(value) || !Number.isInteger(value))
}

/** A column's reader of a value, not null, of such JSON. */
export function jsonColumnReader(column: Column): (value: unknown) => unknown {
  const element = elementOf(column)
  return element === null ? scalarReader(column, column) : elementsOf(scalarReader(element, column))
}

/** `named`: the column that errors name, because elements of an array have no name. */
function scalarReader(column: Column, named: Column): (value: unknown) => unknown {
  switch (column.columnType) {
    case 'PgJson':
    case 'PgJsonb':
      return toNumbers
    case 'PgTimestamp':
    case 'PgDate':
      return (value) => readTime(named, String(value))
    case 'PgTimestampString':
      return toTimeOfRow
    case 'PgNumericBigInt':
      return (value) => readIntegerNumeric(named, String(toExact(value)))
    case 'PgCustomColumn':
      return customReader(column)
    default:
      return (value) => column.mapFromDriverValue(toExact(value))
  }
}

/** Restores the value as it would be in a row that is not nested. */
function customReader(column: Column): (value: unknown) => unknown {
  switch (column.getSQLType()) {
    case 'bytea':
      return (value) => column.mapFromDriverValue(readBytes(String(value)))
    case 'bigint':
    case 'numeric':
      return (value) => column.mapFromDriverValue(String(toExact(value)))
    case 'timestamp':
    case 'timestamp with time zone':
    case 'timestamptz':
      return (value) => column.mapFromDriverValue(toTimeOfRow(value))
    default:
      return (value) => column.mapFromDriverValue(toNumbers(value))
  }
}

function elementsOf(read: (value: unknown) => unknown): (value: unknown) => unknown {
  const each = (value: unknown): unknown =>
    value === null ? null : Array.isArray(value) ? value.map(each) : read(value)
  return each
}

/** JSON has `2024-05-06T10:20:30+00:00` where a row has `2024-05-06 10:20:30+00`. */
function toTimeOfRow(value: unknown): unknown {
  return typeof value === 'string' ? value.replace('T', ' ').replace(/([+-]\d\d):00( BC)?$/, '$1$2') : value
}

function isMarked(value: unknown): value is string {
  return typeof value === 'string' && value.startsWith(mark)
}

/** The text of a number that would lose digits. */
function toExact(value: unknown): unknown {
  return isMarked(value) ? value.slice(1) : value
}

/** In JSON of the application, and where the type is unknown, a number is what `JSON.parse` returns. */
export function toNumbers(value: unknown): unknown {
  if (isMarked(value)) return Number(value.slice(1))
  if (Array.isArray(value)) return value.map(toNumbers)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, toNumbers(each)]))
}
