import { getTableColumns, inArray, lte, sql } from 'drizzle-orm'
import type { PgColumn, PgTable } from 'drizzle-orm/pg-core'
import { ValidationError } from '../errors/app-error.ts'
import type { Database } from './database.ts'
import { maxParameters } from './identify.ts'
import { type OrderBy, toOrderBy, toTerms } from './order.ts'
import { type RowOf, type ShapeColumn, type TableShape, toTableShape } from './table.ts'

/** Rows of another table that belong to a row; made by `hasMany` and `hasOne`. */
export interface Relation<TTable extends PgTable = PgTable, TMany extends boolean = boolean> {
  readonly table: TTable
  readonly many: TMany
  /** Of the row that has them. */
  readonly from: PgColumn
  /** Of the rows that it has. */
  readonly to: PgColumn
  /** Of `hasMany`: by which columns, and at most how many for each row. */
  readonly orderBy: object
  readonly limit: number
}

/** By the names under which they are loaded. */
export type Relations = Readonly<Record<string, Relation>>

/** What a relation loads for one row. */
export type RelatedOf<TRelation extends Relation> = TRelation['many'] extends true
  ? RowOf<TRelation['table']>[]
  : RowOf<TRelation['table']> | null

/**
 * A row with what was loaded for it. Where the names are written down every one of them is there; where they come from an
 * input any of them may be missing.
 */
export type Loaded<TRow, TRelations extends Relations, TNames extends readonly (keyof TRelations)[]> = TRow &
  (number extends TNames['length']
    ? { readonly [Name in TNames[number]]?: RelatedOf<TRelations[Name]> }
    : { readonly [Name in TNames[number]]: RelatedOf<TRelations[Name]> })

/** Rows of one relation for each row: what is more is not loaded. */
const defaultLimit = 1000

/**
 * Many rows of `table`, whose column `to` has the value of the row's column `from`.
 *
 * @example
 * const relations = { books: hasMany(books, { from: authors.id, to: books.authorId, orderBy: { title: 'asc' } }) }
 */
export function hasMany<TTable extends PgTable>(
  table: TTable,
  options: {
    readonly from: PgColumn
    readonly to: PgColumn
    /** Default by primary key. */
    readonly orderBy?: OrderBy<TTable>
    /** Most of them for each row. Default 1000. */
    readonly limit?: number
  },
): Relation<TTable, true> {
  const { from, to, orderBy = {}, limit = defaultLimit } = options
  if (!Number.isSafeInteger(limit) || limit < 1) throw new TypeError('limit of hasMany() must be a whole number from 1')
  checkColumn('hasMany', table, to)
  toTerms(toTableShape(table), orderBy)
  return { table, many: true, from, to, orderBy, limit }
}

/**
 * The row of `table` whose column `to`, a unique one, has the value of the row's column `from`; null when there is none.
 *
 * @example
 * const relations = { author: hasOne(authors, { from: books.authorId, to: authors.id }) }
 */
export function hasOne<TTable extends PgTable>(
  table: TTable,
  { from, to }: { readonly from: PgColumn; readonly to: PgColumn },
): Relation<TTable, false> {
  checkColumn('hasOne', table, to)
  return { table, many: false, from, to, orderBy: {}, limit: 1 }
}

function checkColumn(what: string, table: PgTable, column: PgColumn): void {
  const shape = toTableShape(table)
  if (columnOf(shape, column) !== undefined) return
  throw new TypeError(`\`to\` of ${what}() must be a column of '${shape.name}', not '${column.name}' of another table`)
}

type Row = Readonly<Record<string, unknown>>

/** The rows with those of each relation, under its name: one query for each name, and one more for each further 65,000 keys. */
export async function loadRelations<TRow, TRelations extends Relations, TNames extends readonly (keyof TRelations)[]>(
  db: Database,
  shape: TableShape,
  rows: readonly TRow[],
  relations: TRelations,
  names: TNames,
): Promise<Loaded<TRow, TRelations, TNames>[]>
export async function loadRelations(
  db: Database,
  shape: TableShape,
  rows: readonly Row[],
  relations: Relations,
  names: readonly string[],
): Promise<Row[]> {
  const loaded: Record<string, unknown>[] = rows.map((row) => ({ ...row }))
  for (const name of new Set(names)) {
    const relation = Object.hasOwn(relations, name) ? relations[name] : undefined
    if (relation === undefined) {
      throw new ValidationError('Unknown relation', [
        { path: name, message: `${shape.entityName} has no such relation` },
      ])
    }
    const from = columnOf(shape, relation.from)
    if (from === undefined) {
      throw new TypeError(`The relation '${name}' starts from a column that is none of '${shape.name}'`)
    }
    const groups = await loadOne(db, relation, from, rows)
    for (const row of loaded) {
      const group = groups.get(keyOf(from, row[from.name])) ?? []
      row[name] = relation.many ? group : (group[0] ?? null)
    }
  }
  return loaded
}

async function loadOne(
  db: Database,
  relation: Relation,
  from: ShapeColumn,
  rows: readonly Row[],
): Promise<Map<unknown, Row[]>> {
  const values = new Map<unknown, unknown>()
  for (const row of rows) {
    const value = row[from.name]
    if (value !== null && value !== undefined) values.set(keyOf(from, value), value)
  }
  const groups = new Map<unknown, Row[]>()
  if (values.size === 0) return groups
  const shape = toTableShape(relation.table)
  const to = columnOf(shape, relation.to)
  if (to === undefined) return groups
  const order = sql.join(toOrderBy(toTerms(shape, relation.orderBy)), sql`, `)
  const columns = getTableColumns(shape.table)
  const place = sql<number>`row_number() over (partition by ${relation.to} order by ${order})`.as('~place')
  const keys = [...values.values()]
  // The rows of one key are in one part, so each part is whole by itself.
  for (let start = 0; start < keys.length; start += maxParameters) {
    const ranked = db
      .select({ ...columns, '~place': place })
      .from(shape.table)
      .where(inArray(relation.to, keys.slice(start, start + maxParameters)))
      .as('~ranked')
    const found: readonly Row[] = await db
      .select()
      .from(ranked)
      .where(lte(ranked['~place'], relation.limit))
      .orderBy(ranked['~place'])
    for (const { '~place': _place, ...row } of found) {
      const key = keyOf(to, row[to.name])
      const group = groups.get(key)
      if (group === undefined) groups.set(key, [row])
      else group.push(row)
    }
  }
  return groups
}

function columnOf({ columns }: TableShape, column: PgColumn): ShapeColumn | undefined {
  return Object.values(columns).find((each) => each.column === column)
}

/** Both ends may be of different types, `serial` and `bigint`: as texts they meet. */
function keyOf(column: ShapeColumn, value: unknown): unknown {
  return String(column.toKey(value))
}
