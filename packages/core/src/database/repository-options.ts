import type { SQL } from 'drizzle-orm'
import type { PgTable } from 'drizzle-orm/pg-core'
import type { OrderBy } from './order.ts'
import {
  type ColumnName,
  findColumn,
  type KeyName,
  type PatchOf,
  type RowOf,
  type ShapeColumn,
  type TableShape,
} from './table.ts'

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

/** A part of the rows, and their order. */
export interface ListOptions<TTable extends PgTable> extends WhereOptions {
  /** Maximum number of rows. Default 1000, so that a growing table does not fill the memory. */
  readonly limit?: number | undefined
  /** Rows to skip. Default 0. */
  readonly offset?: number | undefined
  /** Default by primary key, which is also added as the last term. */
  readonly orderBy?: OrderBy<TTable> | undefined
}

export interface WhereOptions {
  /** A further condition of drizzle: `gt(authors.born, authors.died)`. */
  readonly where?: SQL | undefined
}

/** For optimistic locking, see `version` of `RepositoryOptions`. */
export interface VersionOptions {
  /** The version that the caller has read. */
  readonly version?: number | bigint | undefined
}

export interface UpsertOptions<TTable extends PgTable> {
  /** The columns of the unique index that identifies an existing row. Default the primary key. */
  readonly on?: readonly ColumnName<TTable>[] | undefined
  /** Changes of the existing row. Default: all values except `on` and the primary key. */
  readonly patch?: PatchOf<TTable> | undefined
}

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
