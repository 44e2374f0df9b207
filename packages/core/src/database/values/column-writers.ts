import { type Column, is } from 'drizzle-orm'
import { PgArray } from 'drizzle-orm/pg-core'
import { toArrayText } from './array-text.ts'
import { toParameterText } from './parameters.ts'

/**
 * PostgreSQL's text of a value of an array column, where drizzle's (0.45) loses something: bytes in an array, and the sign of zero. Null for
 * all other columns. Throws for a value that is not of the column.
 */
export function columnWriter(column: Column): ((value: unknown) => string) | null {
  return is(column, PgArray) ? (value) => toArrayText(toElementText(column, value), String) : null
}

/** By the declared dimensions: an element may be a JavaScript array, as JSON and points are. */
function toElementText(column: Column, value: unknown): unknown {
  if (value === null) return null
  if (!is(column, PgArray)) return toParameterText(column.mapToDriverValue(value))
  if (!Array.isArray(value)) throw new TypeError('Not an array')
  const { baseColumn }: { readonly baseColumn: Column } = column
  return value.map((each) => toElementText(baseColumn, each))
}
