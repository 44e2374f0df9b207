import type { SQL } from 'drizzle-orm'
import type { PgTable } from 'drizzle-orm/pg-core'
import { ValidationError } from '../errors/app-error.ts'
import type { Filters, OrderBy } from './filters.ts'

/** Which page of which rows. */
export interface PageRequest<TTable extends PgTable> {
  /** From 1. */
  readonly page: number
  /** 1 to 1000. */
  readonly perPage: number
  readonly filters?: Filters<TTable> | undefined
  /** Any further condition, in drizzle's words. */
  readonly where?: SQL | undefined
  /** Default by primary key, which is also added as the last term. */
  readonly orderBy?: OrderBy<TTable> | undefined
}

type PagePosition = Pick<PageRequest<PgTable>, 'page' | 'perPage'>

const maxPerPage = 1000

/** How many rows lie before the page. Throws ValidationError, with the wire's names of the fields. */
export function toOffset({ page, perPage }: PagePosition): number {
  if (!Number.isSafeInteger(perPage) || perPage < 1 || perPage > maxPerPage) {
    throw invalid('per_page', `Must be a whole number from 1 to ${maxPerPage}`)
  }
  const offset = (page - 1) * perPage
  // Past it, products of numbers are no longer exact, and PostgreSQL's OFFSET ends soon after.
  if (!Number.isSafeInteger(page) || page < 1 || !Number.isSafeInteger(offset)) {
    throw invalid('page', 'Must be a whole number from 1')
  }
  return offset
}

function invalid(path: string, message: string): ValidationError {
  return new ValidationError('Invalid page', [{ path, message }])
}
