import type { SQL } from 'drizzle-orm'
import type { PgTable } from 'drizzle-orm/pg-core'
import { ValidationError } from '../errors/app-error.ts'
import type { Filters } from './filters.ts'
import type { OrderBy } from './order.ts'
import type { PageSettings } from './page-settings.ts'

/** Which page of which rows: by number, or with a `cursor` from where the last one ended. */
export interface PageRequest<TTable extends PgTable> {
  /** From 1. Default 1. Not looked at with a cursor. */
  readonly page?: number | undefined
  /** From 1; more than the app's cap (1000) is the cap. Default the app's (20); see `pages` of `database()`. `meta.per_page` says which. */
  readonly perPage?: number | undefined
  /** The `next_cursor` of the page before; `''` starts a walk at the beginning. */
  readonly cursor?: string | undefined
  /** Count all rows? Default true by number, false with a cursor: there `total` and `pages` are 0. */
  readonly total?: boolean | undefined
  readonly filters?: Filters<TTable> | undefined
  /** Any further condition, in drizzle's words. A cursor fits only the same one, values included. */
  readonly where?: SQL | undefined
  /** Default by primary key, which is also added as the last term. */
  readonly orderBy?: OrderBy<TTable> | undefined
}

interface Numbers {
  readonly page?: number | undefined
  readonly perPage?: number | undefined
}

/** Rows of a page, at most the cap. Throws ValidationError, with the wire's names of the fields. */
export function toSize({ perPage }: Numbers, { defaultSize, maxSize }: PageSettings): number {
  const size = perPage ?? defaultSize
  if (Number.isSafeInteger(size) && size >= 1) return Math.min(size, maxSize)
  throw invalid('per_page', 'Must be a whole number from 1')
}

/** How many rows lie before the page. Throws ValidationError. */
export function toOffset(page: number, size: number): number {
  const offset = (page - 1) * size
  // Past it, products of numbers are no longer exact, and PostgreSQL's OFFSET ends soon after.
  if (!Number.isSafeInteger(page) || page < 1 || !Number.isSafeInteger(offset)) {
    throw invalid('page', 'Must be a whole number from 1')
  }
  return offset
}

function invalid(path: string, message: string): ValidationError {
  return new ValidationError('Invalid page', [{ path, message }])
}
