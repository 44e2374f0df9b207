import { and, eq, isNotNull, isNull, or, type SQL, sql } from 'drizzle-orm'
import type { SortTerm } from './order.ts'
import type { ShapeColumn } from './table.ts'

/** The position of a row in an order: for each term the text of its value, null where it has none. */
export type Position = readonly (string | null)[]

/**
 * The rows after a position. The row of the position need not exist any more.
 *
 * When no term may be null and all have one direction, it is one comparison of rows, `(a, b) > (x, y)`, for which an index on (a, b) can
 * start in its middle. Otherwise it is written out: after in the first term, or equal there and after in the second, and so on.
 *
 * @see https://www.postgresql.org/docs/current/functions-comparisons.html#ROW-WISE-COMPARISON
 */
export function toKeyset(terms: readonly SortTerm[], position: Position): SQL {
  const [first] = terms
  if (first === undefined || position.length !== terms.length)
    throw new TypeError('A position must have a value for each term')
  if (terms.every(({ column, descending }) => !column.nullable && descending === first.descending)) {
    return compareRows(terms, position, first.descending)
  }
  const alternatives = terms.map((term, index) => {
    const before = terms.slice(0, index).map(({ column }, place) => isSame(column, position[place] ?? null))
    return and(...before, isAfter(term, position[index] ?? null))
  })
  const written = or(...alternatives) ?? sql`false`
  const text = position[0] ?? null
  // Redundant, but an index on the first column can start there; no index can start at an `or`.
  if (first.column.nullable || text === null) return written
  const bound = toValue(first.column, text)
  const from = first.descending ? sql`${first.column.column} <= ${bound}` : sql`${first.column.column} >= ${bound}`
  return and(from, written) ?? written
}

function compareRows(terms: readonly SortTerm[], position: Position, descending: boolean): SQL {
  const columns = sql.join(
    terms.map(({ column }) => sql`${column.column}`),
    sql`, `,
  )
  const values = sql.join(
    terms.map(({ column }, index) => toValue(column, position[index] ?? null)),
    sql`, `,
  )
  return descending ? sql`(${columns}) < (${values})` : sql`(${columns}) > (${values})`
}

/** Strictly after, in this one term. */
function isAfter({ column, descending, nullsFirst }: SortTerm, text: string | null): SQL {
  if (text === null) return nullsFirst ? isNotNull(column.column) : sql`false`
  const value = toValue(column, text)
  const after = descending ? sql`${column.column} < ${value}` : sql`${column.column} > ${value}`
  return column.nullable && !nullsFirst ? (or(after, isNull(column.column)) ?? after) : after
}

function isSame(column: ShapeColumn, text: string | null): SQL {
  return text === null ? isNull(column.column) : eq(column.column, toValue(column, text))
}

/** Sent as text and cast by PostgreSQL: drivers and drizzle would convert it, each in its own way. */
function toValue(column: ShapeColumn, text: string | null): SQL {
  return sql`cast(${text}::text as ${column.type})`
}
