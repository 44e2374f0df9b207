import * as v from 'valibot'
import { maxCursorLength } from '../cursor.ts'

export interface PageInputOptions {
  /** A larger `per_page` is reduced to it; `pages.maxSize` of `database()` applies too. Default: only the latter. */
  readonly maxPerPage?: number
}

/** Entries of a route's input. */
export interface PageInput {
  readonly page: v.OptionalSchema<v.GenericSchema<number>, undefined>
  readonly per_page: v.OptionalSchema<v.GenericSchema<number>, undefined>
  readonly cursor: v.OptionalSchema<v.GenericSchema<string>, undefined>
}

/**
 * The input of a route that answers with a page: `page`, `per_page` and `cursor`, all optional. The default size and the maximum are settings
 * of the app (`pages` of `database()`): a larger `per_page` is reduced, and is not an error.
 *
 * @example
 * input: v.strictObject({ ...pageInput(), sort: v.optional(sortSchema(authors, ['name', 'born'])) }),
 * handler: ({ page, per_page, cursor, sort }, { db }) =>
 *   new AuthorRepository(db).getPage({ page, perPage: per_page, cursor, orderBy: sort }),
 */
export function pageInput({ maxPerPage }: PageInputOptions = {}): PageInput {
  const positive = v.pipe(v.number(), v.safeInteger(), v.minValue(1))
  return {
    page: v.optional(positive),
    per_page: v.optional(
      maxPerPage === undefined
        ? positive
        : v.pipe(
            positive,
            v.transform((size) => Math.min(size, maxPerPage)),
          ),
    ),
    cursor: v.optional(v.pipe(v.string(), v.maxLength(maxCursorLength))),
  }
}
