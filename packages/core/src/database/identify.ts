import { and, eq, inArray, type SQL, sql } from 'drizzle-orm'
import { ValidationError } from '../errors/app-error.ts'
import type { ShapeColumn, TableShape } from './table.ts'

/** PostgreSQL takes 65,535 parameters in a statement; postgres.js stops a little before. */
export const maxParameters = 65_000

/** Throws ValidationError for what no row can have as its key. */
export function isId(shape: TableShape, id: unknown): SQL {
  const [only, ...others] = shape.key
  if (only !== undefined && others.length === 0) return eq(only.column, checked(only, id))
  return and(...shape.key.map((column) => eq(column.column, checked(column, keyPart(column, id))))) ?? sql`false`
}

/** Any of these rows. */
export function isOneOf(shape: TableShape, ids: readonly unknown[]): SQL {
  const { key } = shape
  if (ids.length * key.length > maxParameters) {
    throw new ValidationError('Too many rows', [
      { path: '', message: `At most ${Math.floor(maxParameters / key.length)} at a time` },
    ])
  }
  const [only, ...others] = key
  if (only !== undefined && others.length === 0) {
    return inArray(
      only.column,
      ids.map((id) => checked(only, id)),
    )
  }
  if (ids.length === 0) return sql`false`
  const columns = key.map(({ column }) => sql`${column}`)
  const rows = ids.map((id) => {
    const values = key.map((column) => sql`${sql.param(checked(column, keyPart(column, id)), column.column)}`)
    return sql`(${sql.join(values, sql`, `)})`
  })
  return sql`(${sql.join(columns, sql`, `)}) in (${sql.join(rows, sql`, `)})`
}

/** One text for all ids that mean one row, whether of an argument or of a row. */
export function toIdKey(shape: TableShape, id: unknown): string {
  const { key } = shape
  const parts = key.map((column) => String(column.toKey(key.length === 1 ? id : keyPart(column, id))))
  return JSON.stringify(parts)
}

/** The id of a row, as `getById` takes it. */
export function idOf(shape: TableShape, row: Readonly<Record<string, unknown>>): unknown {
  const [only, ...others] = shape.key
  return only !== undefined && others.length === 0 ? row[only.name] : row
}

/** For messages: `7`, `userId 1, groupId 2`. */
export function toIdText(shape: TableShape, id: unknown): string {
  const { key } = shape
  if (key.length === 1) return String(id)
  return key.map((column) => `${column.name} ${String(keyPart(column, id))}`).join(', ')
}

function keyPart({ name }: ShapeColumn, id: unknown): unknown {
  return isFields(id) ? id[name] : undefined
}

function isFields(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}

function checked(column: ShapeColumn, value: unknown): unknown {
  const message = value === null || value === undefined ? 'A value is needed' : column.check(value)
  if (message === null) return value
  throw new ValidationError('Invalid ID', [{ path: column.name, message }])
}
