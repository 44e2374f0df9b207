import { getTableColumns, type InferInsertModel, type InferSelectModel } from 'drizzle-orm'
import { getTableConfig, type PgColumn, type PgTable } from 'drizzle-orm/pg-core'

/** A row of `TTable`, as selected. */
export type RowOf<TTable extends PgTable> = InferSelectModel<TTable>

/** What an insert takes: columns with a default, and nullable ones, may be left out. */
export type InsertOf<TTable extends PgTable> = InferInsertModel<TTable>

/** What an update takes; columns that are left out or undefined stay as they are. */
export type PatchOf<TTable extends PgTable> = {
  readonly [Name in keyof InsertOf<TTable>]?: InsertOf<TTable>[Name] | undefined
}

/** The names of the columns, as the table's object has them. */
export type ColumnName<TTable extends PgTable> = keyof RowOf<TTable> & string

type PrimaryKeyName<TTable extends PgTable> = {
  [Name in ColumnName<TTable>]: TTable['_']['columns'][Name]['_']['isPrimaryKey'] extends true ? Name : never
}[ColumnName<TTable>]

/**
 * The type of the primary key: of the column declared with `.primaryKey()`; of the column `id` where the key is declared
 * beside the columns (`primaryKey({ columns: [t.id] })`), which drizzle's types do not show; else `never`.
 */
export type IdOf<TTable extends PgTable> = [PrimaryKeyName<TTable>] extends [never]
  ? 'id' extends ColumnName<TTable>
    ? NonNullable<RowOf<TTable>['id']>
    : never
  : RowOf<TTable>[PrimaryKeyName<TTable>]

/** What a repository has to know of its table at run time. */
export interface TableShape {
  readonly table: PgTable
  /** By the names of the table's object, not those of the database. */
  readonly columns: Readonly<Record<string, PgColumn>>
  readonly primaryKey: PgColumn
  /** What messages call a row: `Author` for the table `authors`. */
  readonly entityName: string
}

// Repositories are made once for each call; reading a table's configuration runs its index and constraint builders.
const shapes = new WeakMap<PgTable, TableShape>()

/** Throws a TypeError for a table without a primary key of exactly one column. */
export function toTableShape(table: PgTable): TableShape {
  const known = shapes.get(table)
  if (known !== undefined) return known
  const { name, columns: list, primaryKeys } = getTableConfig(table)
  const keys = [...list.filter((column) => column.primary), ...primaryKeys.flatMap((key) => key.columns)]
  const [primaryKey] = keys
  if (primaryKey === undefined || keys.length > 1) {
    const found = keys.length === 0 ? 'none' : keys.map((column) => column.name).join(', ')
    throw new TypeError(
      `A repository needs a table with a primary key of one column; '${name}' has ${found}. ` +
        'Declare one column with .primaryKey(), or query the table with drizzle.',
    )
  }
  const shape: TableShape = { table, columns: getTableColumns(table), primaryKey, entityName: toEntityName(name) }
  shapes.set(table, shape)
  return shape
}

/** `authors` -> `Author`, `book_categories` -> `BookCategory`. English plurals of the regular kinds only. */
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
