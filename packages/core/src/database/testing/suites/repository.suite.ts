import { ilike, sql } from 'drizzle-orm'
import { check, integer, jsonb, pgTable, serial, text, uuid, varchar } from 'drizzle-orm/pg-core'
import type { TestRunner } from '../../../testing/test-runner.ts'
import type { Database, DatabaseApi } from '../../database.ts'
import { BaseRepository } from '../../repository.ts'
import { eachOf, refused } from './suite-tools.ts'
import type { Rows } from './transactions.suite.ts'

const authors = pgTable(
  'authors',
  {
    id: serial().primaryKey(),
    name: varchar({ length: 40 }).notNull().unique(),
    country: text(),
    birthYear: integer('birth_year'),
    extra: jsonb().$type<{ note: string }>(),
  },
  (table) => [check('authors_birth_year_check', sql`${table.birthYear} > 0`)],
)

const books = pgTable('books', {
  isbn: uuid('book_isbn').primaryKey().defaultRandom(),
  title: text().notNull(),
  authorId: integer('author_id')
    .notNull()
    .references(() => authors.id),
})

class AuthorRepository extends BaseRepository<typeof authors> {
  constructor(db: Database) {
    super(db, authors)
  }
  search(term: string) {
    return this.db
      .select()
      .from(this.table)
      .where(ilike(this.table.name, `${term}%`))
  }
}

class BookRepository extends BaseRepository<typeof books> {
  protected override readonly entityName = 'Volume'
  constructor(db: Database) {
    super(db, books)
  }
}

const missing = '00000000-0000-4000-8000-000000000000'

export const authorsOf = (db: Database): Rows<{ name: string }> => new AuthorRepository(db)
export const booksOf = (db: Database): Rows<{ title: string; authorId: number }> => new BookRepository(db)

