import { getTableColumns, type InferInsertModel, type InferSelectModel } from 'drizzle-orm'
import { getTableConfig, type PgColumn, type PgTable } from 'drizzle-orm/pg-core'
import { type ColumnKind, toColumnKind } from './column-kind.ts'

/**
 * The type of a table, to give it a name: editors then show `Filters<Authors>` instead of all its columns.
 *
 * @example
 * interface Authors extends TableOf<typeof authors> {}
 * class AuthorRepository extends BaseRepository<Authors> {}
 */
export type TableOf<TTable extends PgTable> = TTable

/** A row of `TTable`, as selected. */
export type RowOf<TTable extends PgTable> = InferSelectModel<TTable>

/** Values of an insert: columns with a default, and nullable ones, may be left out. */
export type InsertOf<TTable extends PgTable> = InferInsertModel<TTable>

/** Values of an update; columns that are left out or undefined stay as they are. */
export type PatchOf<TTable extends PgTable> = {
  readonly [Name in keyof InsertOf<TTable>]?: InsertOf<TTable>[Name] | undefined
}

/** The names of the columns, as the table's object has them. */
export type ColumnName<TTable extends PgTable> = keyof RowOf<TTable> & string

/** The column declared with `.primaryKey()`. */
type ShownKey<TTable extends PgTable> = {
  [Name in ColumnName<TTable>]: TTable['_']['columns'][Name]['_']['isPrimaryKey'] extends true ? Name : never
}[ColumnName<TTable>]

/**
 * The name of the primary key, as far as drizzle's types show it: the column declared with `.primaryKey()`, else `id`. A key that is
 * declared beside the columns (`primaryKey({ columns: [t.a, t.b] })`) has to be named, see `RepositoryOptions`.
 */
export type KeyName<TTable extends PgTable> = [ShownKey<TTable>] extends [never]
  ? Extract<ColumnName<TTable>, 'id'>
  : ShownKey<TTable>

type IsUnion<T, Each = T> = [T] extends [never] ? false : Each extends T ? ([T] extends [Each] ? false : true) : false

/**
 * The ID of a row: the type of the primary key's column, or for a key of several columns an object, `{ userId: 1, groupId: 2 }`.
 * `never` for a table whose key the types do not show.
 */
export type IdOf<TTable extends PgTable, TKey extends ColumnName<TTable> = KeyName<TTable>> =
  IsUnion<TKey> extends true
    ? { readonly [Name in TKey]: NonNullable<RowOf<TTable>[Name]> }
    : NonNullable<RowOf<TTable>[TKey]>

/** A column and its values. */
export interface ShapeColumn extends ColumnKind {
  /** The key in the table's object, not the name in the database. */
  readonly name: string
  readonly column: PgColumn
  /** Can it be null? A column of the primary key cannot, wherever the key is declared. */
  readonly nullable: boolean
}

/** A table at run time. */
export interface TableShape {
  readonly table: PgTable
  /** The name in the database, for messages and cursors. */
  readonly name: string
  /** By the keys of the table's object. */
  readonly columns: Readonly<Record<string, ShapeColumn>>
  /** The primary key, in the declared order. */
  readonly key: readonly ShapeColumn[]
  /** The name of a row in messages: `Author` for the table `authors`. */
  readonly entityName: string
}

// Repositories are created for each call; reading a table's configuration runs its index and constraint builders.
const shapes = new WeakMap<PgTable, TableShape>()

/** Throws a TypeError for a table without a primary key. */
export function toTableShape(table: PgTable): TableShape {
  const known = shapes.get(table)
  if (known !== undefined) return known
  const { name, schema, columns: list, primaryKeys } = getTableConfig(table)
  // By name: a key that is declared beside the columns has other column objects.
  const beside = primaryKeys.flatMap((key) => key.columns)
  const keys = [...new Set([...list.filter((column) => column.primary), ...beside].map((column) => column.name))]
  if (keys.length === 0) {
    throw new TypeError(
      `A repository requires a table with a primary key; '${name}' has none. ` +
        'Declare one with .primaryKey() or primaryKey({ columns }), or query the table with drizzle.',
    )
  }
  const columns: Record<string, ShapeColumn> = {}
  for (const [key, column] of Object.entries(getTableColumns(table))) {
    const nullable = !column.notNull && !keys.includes(column.name)
    columns[key] = { ...toColumnKind(column), name: key, column, nullable }
  }
  const shape: TableShape = {
    table,
    name: schema === undefined ? name : `${schema}.${name}`,
    columns,
    key: keys.flatMap((key) => Object.values(columns).find(({ column }) => column.name === key) ?? []),
    entityName: toEntityName(name),
  }
  shapes.set(table, shape)
  return shape
}

/** Own properties only: `constructor` is not a column. */
export function findColumn(shape: TableShape, name: string): ShapeColumn | undefined {
  return Object.hasOwn(shape.columns, name) ? shape.columns[name] : undefined
}

/** `authors` -> `Author`, `book_categories` -> `BookCategory`. Only regular English plurals. */
export function toEntityName(tableName: string): string {
  const words = tableName.split(/[^\p{L}\p{N}]+/u).filter((word) => word !== '')
  const last = words.pop() ?? tableName
  return [...words, toSingular(last)].map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('')
}

function toSingular(word: string): string {
  if (/[^aeiou]ies$/i.test(word)) return `${word.slice(0, -3)}y`
  if (/(ss|sh|ch|x|z)es$/i.test(word)) return word.slice(0, -2)
  if (/(ss|us|is)$/i.test(word)) return word
  return word.replace(/s$/i, '')
}
