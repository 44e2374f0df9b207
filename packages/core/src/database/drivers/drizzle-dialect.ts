import { type BuildRelationalQueryResult, Column, is, type Query, SQL, sql } from 'drizzle-orm'
import { type PgColumn, PgDialect, type PgTable } from 'drizzle-orm/pg-core'
import { jsonColumnReader, parseExactJson, toNumbers } from '../values/json-readers.ts'
import type { Reader } from '../values/type-readers.ts'
import { type Field, fieldReader } from './row-reader.ts'

type Built = BuildRelationalQueryResult<PgTable, PgColumn>
type Selection = Built['selection']

/** Reads a value of a relational query, by its index in a row and its type. */
export type RelationalReader = (type: number) => Reader | null

/** drizzle's SQL, with custom readers for relational queries: drizzle maps their rows outside of the session, and nested rows are JSON. */
export class Dialect extends PgDialect {
  readonly #selections = new WeakMap<SQL, Selection>()
  readonly #readers = new WeakMap<Query, readonly RelationalReader[]>()

  override buildRelationalQueryWithoutPK(options: Parameters<PgDialect['buildRelationalQueryWithoutPK']>[0]): Built {
    const built = super.buildRelationalQueryWithoutPK(options)
    const isNested = options.nestedQueryRelation !== undefined
    if (!isNested && is(built.sql, SQL)) this.#selections.set(built.sql, built.selection)
    // Values that are not nested were read by the session before drizzle maps them.
    const selection = built.selection.map((item) => {
      if (item.isJson) return item
      const read = isNested ? nestedReader(item.field) : (value: unknown) => value
      return { ...item, field: sql``.mapWith(read) }
    })
    return { ...built, selection }
  }

  override sqlToQuery(...[query, source]: Parameters<PgDialect['sqlToQuery']>): ReturnType<PgDialect['sqlToQuery']> {
    const made = super.sqlToQuery(query, source)
    const selection = this.#selections.get(query)
    if (selection !== undefined) this.#readers.set(made, selection.map(toReader))
    return made
  }

  /** The readers of a relational query, one for each column of its result. */
  readersOf(query: Query): readonly RelationalReader[] | undefined {
    return this.#readers.get(query)
  }
}

function toReader({ isJson, field }: Selection[number]): RelationalReader {
  return isJson ? () => parseExactJson : (type) => fieldReader(field, type)
}

function nestedReader(field: Field): (value: unknown) => unknown {
  return is(field, Column) ? jsonColumnReader(field) : toNumbers
}
