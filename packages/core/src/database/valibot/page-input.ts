import * as v from 'valibot'
import { maxCursorLength } from '../cursor.ts'

export interface PageInputOptions {
  /** A larger `per_page` is this; the app's own cap holds beside it. Default: the app's alone. */
  readonly maxPerPage?: number
}

/** Entries of a route's input. */
export interface PageInput {
  readonly page: v.OptionalSchema<v.GenericSchema<number>, undefined>
  readonly per_page: v.OptionalSchema<v.GenericSchema<number>, undefined>
  readonly cursor: v.OptionalSchema<v.GenericSchema<string>, undefined>
}

/**
 * What a route needs to be told to answer with a page: `page`, `per_page` and `cursor`, all optional; how many rows when it is not
 * told is the app's to say (`pages.defaultSize` of `database()`), and so is how many there are at most: a larger `per_page` is no mistake.
 *
 * @example
 * input: v.strictObject({ ...pageInput(), sort: v.optional(sortSchema(authors, ['name', 'born'])) }),
 * handler: ({ page, per_page, cursor, sort }, { db }) =>
 *   new AuthorRepository(db).getPage({ page, perPage: per_page, cursor, orderBy: sort }),
 */
export function pageInput({ maxPerPage }: PageInputOptions = {}): PageInput {
  const whole = v.pipe(v.number(), v.safeInteger(), v.minValue(1))
  return {
    page: v.optional(whole),
    per_page: v.optional(
      maxPerPage === undefined
        ? whole
        : v.pipe(
            whole,
            v.transform((size) => Math.min(size, maxPerPage)),
          ),
    ),
    cursor: v.optional(v.pipe(v.string(), v.maxLength(maxCursorLength))),
  }
}
