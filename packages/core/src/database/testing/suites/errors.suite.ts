import { sql } from 'drizzle-orm'
import type { TestRunner } from '../../../testing/test-runner.ts'
import type { DatabaseApi } from '../../database.ts'
import { eachOf, refused } from './suite-tools.ts'
import { AuthorRepository, BookRepository } from './tables.ts'

/** Errors of a driver, as an application receives them. `open`: empty tables at each test. */
export function errorsSuite(runner: TestRunner, open: () => DatabaseApi): void {
  const { describe, it, expect, beforeEach } = runner
  describe('a failed statement', () => {
    let repository: AuthorRepository
    let shelf: BookRepository
    beforeEach(() => {
      repository = new AuthorRepository(open().db)
      shelf = new BookRepository(open().db)
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
        ['a NUL in a text', () => repository.create({ name: 'a\0b' }), 'name'],
        ['a lone surrogate in a text', () => repository.create({ name: 'a\ud800' }), 'name'],
        ['a NUL in a filter', () => repository.findOne({ name: 'a\0b' }), 'name'],
        ['a NUL in a condition', () => repository.search('\0'), ''],
        ['a number past integer (22003)', () => repository.create({ name: 'x', birthYear: 2 ** 31 }), ''],
        ['an id past integer', () => repository.getById(2 ** 40), 'id'],
        ['an id that is not whole', () => repository.getById(1.5), 'id'],
        ['an id that is NaN', () => repository.getById(Number.NaN), 'id'],
        ['an id that is no uuid', () => shelf.getById('7'), 'isbn'],
        ['a NUL in JSON (22P05)', () => repository.create({ name: 'x', extra: { note: '\0' } }), ''],
        ['a lone surrogate in JSON', () => repository.create({ name: 'x', extra: { note: '\ud800' } }), ''],
      ])('%s is a validation_error', async ([, work, path]) => {
        const error = await refused(work())
        expect(error).toMatchObject({ code: 'validation_error', details: [{ path }] })
      })

      it('a lone surrogate in a text finds nothing and breaks nothing', async () => {
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
