import { and, eq, type SQL, sql } from 'drizzle-orm'
import type { ShapeColumn } from './table.ts'

/** Values to look up, as a table in FROM that the rows are joined with. */
export interface KeyList {
  readonly table: SQL
  /** Condition: a row has the key in these columns, one for each column of the key. */
  fits(columns: readonly ShapeColumn[]): SQL
  /** The index of the key that a row has. */
  readonly place: SQL<number>
}

const name = sql.identifier('~keys')

/**
 * The keys with their indexes, so that PostgreSQL decides which row has which key: only it knows that `Ann` and `ann` are one citext,
 * that 1.50 is 1.5, and which strings a collation holds equal. Nothing is compared in JavaScript.
 *
 * The first row matches nothing (NULL equals nothing): its types make PostgreSQL read the parameters as it does in `column = $1`.
 * A cast would need the name of the type, and a cast to `varchar(4)`, `numeric(10, 2)` or `char` cuts or rounds a key.
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

/** The parameter of a value, written as its column writes it. */
export function toKeyValue({ column, comparison, toStored }: ShapeColumn, value: unknown): SQL {
  if (toStored !== null) return sql`${sql.param(toStored(value))}`
  // drizzle inspects the value of a parameter, and fails on an object without a prototype: it receives the driver's text instead.
  if (comparison === 'equal') return sql`${sql.param(column.mapToDriverValue(value))}`
  return sql`${sql.param(value, column)}`
}

/**
 * Distinguishes values before they are looked up, so that duplicates are looked up once. Two values that PostgreSQL holds equal may differ
 * here: then the row is found for each of them.
 */
export function toIdentity(parts: readonly unknown[]): unknown {
  const plain = parts.map((part) => (part instanceof Date ? part.getTime() : part))
  if (plain.length === 1) return plain[0]
  // Objects are compared by identity, not by content.
  return plain.some((part) => typeof part === 'object')
    ? parts
    : JSON.stringify(plain.map((part) => [typeof part, String(part)]))
}
