import { and, eq, isNotNull, isNull, or, type SQL, sql } from 'drizzle-orm'
import type { SortTerm } from './order.ts'
import type { ShapeColumn } from './table.ts'

/** Where a row stands in an order: for each term the text of its value, null where it has none. */
export type Position = readonly (string | null)[]

/**
 * The rows that come after a position, which need not be a row that is still there.
 *
 * Where no term may be null and all go one way it is one comparison of rows, `(a, b) > (x, y)`, which an index on (a, b) answers
 * from its middle. Else it is written out: after in the first term, or equal there and after in the second, and so on.
 *
 * @see https://www.postgresql.org/docs/current/functions-comparisons.html#ROW-WISE-COMPARISON
 */
export function toKeyset(terms: readonly SortTerm[], position: Position): SQL {
  const [first] = terms
  if (first === undefined || position.length !== terms.length)
    throw new TypeError('A position has a value for each term')
  if (terms.every(({ column, descending }) => !column.nullable && descending === first.descending)) {
    return compareRows(terms, position, first.descending)
  }
  const alternatives = terms.map((term, index) => {
    const before = terms.slice(0, index).map(({ column }, place) => isSame(column, position[place] ?? null))
    return and(...before, isAfter(term, position[index] ?? null))
  })
  const written = or(...alternatives) ?? sql`false`
  const text = position[0] ?? null
  // Says nothing new, but an index on the first column can start there; no index starts within an `or`.
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

/** Bound as a text and read by PostgreSQL itself: drivers and drizzle would each make something of their own of it. */
function toValue(column: ShapeColumn, text: string | null): SQL {
  return sql`cast(${text}::text as ${column.type})`
}
