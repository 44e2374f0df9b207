import type { PgTable } from 'drizzle-orm/pg-core'
import { type ColumnName, findColumn, type KeyName, type RowOf, type ShapeColumn, type TableShape } from './table.ts'

/** What a repository cannot read from its table. */
export interface RepositoryOptions<TTable extends PgTable, TKey extends ColumnName<TTable> = KeyName<TTable>> {
  /**
   * The columns of the primary key, in any order. Required for a key of several columns, which drizzle's types do not show;
   * checked against the table. Default: the key of the table.
   */
  readonly key?: readonly TKey[]
  /**
   * An integer column that counts changes, for optimistic locking: each `update` adds one to it, and fails with ConflictError when the row no
   * longer has the `version` of its options.
   */
  readonly version?: VersionName<TTable>
}

/** Columns that can count changes. */
export type VersionName<TTable extends PgTable> = {
  [Name in ColumnName<TTable>]: RowOf<TTable>[Name] extends number | bigint ? Name : never
}[ColumnName<TTable>]

/** Throws a TypeError for a key that is not the table's, or that is missing. */
export function checkKey(shape: TableShape, key: readonly string[] | undefined): void {
  const names = shape.key.map(({ name }) => name)
  if (key === undefined) {
    if (names.length === 1) return
    const list = names.map((name) => `'${name}'`).join(', ')
    throw new TypeError(
      `The primary key of '${shape.name}' has ${names.length} columns: name them: super(db, table, { key: [${list}] })`,
    )
  }
  if (key.length === names.length && names.every((name) => key.includes(name))) return
  throw new TypeError(`The primary key of '${shape.name}' is ${names.join(', ')}, not ${key.join(', ') || 'nothing'}`)
}

const versionTypes = new Set(['PgSmallInt', 'PgInteger', 'PgBigInt53', 'PgBigInt64'])

/** Null when no column counts changes. Throws a TypeError for one that cannot. */
export function findVersion(shape: TableShape, name: string | undefined): ShapeColumn | null {
  if (name === undefined) return null
  const column = findColumn(shape, name)
  if (column !== undefined && !column.nullable && versionTypes.has(column.column.columnType)) return column
  throw new TypeError(`The version of '${shape.name}' must be an integer column that is not null, not '${name}'`)
}
