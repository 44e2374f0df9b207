import type { AnySchema, InputOf, OutputOf, Schema } from '../base/schema.ts'
import type { PageMeta } from '../protocol/frame.ts'

declare const madeByPage: unique symbol

/** A page of items, made by `page`: `data` and `meta` of a reply package, `{items, meta}` over HTTP. */
export interface Page<out T> {
  readonly items: readonly T[]
  readonly meta: PageMeta
  /** Never set: a page that `page` did not make does not compile, and would be an `internal_error`. */
  readonly [madeByPage]: true
}

class PageResult<T> implements Page<T> {
  readonly items: readonly T[]
  readonly meta: PageMeta
  declare readonly [madeByPage]: true
  constructor(items: readonly T[], meta: PageMeta) {
    this.items = items
    this.meta = meta
  }
}

/** Of a page by number: the other properties follow from these three. */
type OffsetMeta = Pick<PageMeta, 'page' | 'per_page' | 'total'> & Partial<PageMeta>
/** Of a page by cursor: there are more pages unless the cursor is null. */
type CursorMeta = Pick<PageMeta, 'per_page' | 'next_cursor'> & Partial<PageMeta>

/**
 * Makes the result of a route with `output: pageOf(…)`. Of `meta` only `page`, `per_page` and `total` are needed, or `per_page`
 * and `next_cursor`.
 *
 * @example
 * return page(authors, { page: 2, per_page: 20, total: 41 }) // pages: 3, has_more: true
 * return page(authors, { per_page: 20, next_cursor: 'AQ…' }) // page: 1, total: 0, pages: 0, has_more: true
 */
export function page<T>(items: readonly T[], meta: OffsetMeta | CursorMeta): Page<T> {
  const { page: number = 1, per_page, total = 0, next_cursor = null } = meta
  const pages = meta.pages ?? Math.ceil(total / per_page)
  const has_more = meta.has_more ?? (next_cursor !== null || number < pages)
  return new PageResult(items, { page: number, per_page, total, pages, next_cursor, has_more })
}

/** The same page with other items. */
export function withItems<T>({ meta }: Page<unknown>, items: readonly T[]): Page<T> {
  return new PageResult(items, meta)
}

/** True for what `page` returns. */
export function isPage(value: unknown): value is Page<unknown> {
  return value instanceof PageResult
}

/** The schema of a page. */
export interface PageSchema<out S extends AnySchema = AnySchema> extends Schema<Page<InputOf<S>>, Page<OutputOf<S>>> {
  readonly item: S
}

/**
 * The `output` of a route that answers with pages of `item`.
 *
 * @example
 * route({ output: pageOf(AuthorSchema), handler: () => page([{ id: 1, name: 'Ursula' }], { page: 1, per_page: 20, total: 1 }) })
 */
export function pageOf<S extends AnySchema>(item: S): PageSchema<S> {
  const standard: PageSchema['~standard'] = {
    version: 1,
    vendor: 'twinwire',
    validate: (value) => (isPage(value) ? { value } : { issues: [{ message: notAPage }] }),
  }
  return Object.freeze({ item, '~standard': standard })
}

const notAPage = 'a route with output: pageOf(…) must return page(items, meta)'

/** True for what `pageOf` returns. */
export function isPageSchema(schema: AnySchema): schema is PageSchema {
  return schema['~standard'].vendor === 'twinwire' && 'item' in schema
}
