import { sql } from 'drizzle-orm'
import type { TestRunner } from '../../../testing/test-runner.ts'
import type { Database, DatabaseApi } from '../../database.ts'
import { eachOf, refused } from './suite-tools.ts'

/** What the suite uses of a repository. */
export interface Rows<TValues> {
  create(values: TValues): Promise<unknown>
  count(): Promise<number>
}

interface TransactionSubject {
  /** Empty tables at each test. */
  readonly open: () => DatabaseApi
  /** Names are unique. */
  readonly authors: (db: Database) => Rows<{ name: string }>
  /** `authorId` is a reference that can be deferred. */
  readonly books: (db: Database) => Rows<{ title: string; authorId: number }>
}

/** Transactions and savepoints. */
export function transactionsSuite(runner: TestRunner, { open, authors, books }: TransactionSubject): void {
  const { describe, it, expect } = runner
  describe('transactions', () => {
    it('commit, and roll back with the error that was thrown', async () => {
      await open().transaction((tx) => authors(tx).create({ name: 'Ursula' }))
      const mine = new Error('mine')
      const failed = open().transaction(async (tx) => {
        await authors(tx).create({ name: 'Octavia' })
        throw mine
      })
      expect(await failed.catch((error: unknown) => error)).toBe(mine)
      expect(await authors(open().db).count()).toBe(1)
    })

    it('a savepoint rolls back alone', async () => {
      await open().transaction(async (tx) => {
        await authors(tx).create({ name: 'Ursula' })
        await tx
          .transaction(async (inner) => {
            await authors(inner).create({ name: 'Ursula' })
          })
          .catch(() => {})
      })
      expect(await authors(open().db).count()).toBe(1)
    })

    it('a savepoint of the outer transaction within one of its own is refused, and does not wait forever', async () => {
      await open().transaction(async (tx) => {
        await tx.transaction(async (inner) => {
          const error = await refused(tx.transaction(async () => {}))
          expect(error.code).toBe('internal_error')
          expect(error.cause).toMatch(/inner transaction/)
          await inner.transaction((innermost) => authors(innermost).create({ name: 'Ursula' }))
        })
        await Promise.all(['Octavia', 'Joanna'].map((name) => tx.transaction((each) => authors(each).create({ name }))))
      })
      expect(await authors(open().db).count()).toBe(3)
    })

    it('a failed query whose error was ignored never looks like a commit', async () => {
      const error = await refused(
        open().transaction(async (tx) => {
          const inside = authors(tx)
          await inside.create({ name: 'Ursula' })
          await inside.create({ name: 'Ursula' }).catch(() => {})
        }),
      )
      expect(['conflict', 'database_error']).toContain(error.code)
      expect(await authors(open().db).count()).toBe(0)
    })

    it('a failed query that nothing awaited never looks like a commit', async () => {
      for (const isNested of [false, true]) {
        const side: Promise<unknown>[] = []
        const error = await refused(
          open().transaction(async (tx) => {
            await authors(tx).create({ name: 'Ursula' })
            // The answer comes when the transaction is at its COMMIT.
            const twice = (db: Database) =>
              void side.push(
                authors(db)
                  .create({ name: 'Ursula' })
                  .catch(() => {}),
              )
            if (isNested) await tx.transaction(async (inner) => twice(inner)).catch(() => {})
            else twice(tx)
          }),
        ).catch(() => null)
        await Promise.all(side)
        // A savepoint that fails takes back what was in it, and no more.
        expect(error?.code ?? null).toBe(isNested ? null : 'conflict')
        expect(await authors(open().db).count()).toBe(isNested ? 1 : 0)
        await open().db.execute(sql`delete from authors`)
      }
    })

    it('a savepoint that nothing awaited does not reach into the next transaction of its connection', async () => {
      let go = (): void => {}
      const gate = new Promise<void>((resolve) => {
        go = resolve
      })
      let left: Promise<unknown> = Promise.resolve()
      await open().transaction(async (tx) => {
        let begun = (): void => {}
        const hasBegun = new Promise<void>((resolve) => {
          begun = resolve
        })
        left = tx
          .transaction(async () => {
            begun()
            await gate
          })
          .catch(() => {})
        await hasBegun
      })
      await open().transaction(async (tx) => {
        await authors(tx).create({ name: 'Ursula' })
        go()
        await left
        await authors(tx).create({ name: 'Octavia' })
      })
      expect(await authors(open().db).count()).toBe(2)
    })

    it('a constraint that fails at the commit is mapped too', async () => {
      const error = await refused(
        open().transaction(async (tx) => {
          await tx.execute(sql`set constraints all deferred`)
          await books(tx).create({ title: 'Lathe', authorId: 99 })
        }),
      )
      expect(error).toMatchObject({ code: 'conflict', details: { constraint: 'books_author_fk' } })
      expect(await books(open().db).count()).toBe(0)
    })

    eachOf(runner, [
      'begin',
      'BEGIN;',
      'begin work',
      'begin isolation level serializable',
      '  start transaction',
      'START /* read */ TRANSACTION read only',
      '-- a comment\nbegin',
      '/* one /* in one */ */ begin',
      ';begin',
      'commit',
      'commit and chain',
      'end',
      'abort',
      'rollback',
      'rollback to savepoint a',
      'savepoint a',
      'release a',
      "prepare transaction 'a'",
    ])('%j is refused by the handle of the pool before it runs, and names what to use', async (text) => {
      const { db } = open()
      const error = await db.execute(sql.raw(text)).then(
        () => null,
        (thrown: { cause?: { cause?: { message?: string } } }) => thrown.cause?.cause?.message,
      )
      expect(error).toMatch(/sent to the handle of the pool.*transaction\(\).*db\.transaction\(/s)
      // Had it run, this one would be rolled back with it.
      await authors(db).create({ name: 'Ursula' })
      await db.execute(sql`select 1`)
      expect(await authors(db).count()).toBe(1)
      expect(await open().transaction((tx) => authors(tx).count())).toBe(1)
    })

    it('so are they among several statements, and what only looks like them is not', async () => {
      const { db } = open()
      expect(
        await refused(db.execute(sql.raw(`select ';'; insert into authors (name) values ('x'); commit`))),
      ).toMatchObject({
        code: 'internal_error',
      })
      expect(await authors(db).count()).toBe(0)
      for (const text of [
        `select 'begin; commit'`,
        `select 1 as "x; begin"`,
        `do $$ begin perform 1; end $$`,
        `do $a$ begin perform '$$'; end; $a$`,
        `-- begin; commit\nselect 1`,
        `select E'\\'; begin; --'`,
        `create or replace function two() returns int language sql begin atomic select case when true then 1 end; select 2; end`,
      ]) {
        await db.execute(sql.raw(text))
      }
      await db.execute(sql`select ${'begin'}::text`)
    })

    eachOf(runner, [
      'begin',
      'start transaction',
      'commit',
      'end',
      'rollback',
      'abort',
      "prepare transaction 'a'",
      'select 1; commit',
    ])('%j inside of a transaction is refused before it runs, and the transaction goes on', async (text) => {
      await open().transaction(async (tx) => {
        await authors(tx).create({ name: 'Ursula' })
        expect(await refused(tx.execute(sql.raw(text)))).toMatchObject({ code: 'internal_error' })
        await tx.transaction(async (inner) => {
          const error = await refused(inner.execute(sql.raw(text)))
          expect(error.code).toBe('internal_error')
          expect(error.cause).toMatch(/sent inside of a transaction.*db\.transaction\(/s)
        })
        await authors(tx).create({ name: 'Octavia' })
      })
      expect(await authors(open().db).count()).toBe(2)
    })

    it('savepoints by hand inside of a transaction are allowed', async () => {
      await open().transaction(async (tx) => {
        await tx.execute(sql`savepoint a`)
        await authors(tx).create({ name: 'Ursula' })
        await tx.execute(sql`rollback to savepoint a`)
        await tx.execute(sql`release savepoint a`)
        await authors(tx).create({ name: 'Octavia' })
      })
      expect(await authors(open().db).count()).toBe(1)
    })
  })
}
