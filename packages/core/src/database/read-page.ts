import { and, count, getTableColumns, type SQL, sql } from 'drizzle-orm'
import { type Page, page } from '../call/reply.ts'
import { type CursorScope, fromCursor, toCursor } from './cursor.ts'
import type { Database } from './database.ts'
import { type Position, toKeyset } from './keyset.ts'
import { type SortTerm, toOrderBy } from './order.ts'
import { type PageNumbers, toOffset, toSize } from './page.ts'
import { pageSettingsOf } from './page-settings.ts'
import type { ShapeColumn, TableShape } from './table.ts'

type Row = Record<string, unknown>

/** The rows to page through, and their order. */
export interface PageQuery {
  readonly shape: TableShape
  readonly terms: readonly SortTerm[]
  readonly where: SQL | undefined
}

/** By number, or after a `cursor`. */
export function readPage(db: Database, query: PageQuery, request: PageNumbers): Promise<Page<Row>> {
  return request.cursor === undefined ? readNumberedPage(db, query, request) : readCursorPage(db, query, request)
}

export async function countRows(db: Database, { shape, where }: Omit<PageQuery, 'terms'>): Promise<number> {
  const [row] = await db.select({ total: count() }).from(shape.table).where(where)
  return row?.total ?? 0
}

async function readNumberedPage(db: Database, query: PageQuery, request: PageNumbers): Promise<Page<Row>> {
  const { page: number = 1, total: isCounted = true } = request
  const { shape, terms, where } = query
  const size = toSize(request, pageSettingsOf(db))
  const offset = toOffset(number, size)
  const total = isCounted ? await countRows(db, query) : 0
  if (isCounted && offset >= total) return page([], { page: number, per_page: size, total })
  const found = await db
    .select()
    .from(shape.table)
    .where(where)
    .orderBy(...toOrderBy(terms))
    .limit(isCounted ? size : size + 1)
    .offset(offset)
  if (isCounted) return page(found, { page: number, per_page: size, total })
  return page(found.slice(0, size), { page: number, per_page: size, total: 0, has_more: found.length > size })
}

async function readCursorPage(db: Database, query: PageQuery, request: PageNumbers): Promise<Page<Row>> {
  const settings = pageSettingsOf(db)
  const size = toSize(request, settings)
  const scope: CursorScope = { ...query, secret: settings.cursorSecret }
  const { cursor = '' } = request
  const after = cursor === '' ? undefined : toKeyset(query.terms, fromCursor(scope, cursor))
  const total = request.total === true ? await countRows(db, query) : 0
  const { rows, next } = await readAfter(db, query, after, size)
  const next_cursor = next === null ? null : toCursor(scope, next)
  return page(rows, { per_page: size, next_cursor, total, has_more: next !== null })
}

/** The rows after a position, and the position of the last row; null on the last page. */
async function readAfter(
  db: Database,
  { shape, terms, where }: PageQuery,
  after: SQL | undefined,
  size: number,
): Promise<{ readonly rows: Row[]; readonly next: Position | null }> {
  const strings = toSortStrings(terms)
  const isExact = Object.keys(strings).length === 0
  const columns = getTableColumns(shape.table)
  const found: { readonly row: Row; readonly strings: Row }[] = await db
    .select(isExact ? { row: columns, strings: {} } : { row: columns, strings })
    .from(shape.table)
    .where(and(where, after))
    .orderBy(...toOrderBy(terms))
    // One row more shows whether there is another page.
    .limit(size + 1)
  const rows = found.slice(0, size)
  const last = rows.at(-1)
  const next = last === undefined || found.length <= size ? null : toPosition(terms, last.row, last.strings)
  return { rows: rows.map(({ row }) => row), next }
}

/**
 * The database's text of those values that lose precision in a row: a Date has no microseconds. By JSON, whose strings of dates and times do
 * not depend on settings of the session.
 */
function toSortStrings(terms: readonly SortTerm[]): Record<string, SQL<string | null>> {
  const strings: Record<string, SQL<string | null>> = {}
  for (const { column } of terms) {
    if (column.toText === null) strings[column.name] = toText(column)
  }
  return strings
}

function toText({ column }: ShapeColumn): SQL<string | null> {
  const json = sql`to_jsonb(${column})`
  const scalar = sql<string | null>`${json} #>> '{}'`
  if (column.dataType !== 'custom') return scalar
  // A custom type may be an array, a domain of one, or a row, whose text is not JSON.
  return sql`case when jsonb_typeof(${json}) in ('array', 'object') then ${column}::text else ${scalar} end`
}

function toPosition(terms: readonly SortTerm[], row: Row, strings: Row): Position {
  return terms.map(({ column: { name, toText } }) => {
    const value = toText === null ? strings[name] : row[name]
    return value === null || value === undefined ? null : toText === null ? String(value) : toText(value)
  })
}
