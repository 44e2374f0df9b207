import { and, eq, getTableColumns, type SQL, sql } from 'drizzle-orm'
import { ValidationError } from '../errors/app-error.ts'
import type { Database } from './database.ts'
import { type KeyList, toIdentity, toKeyList, toKeyValue } from './key-list.ts'
import type { ShapeColumn, TableShape } from './table.ts'

/** PostgreSQL accepts 65,535 parameters in a statement, postgres.js slightly fewer. */
export const maxParameters = 65_000

/** Throws ValidationError for a value that cannot be a key. */
export function isId(shape: TableShape, id: unknown): SQL {
  const [only, ...others] = shape.key
  if (only !== undefined && others.length === 0) return eq(only.column, checked(only, id))
  return and(...shape.key.map((column) => eq(column.column, checked(column, keyPart(column, id))))) ?? sql`false`
}

/** The distinct keys, and the index of each id among them. Throws ValidationError for a value that cannot be a key. */
function toIdList(
  shape: TableShape,
  ids: readonly unknown[],
): { readonly list: KeyList; readonly places: readonly number[] } {
  const { key } = shape
  const known = new Map<unknown, number>()
  const keys: SQL[][] = []
  const places = ids.map((id) => {
    const parts = key.map((column) => (key.length === 1 ? id : keyPart(column, id)))
    const identity = toIdentity(parts)
    const place = known.get(identity) ?? keys.length
    if (place === keys.length) {
      known.set(identity, place)
      keys.push(key.map((column, index) => toKeyValue(column, checked(column, parts[index]))))
    }
    return place
  })
  if (keys.length * key.length > maxParameters) {
    throw new ValidationError('Too many IDs', [
      { path: '', message: `Must have at most ${Math.floor(maxParameters / key.length)} entries` },
    ])
  }
  return { list: toKeyList(key, keys), places }
}

/** The rows of these IDs, in their order, by one query. */
export async function readByIds(
  db: Database,
  shape: TableShape,
  ids: readonly unknown[],
): Promise<Record<string, unknown>[]> {
  if (ids.length === 0) return []
  const { table, key } = shape
  const { list, places } = toIdList(shape, ids)
  // Each key by the index of the primary key: for a plain join PostgreSQL may read the whole table.
  const one = db
    .select({ ...getTableColumns(table), '~place': list.place.as('~place') })
    .from(table)
    .where(list.fits(key))
    .limit(1)
    .as('~row')
  const found = await db.select().from(list.table).innerJoinLateral(one, sql`true`)
  const rows = new Map<number, Record<string, unknown>>()
  for (const each of found) {
    const { '~place': place, ...row } = each['~row']
    rows.set(place, row)
  }
  return places.map((place) => rows.get(place)).filter((row) => row !== undefined)
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
  const message = value === null || value === undefined ? 'Value is required' : column.check(value)
  if (message === null) return value
  throw new ValidationError('Invalid ID', [{ path: column.name, message }])
}
