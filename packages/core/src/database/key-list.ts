import { and, eq, type SQL, sql } from 'drizzle-orm'
import type { ShapeColumn } from './table.ts'

/** Values to look for, as a table in FROM that the rows are joined with. */
export interface KeyList {
  readonly table: SQL
  /** Does a row have the key in these columns, one for each column of the key? */
  fits(columns: readonly ShapeColumn[]): SQL
  /** Which of the keys a row has: its index. */
  readonly place: SQL<number>
}

const name = sql.identifier('~keys')

/**
 * The keys with their places, so that PostgreSQL says which row has which key: only it knows that `Ann` and `ann` are one citext,
 * that 1.50 is 1.5, and what a collation holds equal. Nothing is compared in JavaScript.
 *
 * The first row is never there (NULL equals nothing): its types make PostgreSQL read the parameters as it does in `column = $1`.
 * A cast would need the type's name, and to `varchar(4)`, `numeric(10, 2)` or `char` it cuts or rounds a key to another one.
 */
export function toKeyList(columns: readonly ShapeColumn[], keys: readonly (readonly SQL[])[]): KeyList {
  const typed = columns.map(({ column }) => sql`(select ${column} from ${column.table} where false)`)
  const rows = [[...typed, sql`-1`], ...keys.map((values, place) => [...values, sql.raw(String(place))])]
  const list = rows.map((row) => sql`(${sql.join(row, sql`, `)})`)
  const names = [...columns.map((_, index) => keyName(index)), sql.identifier('place')]
  return {
    table: sql`(values ${sql.join(list, sql`, `)}) as ${name} (${sql.join(names, sql`, `)})`,
    fits: (fitting) =>
      and(...fitting.map(({ column }, index) => eq(column, sql`${name}.${keyName(index)}`))) ?? sql`false`,
    place: sql<number>`${name}.${sql.identifier('place')}`,
  }
}

function keyName(index: number): ReturnType<typeof sql.identifier> {
  return sql.identifier(`key${index}`)
}

/** A value as its column writes it. */
export function toKeyValue({ column, comparison, toStored }: ShapeColumn, value: unknown): SQL {
  if (toStored !== null) return sql`${sql.param(toStored(value))}`
  // drizzle looks into a parameter's value, and cannot into an object without a prototype: it gets the driver's text of it.
  if (comparison === 'equal') return sql`${sql.param(column.mapToDriverValue(value))}`
  return sql`${sql.param(value, column)}`
}

/**
 * What a value is told apart by before it is looked for, so that one that is given twice is looked for once. Two that PostgreSQL
 * holds equal may differ here: then a row is found for each of them.
 */
export function toIdentity(parts: readonly unknown[]): unknown {
  const plain = parts.map((part) => (part instanceof Date ? part.getTime() : part))
  if (plain.length === 1) return plain[0]
  // Objects are told apart by what they are, not by what is in them.
  return plain.some((part) => typeof part === 'object')
    ? parts
    : JSON.stringify(plain.map((part) => [typeof part, String(part)]))
}
