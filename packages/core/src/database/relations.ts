import { getTableColumns, lte, type SQL, sql } from 'drizzle-orm'
import type { PgColumn, PgTable } from 'drizzle-orm/pg-core'
import { ValidationError } from '../errors/app-error.ts'
import type { Database } from './database.ts'
import { maxParameters } from './identify.ts'
import { toIdentity, toKeyList, toKeyValue } from './key-list.ts'
import { type OrderBy, toOrderBy, toTerms } from './order.ts'
import { type RowOf, type ShapeColumn, type TableShape, toTableShape } from './table.ts'

/** Rows of another table that belong to a row; created by `hasMany` and `hasOne`. */
export interface Relation<TTable extends PgTable = PgTable, TMany extends boolean = boolean> {
  readonly table: TTable
  readonly many: TMany
  /** Column of the row that has them. */
  readonly from: PgColumn
  /** Column of the related rows. */
  readonly to: PgColumn
  /** For `hasMany`: the order, and the maximum for each row. */
  readonly orderBy: object
  readonly limit: number
}

/** Relations by the names under which they are loaded. */
export type Relations = Readonly<Record<string, Relation>>

/** What a relation loads for one row. */
export type RelatedOf<TRelation extends Relation> = TRelation['many'] extends true
  ? RowOf<TRelation['table']>[]
  : RowOf<TRelation['table']> | null

/** A row with its related rows. Literal names are always present; names that come from an input may be missing. */
export type Loaded<TRow, TRelations extends Relations, TNames extends readonly (keyof TRelations)[]> = TRow &
  (number extends TNames['length']
    ? { readonly [Name in TNames[number]]?: RelatedOf<TRelations[Name]> }
    : { readonly [Name in TNames[number]]: RelatedOf<TRelations[Name]> })

/** Maximum rows of one relation for each row. */
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
    /** Maximum for each row. Default 1000. */
    readonly limit?: number
  },
): Relation<TTable, true> {
  const { from, to, orderBy = {}, limit = defaultLimit } = options
  if (!Number.isSafeInteger(limit) || limit < 1)
    throw new TypeError('limit of hasMany() must be an integer of at least 1')
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

/** The rows with the related rows under the name of each relation: one query for each name, and one more for each further 65,000 keys. */
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
      throw new ValidationError('Unknown relation', [{ path: name, message: `Not a relation of ${shape.entityName}` }])
    }
    const from = columnOf(shape, relation.from)
    if (from === undefined) {
      throw new TypeError(`\`from\` of the relation '${name}' must be a column of '${shape.name}'`)
    }
    const groups = await loadOne(db, relation, from, rows)
    for (const row of loaded) {
      const group = groups.get(toIdentity([row[from.name]])) ?? []
      row[name] = relation.many ? group : (group[0] ?? null)
    }
  }
  return loaded
}

/** The related rows, by the identity of the row's value. */
async function loadOne(
  db: Database,
  relation: Relation,
  from: ShapeColumn,
  rows: readonly Row[],
): Promise<Map<unknown, Row[]>> {
  const groups = new Map<unknown, Row[]>()
  const shape = toTableShape(relation.table)
  const to = columnOf(shape, relation.to)
  if (to === undefined) return groups
  const toKey = toRelatedKey(from, to)
  const keys: { readonly key: SQL; readonly group: Row[] }[] = []
  for (const row of rows) {
    const value = row[from.name]
    const identity = toIdentity([value])
    if (value === null || value === undefined || groups.has(identity)) continue
    const group: Row[] = []
    groups.set(identity, group)
    const key = toKey.toValue(value)
    if (key !== null) keys.push({ key, group })
  }
  const order = sql.join(toOrderBy(toTerms(shape, relation.orderBy)), sql`, `)
  const columns = getTableColumns(shape.table)
  // All rows of one key are in one part.
  for (let start = 0; start < keys.length; start += maxParameters) {
    const part = keys.slice(start, start + maxParameters)
    const list = toKeyList(
      [toKey.column],
      part.map(({ key }) => [key]),
    )
    const rank = sql<number>`row_number() over (partition by ${list.place} order by ${order})`
    const ranked = db
      .select({ ...columns, '~place': list.place.as('~place'), '~rank': rank.as('~rank') })
      .from(shape.table)
      .innerJoin(list.table, list.fits([to]))
      .as('~ranked')
    const found = await db.select().from(ranked).where(lte(ranked['~rank'], relation.limit)).orderBy(ranked['~rank'])
    for (const { '~place': place, '~rank': _rank, ...row } of found) part[place]?.group.push(row)
  }
  return groups
}

/** The column by which keys are written, and the parameter of a value; null for a value that no related row can have. */
interface RelatedKey {
  readonly column: ShapeColumn
  toValue(value: unknown): SQL | null
}

/**
 * PostgreSQL compares columns of related types: integer and numeric, char and text, date and timestamp. The keys then have the type of the
 * row's column. For other pairs it has no `=` (text and uuid): then the text of the key is read as a value of the related column.
 */
function toRelatedKey(from: ShapeColumn, to: ShapeColumn): RelatedKey {
  if (toFamily(from.column) === toFamily(to.column)) {
    return { column: from, toValue: (value) => toKeyValue(from, value) }
  }
  const isFlag = to.column.dataType === 'boolean'
  return {
    column: to,
    toValue: (value) => {
      const text = String(from.column.mapToDriverValue(value))
      return to.admits(text) ? sql`${isFlag ? text === 'true' : text}` : null
    },
  }
}

/** Types between which PostgreSQL has an `=`. */
const families: Readonly<Record<string, readonly string[]>> = {
  number: [
    ...['smallint', 'integer', 'bigint', 'smallserial', 'serial', 'bigserial', 'numeric', 'decimal', 'real'],
    ...['double precision', 'int', 'int2', 'int4', 'int8', 'float4', 'float8'],
  ],
  text: ['text', 'varchar', 'char', 'character varying', 'character', 'bpchar', 'citext'],
  time: ['date', 'timestamp', 'timestamptz', 'timestamp with time zone', 'timestamp without time zone'],
}

/** The name of the type when it is in no family. */
function toFamily(column: PgColumn): string {
  const type = column
    .getSQLType()
    .toLowerCase()
    .replace(/ *\([^)]*\)/, '')
  return Object.keys(families).find((name) => families[name]?.includes(type)) ?? type
}

function columnOf({ columns }: TableShape, column: PgColumn): ShapeColumn | undefined {
  return Object.values(columns).find((each) => each.column === column)
}