/** Repositories of one table, and the errors of their statements. `open`: empty tables at each test. */
export function repositorySuite(runner: TestRunner, open: () => DatabaseApi): void {
  const { describe, it, expect, beforeEach } = runner
  describe('repositories', () => {
    let repository: AuthorRepository
    let shelf: BookRepository
    beforeEach(() => {
      repository = new AuthorRepository(open().db)
      shelf = new BookRepository(open().db)
    })

    describe('one row', () => {
      it('create answers with the row as stored, defaults included', async () => {
        const ursula = await repository.create({ name: 'Ursula', extra: { note: 'a' } })
        expect(ursula).toEqual({ id: 1, name: 'Ursula', country: null, birthYear: null, extra: { note: 'a' } })
        expect(await repository.getById(1)).toEqual(ursula)
        expect((await shelf.create({ title: 'Lathe', authorId: 1 })).isbn).toMatch(/^[0-9a-f-]{36}$/)
      })

      it('getById, update and delete of a missing row are NotFoundError, with a name that people know', async () => {
        await expect(repository.getById(7)).rejects.toThrow('Author with ID 7 not found')
        await expect(repository.update(7, { name: 'x' })).rejects.toThrow('Author with ID 7 not found')
        await expect(repository.update(7, {})).rejects.toMatchObject({ code: 'not_found' })
        await expect(repository.delete(7)).rejects.toMatchObject({ code: 'not_found' })
        await expect(shelf.getById(missing)).rejects.toThrow(`Volume with ID ${missing} not found`)
      })

      it('update changes what it is given, to null too, and answers with the row', async () => {
        const { id } = await repository.create({ name: 'Ursula', country: 'US', birthYear: 1929 })
        const after = await repository.update(id, { country: null, birthYear: undefined })
        expect(after).toMatchObject({ name: 'Ursula', country: null, birthYear: 1929 })
        expect(await repository.getById(id)).toEqual(after)
      })

      it('a patch without values, or with nothing but names that are not columns, reads the row', async () => {
        const row = await repository.create({ name: 'Ursula' })
        expect(await repository.update(row.id, {})).toEqual(row)
        expect(await repository.update(row.id, { name: undefined })).toEqual(row)
        const patch: object = { constructor: 1, unknown: 2 }
        expect(await repository.update(row.id, patch)).toEqual(row)
      })

      it('delete removes one row', async () => {
        const { id } = await repository.create({ name: 'Ursula' })
        await repository.create({ name: 'Stanislaw' })
        await repository.delete(id)
        expect(await repository.count()).toBe(1)
      })

      it('findOne is null when there is none, and refuses to look for a forgotten value', async () => {
        const row = await repository.create({ name: 'Ursula' })
        expect(await repository.findOne({ name: 'Ursula', country: null })).toEqual(row)
        expect(await repository.findOne({ name: 'Ursula', country: 'US' })).toBe(null)
        await expect(repository.findOne({ name: undefined })).rejects.toMatchObject({ code: 'validation_error' })
        await expect(repository.exists({ name: undefined })).rejects.toMatchObject({ code: 'validation_error' })
      })

      it('exists', async () => {
        expect(await repository.exists({})).toBe(false)
        await repository.create({ name: 'Ursula' })
        expect(await repository.exists({})).toBe(true)
        expect(await repository.exists({ name: 'Ursula' })).toBe(true)
        expect(await repository.exists({ name: 'ursula' })).toBe(false)
      })
    })

    describe('many rows', () => {
      beforeEach(async () => {
        await repository.create({ name: 'Ursula', country: 'US' })
        await repository.create({ name: 'Octavia', country: 'US' })
        await repository.create({ name: 'Stanislaw' })
      })
      const names = (rows: readonly { readonly name: string }[]) => rows.map((row) => row.name)

      it('getAll filters by equality, by null, and skips undefined', async () => {
        expect(names(await repository.getAll())).toEqual(['Ursula', 'Octavia', 'Stanislaw'])
        expect(names(await repository.getAll({ country: 'US' }))).toEqual(['Ursula', 'Octavia'])
        expect(names(await repository.getAll({ country: null }))).toEqual(['Stanislaw'])
        expect(names(await repository.getAll({ country: undefined }))).toHaveLength(3)
        expect(await repository.count({ country: 'US' })).toBe(2)
      })

      it('the order is total: by primary key when nothing else decides', async () => {
        await repository.update(1, { birthYear: 1 }) // moves the row in the heap
        expect(names(await repository.getAll())).toEqual(['Ursula', 'Octavia', 'Stanislaw'])
        expect(names(await repository.getAll({}, { orderBy: { country: 'desc' } }))).toEqual([
          'Stanislaw',
          'Octavia',
          'Ursula',
        ])
        expect(names(await repository.getAll({}, { orderBy: { id: 'desc' } }))).toEqual([
          'Stanislaw',
          'Octavia',
          'Ursula',
        ])
      })

      it('limit, offset and a condition in drizzle words', async () => {
        expect(names(await repository.getAll({}, { limit: 1, offset: 1 }))).toEqual(['Octavia'])
        expect(await repository.getAll({}, { limit: 0 })).toEqual([])
        expect(names(await repository.getAll({ country: 'US' }, { where: ilike(authors.name, '%A') }))).toEqual([
          'Ursula',
          'Octavia',
        ])
        expect(names(await repository.search('oct'))).toEqual(['Octavia'])
      })

      it('getAll stops at 1000 rows unless it is told otherwise', async () => {
        await open().db.execute(sql`insert into authors (name) select 'n' || i from generate_series(1, 1000) i`)
        expect(await repository.getAll()).toHaveLength(1000)
        expect(await repository.getAll({}, { limit: 2000 })).toHaveLength(1003)
      })

      eachOf(runner, [-1, 1.5, Number.NaN, 2 ** 60])('limit and offset of %d are refused', async (value) => {
        await expect(repository.getAll({}, { limit: value })).rejects.toMatchObject({ code: 'validation_error' })
        await expect(repository.getAll({}, { offset: value })).rejects.toMatchObject({ code: 'validation_error' })
      })

      it('names that are not columns are refused before any SQL', async () => {
        for (const filters of [
          { nope: 1 },
          { constructor: 1 },
          { '1=1; --': 1 },
          JSON.parse('{"__proto__": 1}'),
        ] as object[]) {
          await expect(repository.getAll(filters)).rejects.toMatchObject({ code: 'validation_error' })
          await expect(repository.count(filters)).rejects.toMatchObject({ code: 'validation_error' })
          await expect(repository.getAll({}, { orderBy: filters })).rejects.toMatchObject({ code: 'validation_error' })
        }
        const orderBy: object = { name: 'asc; drop table authors' }
        await expect(repository.getAll({}, { orderBy })).rejects.toMatchObject({ code: 'validation_error' })
      })

      it('getPage answers with the page and the figures', async () => {
        const first = await repository.getPage({ page: 1, perPage: 2, orderBy: { name: 'asc' } })
        expect(names(first.items)).toEqual(['Octavia', 'Stanislaw'])
        expect(first.meta).toEqual({ page: 1, per_page: 2, total: 3, pages: 2, next_cursor: null, has_more: true })
        const last = await repository.getPage({ page: 2, perPage: 2, orderBy: { name: 'asc' } })
        expect([names(last.items), last.meta.has_more]).toEqual([['Ursula'], false])
        const past = await repository.getPage({ page: 9, perPage: 2 })
        expect([past.items, past.meta.total, past.meta.has_more]).toEqual([[], 3, false])
        const none = await repository.getPage({ page: 1, perPage: 2, filters: { country: 'XX' } })
        expect(none.meta).toMatchObject({ total: 0, pages: 0, has_more: false })
        const some = await repository.getPage({
          page: 1,
          perPage: 2,
          filters: { country: 'US' },
          where: ilike(authors.name, 'u%'),
        })
        expect([names(some.items), some.meta.total]).toEqual([['Ursula'], 1])
      })

      eachOf(runner, [
        [0, 20],
        [1.5, 20],
        [Number.NaN, 20],
        [2 ** 53, 20],
        [2 ** 52, 1000],
        [1, 0],
        [1, 2.5],
      ])('page %d of %d rows is refused', async ([page, perPage]) => {
        await expect(repository.getPage({ page, perPage })).rejects.toMatchObject({ code: 'validation_error' })
      })

      it('a size over the cap is the cap, by number and by cursor', async () => {
        const pages = [
          await repository.getPage({ perPage: 5000 }),
          await repository.getPage({ cursor: '', perPage: 5000 }),
        ]
        expect(pages.map(({ meta }) => meta.per_page)).toEqual([1000, 1000])
      })

      it('the last page that can be named is empty and no error', async () => {
        expect((await repository.getPage({ page: 2 ** 43, perPage: 1000 })).items).toEqual([])
      })
    })

    describe('errors', () => {
      it('23505: a conflict that names the constraint and nothing else', async () => {
        await repository.create({ name: 'Ursula' })
        const error = await refused(repository.create({ name: 'Ursula' }))
        expect(error).toMatchObject({ code: 'conflict', details: { constraint: 'authors_name_unique' } })
        expect(`${error.message}${JSON.stringify(error.details)}`).not.toMatch(/insert|Ursula|key value/i)
      })

      it('23503 on insert and on delete', async () => {
        const expected = { code: 'conflict', details: { constraint: 'books_author_fk' } }
        expect(await refused(shelf.create({ title: 'Lathe', authorId: 99 }))).toMatchObject(expected)
        await repository.create({ name: 'Ursula' })
        await shelf.create({ title: 'Lathe', authorId: 1 })
        expect(await refused(repository.delete(1))).toMatchObject(expected)
      })

      it('23502 names the column, 23514 the rule', async () => {
        const { id } = await repository.create({ name: 'Ursula' })
        const nothing: object = { title: null, authorId: id }
        expect(await refused(shelf.create(nothing as { title: string; authorId: number }))).toMatchObject({
          code: 'validation_error',
          details: [{ path: 'title', message: 'Value is required' }],
        })
        expect(await refused(repository.create({ name: 'x', birthYear: -1 }))).toMatchObject({
          code: 'validation_error',
          details: [{ path: '', message: 'Violates the constraint authors_birth_year_check' }],
        })
      })

      eachOf(runner, [
        ['too long (22001)', () => repository.create({ name: 'x'.repeat(41) }), ''],
        ['a NUL in a string', () => repository.create({ name: 'a\0b' }), 'name'],
        ['a lone surrogate in a string', () => repository.create({ name: 'a\ud800' }), 'name'],
        ['a NUL in a filter', () => repository.findOne({ name: 'a\0b' }), 'name'],
        ['a NUL in a condition', () => repository.search('\0'), ''],
        ['a number past integer (22003)', () => repository.create({ name: 'x', birthYear: 2 ** 31 }), ''],
        ['an id past integer', () => repository.getById(2 ** 40), 'id'],
        ['an id that is not whole', () => repository.getById(1.5), 'id'],
        ['an id that is NaN', () => repository.getById(Number.NaN), 'id'],
        ['an id that is not a UUID', () => shelf.getById('7'), 'isbn'],
        ['a NUL in JSON (22P05)', () => repository.create({ name: 'x', extra: { note: '\0' } }), ''],
        ['a lone surrogate in JSON', () => repository.create({ name: 'x', extra: { note: '\ud800' } }), ''],
      ])('%s is a validation_error', async ([, work, path]) => {
        const error = await refused(work())
        expect(error).toMatchObject({ code: 'validation_error', details: [{ path }] })
      })

      it('a lone surrogate in a string finds nothing and breaks nothing', async () => {
        expect(await repository.findOne({ name: 'a\ud800' })).toBe(null)
        expect(await repository.search('\udfff')).toEqual([])
      })

      it('any other failure is a database_error without SQL', async () => {
        const error = await refused(open().db.execute(sql`select secret from nowhere`))
        expect(error).toMatchObject({ code: 'database_error', message: 'Database error occurred', details: null })
      })
    })
  })
}
