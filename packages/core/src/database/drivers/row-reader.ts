import { Column, type DriverValueDecoder, getTableName, is, noopDecoder, SQL, Subquery } from 'drizzle-orm'
import { columnReader, decoded } from '../values/column-readers.ts'
import { type Reader, readerOf } from '../values/type-readers.ts'
import type { StatementResult } from './connection.ts'

/** A selected column or expression. */
export type Field = Column | SQL | SQL.Aliased | Subquery
/** A selection, with the path of each value in the object of a row. */
export type Fields = readonly { readonly path: readonly string[]; readonly field: Field }[]
/** A row as the server sends it. */
export type TextRow = readonly (string | null)[]
/** With `arrays` every row is one. */
export function isTextRow(row: unknown): row is TextRow {
  return Array.isArray(row)
}

/** The rows of a statement that was run with arrays. */
export function toTextRows({ sets }: StatementResult): readonly TextRow[] {
  return (sets[0]?.rows ?? []).filter(isTextRow)
}

/** By the name of a table: does each row of a join have a row of it? */
export type JoinedTables = Readonly<Record<string, boolean>>

/** The reader of PostgreSQL's text of a value of `type`, for a field of a selection; null where the text is the value. */
export function fieldReader(field: Field, type: number): Reader | null {
  if (is(field, Column)) return columnReader(field, type)
  const decoder = decoderOf(field)
  if (decoder === noopDecoder) return readerOf(type)
  return is(decoder, Column) ? columnReader(decoder, type) : decoded(decoder, type)
}

type Decoder = DriverValueDecoder<unknown, unknown>

/** The decoder of `mapWith`, which is not in drizzle's types. */
function decoderOf(field: SQL | SQL.Aliased | Subquery): Decoder {
  const from: unknown = is(field, SQL) ? field : is(field, Subquery) ? field._.sql : field.sql
  const decoder: unknown = typeof from === 'object' && from !== null && 'decoder' in from ? from.decoder : null
  return isDecoder(decoder) ? decoder : noopDecoder
}

function isDecoder(value: unknown): value is Decoder {
  return typeof value === 'object' && value !== null && 'mapFromDriverValue' in value
}

interface Place {
  readonly name: string
  readonly parents: readonly string[]
  readonly read: Reader | null
}

type Row = Record<string, unknown>

/** Builds the object of a row, as drizzle shapes it. `types`: of the columns of the result. */
export function createRowReader(
  fields: Fields,
  types: readonly number[],
  joined: JoinedTables | undefined,
): (strings: TextRow) => Row {
  const places = fields.map(({ path, field }, index): Place => {
    const parents = path.slice(0, -1)
    return { name: path.at(-1) ?? '', parents, read: fieldReader(field, types[index] ?? 0) }
  })
  const optional = joined === undefined ? [] : toOptional(fields, joined)
  return (strings) => {
    const row: Row = {}
    for (let index = 0; index < places.length; index += 1) {
      const place = places[index]
      if (place === undefined) continue
      const text = strings[index] ?? null
      const node = place.parents.length === 0 ? row : nodeOf(row, place.parents)
      node[place.name] = text === null || place.read === null ? text : place.read(text)
    }
    for (const { name, indexes } of optional) if (indexes.every((index) => strings[index] === null)) row[name] = null
    return row
  }
}

function nodeOf(row: Row, parents: readonly string[]): Row {
  let node = row
  for (const name of parents) {
    const next = node[name]
    if (isRow(next)) node = next
    else {
      const made: Row = {}
      node[name] = made
      node = made
    }
  }
  return node
}

function isRow(value: unknown): value is Row {
  return typeof value === 'object' && value !== null
}

/** Objects of one table of a join that may have no row: null when all their columns are null. */
function toOptional(
  fields: Fields,
  joined: JoinedTables,
): readonly { readonly name: string; readonly indexes: readonly number[] }[] {
  const objects = new Map<string, { readonly indexes: number[]; readonly tables: Set<string> }>()
  for (const [index, { path, field }] of fields.entries()) {
    const [name = ''] = path
    if (path.length !== 2 || !is(field, Column)) continue
    const found = objects.get(name) ?? { indexes: [], tables: new Set<string>() }
    found.indexes.push(index)
    found.tables.add(getTableName(field.table))
    objects.set(name, found)
  }
  return [...objects].flatMap(([name, { indexes, tables }]) => {
    const [table = '', ...others] = tables
    return others.length === 0 && joined[table] !== true ? [{ name, indexes }] : []
  })
}
