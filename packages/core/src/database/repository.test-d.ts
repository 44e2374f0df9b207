import { type ExtractTablesWithRelations, relations } from 'drizzle-orm'
import { bigint, integer, pgTable, primaryKey, serial, text, timestamp, uuid } from 'drizzle-orm/pg-core'
import type { PgliteDatabase, PgliteTransaction } from 'drizzle-orm/pglite'
import type { PostgresJsDatabase, PostgresJsTransaction } from 'drizzle-orm/postgres-js'
import { describe, expectTypeOf, test } from 'vitest'
import type { Page } from '../call/reply.ts'
import { BaseRepository, type Database, type Filters, type IdOf } from '../database.ts'

const authors = pgTable('authors', {
  id: serial().primaryKey(),
  name: text().notNull(),
  country: text(),
  born: timestamp('born_at'),
  initials: text().generatedAlwaysAs('x'),
})
const books = pgTable('books', { isbn: uuid().primaryKey().defaultRandom(), authorId: integer().notNull() })
const authorRelations = relations(authors, ({ many }) => ({ books: many(books) }))
const schema = { authors, books, authorRelations }

interface Author {
  id: number
  name: string
  country: string | null
  born: Date | null
  initials: string | null
}

class AuthorRepository extends BaseRepository<typeof authors> {
  constructor(db: Database) {
    super(db, authors)
  }
  findByName(name: string): Promise<Author | null> {
    return this.findOne({ name })
  }
  raw() {
    return this.db.select({ name: this.table.name }).from(this.table)
  }
}
class BookRepository extends BaseRepository<typeof books> {
  constructor(db: Database) {
    super(db, books)
  }
}
declare const db: Database
declare const repository: AuthorRepository
declare const shelf: BookRepository

describe('every method is typed by the table', () => {
  test('rows', () => {
    expectTypeOf(repository.getById(1)).resolves.toEqualTypeOf<Author>()
    expectTypeOf(repository.getAll()).resolves.toEqualTypeOf<Author[]>()
    expectTypeOf(repository.getPage({ page: 1, perPage: 20 })).resolves.toEqualTypeOf<Page<Author>>()
    expectTypeOf(repository.findOne({ name: 'x' })).resolves.toEqualTypeOf<Author | null>()
    expectTypeOf(repository.create({ name: 'x' })).resolves.toEqualTypeOf<Author>()
    expectTypeOf(repository.update(1, { country: null })).resolves.toEqualTypeOf<Author>()
    expectTypeOf(repository.delete(1)).resolves.toBeVoid()
    expectTypeOf(repository.exists({})).resolves.toBeBoolean()
    expectTypeOf(repository.count()).resolves.toBeNumber()
    expectTypeOf(repository.raw()).resolves.toEqualTypeOf<{ name: string }[]>()
  })

  test('ids have the type of the primary key, whatever its name', () => {
    expectTypeOf<IdOf<typeof authors>>().toEqualTypeOf<number>()
    expectTypeOf<IdOf<typeof books>>().toEqualTypeOf<string>()
    // @ts-expect-error an author's id is a number
    void repository.getById('1')
    // @ts-expect-error a book's is a string
    void shelf.delete(1)
    const big = pgTable('big', { no: bigint({ mode: 'bigint' }).primaryKey() })
    expectTypeOf<IdOf<typeof big>>().toEqualTypeOf<bigint>()
    const branded = pgTable('branded', { id: text().$type<'a' | 'b'>().primaryKey() })
    expectTypeOf<IdOf<typeof branded>>().toEqualTypeOf<'a' | 'b'>()
    const beside = pgTable('beside', { id: text(), no: integer() }, (table) => [primaryKey({ columns: [table.id] })])
    expectTypeOf<IdOf<typeof beside>>().toEqualTypeOf<string>()
    const none = pgTable('none', { a: integer() })
    expectTypeOf<IdOf<typeof none>>().toBeNever()
    // @ts-expect-error nothing can be got by an id there
    void new BaseRepository(db, none).getById(1)
  })

  test('filters', () => {
    void repository.getAll({ country: null, name: undefined, born: new Date() })
    expectTypeOf<Filters<typeof authors>>().not.toHaveProperty('nope')
    // @ts-expect-error no such column
    void repository.getAll({ nope: 1 })
    // @ts-expect-error a name is a string
    void repository.findOne({ name: 1 })
    // @ts-expect-error no such column
    void repository.count({ authorId: 1 })
    // @ts-expect-error one value each; lists are a query of your own
    void repository.exists({ name: ['a', 'b'] })
  })

  test('sorting and pages', () => {
    void repository.getAll({}, { orderBy: { name: 'asc', born: 'desc' }, limit: 1, offset: 1 })
    // @ts-expect-error no such column
    void repository.getAll({}, { orderBy: { nope: 'asc' } })
    // @ts-expect-error no such direction
    void repository.getPage({ page: 1, perPage: 20, orderBy: { name: 'up' } })
    void repository.getPage({ cursor: '', orderBy: { name: 'desc nulls last' }, total: true })
    void repository.getPage({})
    // @ts-expect-error a cursor is a string
    void repository.getPage({ cursor: 7 })
  })

  test('what is written', () => {
    void repository.create({ name: 'x', country: null, id: 7 })
    // @ts-expect-error a name is needed
    void repository.create({ country: 'FR' })
    // @ts-expect-error a generated column is not written
    void repository.create({ name: 'x', initials: 'X' })
    // @ts-expect-error no such column
    void repository.update(1, { nope: 1 })
    // @ts-expect-error a name may not be null
    void repository.update(1, { name: null })
  })

  test('nothing is any', () => {
    expectTypeOf(repository.getById).parameter(0).not.toBeAny()
    expectTypeOf(repository.create).parameter(0).not.toBeAny()
    expectTypeOf(repository.update).parameter(1).not.toBeAny()
    expectTypeOf<Awaited<ReturnType<typeof repository.getAll>>[number]>().not.toBeAny()
  })

  test('the handles are for subclasses', () => {
    // @ts-expect-error protected
    void repository.db
    // @ts-expect-error protected
    void repository.table
  })
})

test('a repository generic over its table', () => {
  class NamedRepository<TTable extends typeof authors> extends BaseRepository<TTable> {}
  expectTypeOf(new NamedRepository(db, authors).getById(1)).resolves.toEqualTypeOf<Author>()
})

test('Database takes the handles of both drivers, with a schema and without, and those of their transactions', () => {
  type Schema = typeof schema
  type None = Record<string, never>
  expectTypeOf<PostgresJsDatabase>().toExtend<Database>()
  expectTypeOf<PostgresJsDatabase<Schema>>().toExtend<Database>()
  expectTypeOf<PgliteDatabase>().toExtend<Database>()
  expectTypeOf<PgliteDatabase<Schema>>().toExtend<Database>()
  expectTypeOf<PostgresJsTransaction<None, ExtractTablesWithRelations<None>>>().toExtend<Database>()
  expectTypeOf<PostgresJsTransaction<Schema, ExtractTablesWithRelations<Schema>>>().toExtend<Database>()
  expectTypeOf<PgliteTransaction<Schema, ExtractTablesWithRelations<Schema>>>().toExtend<Database>()
  expectTypeOf<Database<Schema>>().toExtend<Database>()
  expectTypeOf<Parameters<Parameters<Database['transaction']>[0]>[0]>().toExtend<Database>()
})
