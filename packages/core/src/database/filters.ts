import { and, asc, desc, eq, isNull, type SQL } from 'drizzle-orm'
import type { PgColumn, PgTable } from 'drizzle-orm/pg-core'
import { ValidationError } from '../errors/app-error.ts'
import type { ColumnName, RowOf, TableShape } from './table.ts'

/** Equality by column: `{ country: 'FR' }`. `null` finds rows without a value; an undefined one is skipped. */
export type Filters<TTable extends PgTable> = {
  readonly [Name in ColumnName<TTable>]?: RowOf<TTable>[Name] | null | undefined
}

/** Columns to sort by, most important first: `{ name: 'asc', born: 'desc' }`. */
export type OrderBy<TTable extends PgTable> = { readonly [Name in ColumnName<TTable>]?: 'asc' | 'desc' | undefined }

/** Both of a repository's ways to choose rows, as one condition; undefined when there is none. */
export function toWhere(shape: TableShape, filters: object, where?: SQL): SQL | undefined {
  const conditions: (SQL | undefined)[] = [where]
  for (const [name, value] of Object.entries(filters)) {
    const column = columnOf(shape, name)
    if (value === undefined) continue
    conditions.push(value === null ? isNull(column) : eq(column, value))
  }
  return and(...conditions)
}

/**
 * As `toWhere`, for questions about one row: `{ token: undefined }` must not find the first row that comes. Throws a
 * ValidationError when filters are named and none has a value.
 */
export function toOneWhere(shape: TableShape, filters: object): SQL | undefined {
  const where = toWhere(shape, filters)
  const names = Object.keys(filters)
  if (where === undefined && names.length > 0) {
    throw new ValidationError(
      'A filter has no value',
      names.map((path) => ({ path, message: 'A value is needed' })),
    )
  }
  return where
}

/** Ends with the primary key, so that the order is total: pages of an unstable order skip and repeat rows. */
export function toOrderBy(shape: TableShape, orderBy: object): SQL[] {
  const terms: SQL[] = []
  let total = false
  for (const [name, direction] of Object.entries(orderBy)) {
    const column = columnOf(shape, name)
    if (direction === undefined) continue
    if (direction !== 'asc' && direction !== 'desc') {
      throw new ValidationError('Unknown sort direction', [{ path: name, message: "Must be 'asc' or 'desc'" }])
    }
    terms.push(direction === 'asc' ? asc(column) : desc(column))
    total ||= column === shape.primaryKey
  }
  return total ? terms : [...terms, asc(shape.primaryKey)]
}

/** Own keys only: `constructor` and its kin are no columns. */
function columnOf(shape: TableShape, name: string): PgColumn {
  const column = Object.hasOwn(shape.columns, name) ? shape.columns[name] : undefined
  if (column === undefined) {
    throw new ValidationError('Unknown column', [{ path: name, message: `${shape.entityName} has no such column` }])
  }
  return column
}
