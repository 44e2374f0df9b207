import type { Column } from 'drizzle-orm'
import { toArrayText } from './array-text.ts'
import { elementOf } from './column-readers.ts'
import { toParameterText } from './parameters.ts'

/**
 * PostgreSQL's text of a value of this column, where drizzle's own (0.45) loses something: bytes within an array, and the sign of
 * zero. Null for all other columns. Throws for what is no value of the column.
 */
export function columnWriter(column: Column): ((value: unknown) => string) | null {
  const element = elementOf(column)
  if (element === null) return null
  return (value) => {
    if (!Array.isArray(value)) throw new TypeError('Not an array')
    return toArrayText(value, (each) => toParameterText(element.mapToDriverValue(each)))
  }
}
