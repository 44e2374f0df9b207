import { count, is, SQL, sql } from 'drizzle-orm'
import type { PgColumn } from 'drizzle-orm/pg-core'
import { ValidationError } from '../errors/app-error.ts'
import type { Database } from './database.ts'
import { maxParameters } from './identify.ts'
import { findColumn, type ShapeColumn, type TableShape } from './table.ts'

type Row = Record<string, unknown>
type Values = Readonly<Row>

/** The values of a patch that change something: of columns, not undefined, and not the version, which is counted automatically. */
export function toChanges(shape: TableShape, version: ShapeColumn | null, patch: object): Row {
  const changes: Row = {}
  for (const [name, value] of Object.entries(patch)) {
    if (value !== undefined && name !== version?.name && findColumn(shape, name) !== undefined) changes[name] = value
  }
  return changes
}

/** The values as drizzle receives them. Throws a ValidationError that names the column of a value that cannot be stored. */
export function toStored(shape: TableShape, values: Values): Row {
  const stored: Row = { ...values }
  for (const [name, value] of Object.entries(values)) {
    const column = findColumn(shape, name)
    if (column === undefined || value === undefined || value === null || is(value, SQL)) continue
    const message = column.checkStored(value)
    if (message !== null) throw new ValidationError('Invalid value', [{ path: name, message }])
    if (column.toStored !== null && Array.isArray(value)) stored[name] = sql`${sql.param(column.toStored(value))}`
  }
  return stored
}

/** For SET: the version of the row plus one. */
export function toNextVersion(version: ShapeColumn | null): Row {
  return version === null ? {} : { [version.name]: sql`${version.column} + 1` }
}

/** All rows or none: several statements run in a transaction. */
export async function insertAll(db: Database, shape: TableShape, values: readonly Values[]): Promise<Row[]> {
  const batches = toBatches(
    shape,
    values.map((each) => toStored(shape, each)),
  )
  const [only, ...others] = batches
  if (only === undefined) return []
  if (others.length === 0) return db.insert(shape.table).values(only).returning()
  return db.transaction(async (tx) => {
    const rows: Row[] = []
    for (const batch of batches)
      for (const row of await tx.insert(shape.table).values(batch).returning()) rows.push(row)
    return rows
  })
}

export interface UpsertPlan {
  readonly shape: TableShape
  readonly version: ShapeColumn | null
  readonly values: Values
  /** The unique columns that identify an existing row. */
  readonly target: readonly ShapeColumn[]
  /** Changes of the existing row; undefined: the values. */
  readonly patch: object | undefined
}

export async function insertOrUpdate(db: Database, plan: UpsertPlan): Promise<Row | undefined> {
  const { shape, version, values, target, patch } = plan
  const changes = patch === undefined ? toExcluded(plan) : toStored(shape, toChanges(shape, version, patch))
  const [first] = target
  // PostgreSQL does not return a conflicting row that is not updated, so one column is set to itself.
  if (Object.keys(changes).length === 0 && first !== undefined) changes[first.name] = sql`${first.column}`
  const [row] = await db
    .insert(shape.table)
    .values(toStored(shape, values))
    .onConflictDoUpdate({
      target: target.map(({ column }): PgColumn => column),
      set: { ...changes, ...toNextVersion(version) },
    })
    .returning()
  return row
}

/** The values to insert, as PostgreSQL names them in ON CONFLICT: `excluded`. */
function toExcluded({ shape, version, values, target }: UpsertPlan): Row {
  const changes = toChanges(shape, version, values)
  for (const { name } of [...target, ...shape.key]) delete changes[name]
  for (const name of Object.keys(changes)) {
    const column = findColumn(shape, name)?.column
    if (column !== undefined) changes[name] = sql`excluded.${sql.identifier(column.name)}`
  }
  return changes
}

/** The number of deleted rows, counted by the server. */
export async function deleteCounting(db: Database, shape: TableShape, where: SQL): Promise<number> {
  const deleted = db.$with('deleted').as(
    db
      .delete(shape.table)
      .where(where)
      .returning({ one: sql`1`.as('one') }),
  )
  const [row] = await db.with(deleted).select({ rows: count() }).from(deleted)
  return row?.rows ?? 0
}

/** Rows in as few batches as the number of parameters of one statement allows. */
function toBatches<T extends Values>({ columns }: TableShape, rows: readonly T[]): T[][] {
  const batches: T[][] = []
  const list = Object.values(columns)
  let batch: T[] = []
  let parameters = 0
  for (const row of rows) {
    let needed = 0
    for (const { name, column } of list) if (row[name] !== undefined || fillsIn(column)) needed += 1
    if (batch.length > 0 && parameters + needed > maxParameters) {
      batches.push(batch)
      batch = []
      parameters = 0
    }
    batch.push(row)
    parameters += needed
  }
  if (batch.length > 0) batches.push(batch)
  return batches
}

/** drizzle computes a value where none is given; a default of the database is the keyword `default`, without a parameter. */
function fillsIn({ defaultFn, onUpdateFn }: PgColumn): boolean {
  return defaultFn !== undefined || onUpdateFn !== undefined
}
