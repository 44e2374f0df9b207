import type { SQL } from 'drizzle-orm'
import type { PgTable } from 'drizzle-orm/pg-core'
import { ValidationError } from '../errors/app-error.ts'
import type { Filters } from './filters.ts'
import type { OrderBy } from './order.ts'
import type { PageSettings } from './page-settings.ts'

/** By number, or with a `cursor` after the last page. */
export interface PageNumbers {
  /** From 1. Default 1. Ignored with a cursor. */
  readonly page?: number | undefined
  /** From 1; reduced to the maximum of the app (1000). Default of the app: 20; see `pages` of `database()`. `meta.per_page` has the size in use. */
  readonly perPage?: number | undefined
  /** The `next_cursor` of the previous page; `''` for the first page. */
  readonly cursor?: string | undefined
  /** Count all rows. Default true by number, false with a cursor: `total` and `pages` are then 0. */
  readonly total?: boolean | undefined
}

/** A page of rows. */
export interface PageRequest<TTable extends PgTable> extends PageNumbers {
  readonly filters?: Filters<TTable> | undefined
  /** A further condition of drizzle. A cursor is only valid with the same condition, values included. */
  readonly where?: SQL | undefined
  /** Default by primary key, which is also added as the last term. */
  readonly orderBy?: OrderBy<TTable> | undefined
}

/** Rows of a page, at most `maxSize`. Throws ValidationError, with the field names of the wire. */
export function toSize({ perPage }: PageNumbers, { defaultSize, maxSize }: PageSettings): number {
  const size = perPage ?? defaultSize
  if (Number.isSafeInteger(size) && size >= 1) return Math.min(size, maxSize)
  throw invalid('per_page', 'Must be an integer of at least 1')
}

/** Number of rows before the page. Throws ValidationError. */
export function toOffset(page: number, size: number): number {
  const offset = (page - 1) * size
  // Larger numbers are not exact, and PostgreSQL's OFFSET ends soon after.
  if (!Number.isSafeInteger(page) || page < 1 || !Number.isSafeInteger(offset)) {
    throw invalid('page', 'Must be an integer of at least 1')
  }
  return offset
}

/** A limit or an offset. Throws ValidationError. */
export function toCount(name: string, value: number): number {
  if (Number.isSafeInteger(value) && value >= 0) return value
  throw new ValidationError(`Invalid ${name}`, [{ path: name, message: 'Must be an integer of at least 0' }])
}

function invalid(path: string, message: string): ValidationError {
  return new ValidationError('Invalid page', [{ path, message }])
}
