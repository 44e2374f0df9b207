import { asc, desc, type SQL, sql } from 'drizzle-orm'
import type { PgTable } from 'drizzle-orm/pg-core'
import { ValidationError } from '../errors/app-error.ts'
import { type ColumnName, findColumn, type ShapeColumn, type TableShape } from './table.ts'

/** Without `nulls`, PostgreSQL's default: rows without a value are last in `asc`, first in `desc`. */
export type SortDirection =
  | 'asc'
  | 'desc'
  | 'asc nulls first'
  | 'asc nulls last'
  | 'desc nulls first'
  | 'desc nulls last'

/** Columns whose values have an order: all but JSON, arrays and bytes. */
export type SortableName<TTable extends PgTable> = {
  [Name in ColumnName<TTable>]: TTable['_']['columns'][Name]['_']['dataType'] extends 'json' | 'array' | 'buffer'
    ? never
    : Name
}[ColumnName<TTable>]

/** Columns to sort by, most important first: `{ name: 'asc', born: 'desc nulls last' }`. */
export type OrderBy<TTable extends PgTable> = { readonly [Name in SortableName<TTable>]?: SortDirection | undefined }

/** One column of an order. */
export interface SortTerm {
  readonly column: ShapeColumn
  readonly descending: boolean
  readonly nullsFirst: boolean
}

const directions: Readonly<Record<SortDirection, Omit<SortTerm, 'column'>>> = {
  asc: { descending: false, nullsFirst: false },
  'asc nulls first': { descending: false, nullsFirst: true },
  'asc nulls last': { descending: false, nullsFirst: false },
  desc: { descending: true, nullsFirst: true },
  'desc nulls first': { descending: true, nullsFirst: true },
  'desc nulls last': { descending: true, nullsFirst: false },
}

/** Adds the primary key, so that the order is total: pages of an unstable order skip and repeat rows. Throws ValidationError. */
export function toTerms(shape: TableShape, orderBy: object): SortTerm[] {
  const terms: SortTerm[] = []
  for (const [name, direction] of Object.entries(orderBy)) {
    const column = findColumn(shape, name)
    if (column === undefined) throw invalid('Unknown column', name, `Not a column of ${shape.entityName}`)
    if (direction === undefined) continue
    if (column.comparison !== 'scalar') throw invalid('Invalid order', name, 'Cannot be sorted by')
    if (!isDirection(direction)) {
      throw invalid('Invalid order', name, "Must be 'asc' or 'desc', with or without 'nulls first' or 'nulls last'")
    }
    terms.push({ column, ...directions[direction] })
  }
  // The direction of the rest of the key only decides whether one comparison of rows, and with it an index, is enough.
  const descending = terms.length > 0 && terms.every((term) => term.descending)
  for (const column of shape.key) {
    if (terms.some((term) => term.column === column)) continue
    terms.push({ column, descending, nullsFirst: descending })
  }
  return terms
}

/** For ORDER BY. */
export function toOrderBy(terms: readonly SortTerm[]): SQL[] {
  return terms.map(({ column, descending, nullsFirst }) => {
    const term = descending ? desc(column.column) : asc(column.column)
    // Only where it is not the default: an index has the default.
    if (!column.nullable || descending === nullsFirst) return term
    return nullsFirst ? sql`${term} nulls first` : sql`${term} nulls last`
  })
}

function isDirection(value: unknown): value is SortDirection {
  return typeof value === 'string' && Object.hasOwn(directions, value)
}

function invalid(title: string, path: string, message: string): ValidationError {
  return new ValidationError(title, [{ path, message }])
}
