import { and, getTableColumns, type SQL, sql } from 'drizzle-orm'
import type { CursorScope } from './cursor.ts'
import type { Database } from './database.ts'
import type { Position } from './keyset.ts'
import { type SortTerm, toOrderBy } from './order.ts'
import type { ShapeColumn } from './table.ts'

type Row = Record<string, unknown>

/** One page of a walk, and the position of its last row; null when it is the last page. */
export async function readWalk(
  db: Database,
  { shape, terms, where }: CursorScope,
  after: SQL | undefined,
  size: number,
): Promise<{ readonly rows: Row[]; readonly next: Position | null }> {
  const texts = toTexts(terms)
  const isExact = Object.keys(texts).length === 0
  const columns = getTableColumns(shape.table)
  const found: { readonly row: Row; readonly texts: Row }[] = await db
    .select(isExact ? { row: columns, texts: {} } : { row: columns, texts })
    .from(shape.table)
    .where(and(where, after))
    .orderBy(...toOrderBy(terms))
    // One more tells whether there is more.
    .limit(size + 1)
  const page = found.slice(0, size)
  const last = page.at(-1)
  const next = last === undefined || found.length <= size ? null : toPosition(terms, last.row, last.texts)
  return { rows: page.map(({ row }) => row), next }
}

/**
 * The database's own text of those values that lose something on their way into a row: what is read back from a Date has no
 * microseconds. By way of JSON, since its texts of dates and times do not depend on settings of the session.
 */
function toTexts(terms: readonly SortTerm[]): Record<string, SQL<string | null>> {
  const texts: Record<string, SQL<string | null>> = {}
  for (const { column } of terms) {
    if (column.toText === null) texts[column.name] = toText(column)
  }
  return texts
}

function toText({ column }: ShapeColumn): SQL<string | null> {
  const json = sql`to_jsonb(${column})`
  const scalar = sql<string | null>`${json} #>> '{}'`
  if (column.dataType !== 'custom') return scalar
  // It may be an array, a domain of one, or a row: they have a text of their own.
  return sql`case when jsonb_typeof(${json}) in ('array', 'object') then ${column}::text else ${scalar} end`
}

function toPosition(terms: readonly SortTerm[], row: Row, texts: Row): Position {
  return terms.map(({ column: { name, toText } }) => {
    const value = toText === null ? texts[name] : row[name]
    return value === null || value === undefined ? null : toText === null ? String(value) : toText(value)
  })
}
