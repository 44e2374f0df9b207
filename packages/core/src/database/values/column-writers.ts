import { type Column, is } from 'drizzle-orm'
import { PgArray } from 'drizzle-orm/pg-core'
import { toArrayText } from './array-text.ts'
import { toParameterText } from './parameters.ts'

/**
 * PostgreSQL's text of a value of this column, where drizzle's own (0.45) loses something: bytes within an array, and the sign of
 * zero. Null for all other columns. Throws for what is no value of the column.
 */
export function columnWriter(column: Column): ((value: unknown) => string) | null {
  return is(column, PgArray) ? (value) => toArrayText(elementTexts(column, value), String) : null
}

/** By the declared dimensions: an element may be an array of JavaScript itself, as JSON and points are. */
function elementTexts(column: Column, value: unknown): unknown {
  if (value === null) return null
  if (!is(column, PgArray)) return toParameterText(column.mapToDriverValue(value))
  if (!Array.isArray(value)) throw new TypeError('Not an array')
  const { baseColumn }: { readonly baseColumn: Column } = column
  return value.map((each) => elementTexts(baseColumn, each))
}
