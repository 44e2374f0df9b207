import { sql } from 'drizzle-orm'
import { describe, expect, test } from 'vitest'
import type { Database, DatabaseApi } from './database.ts'
import { refused } from './refused.fixtures.ts'

/** What the suite uses of a repository. */
interface Rows<TValues> {
  create(values: TValues): Promise<unknown>
  count(): Promise<number>
}

interface TransactionSuite {
  /** Empty tables at each test. */
  readonly open: () => DatabaseApi
  /** Names are unique. */
  readonly authors: (db: Database) => Rows<{ name: string }>
  /** `authorId` is a reference that can be deferred. */
  readonly books: (db: Database) => Rows<{ title: string; authorId: number }>
}

/** What transactions and savepoints keep, on any driver. */
export function describeTransactions({ open, authors, books }: TransactionSuite): void {
  describe('transactions', () => {
    test('commit, and roll back with the error that was thrown', async () => {
      await open().transaction((tx) => authors(tx).create({ name: 'Ursula' }))
      const mine = new Error('mine')
      await expect(
        open().transaction(async (tx) => {
          await authors(tx).create({ name: 'Octavia' })
          throw mine
        }),
      ).rejects.toBe(mine)
      expect(await authors(open().db).count()).toBe(1)
    })

    test('a savepoint rolls back alone', async () => {
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

    test('a savepoint of the outer transaction within one of its own is refused, and does not wait for ever', async () => {
      await open().transaction(async (tx) => {
        await tx.transaction(async (inner) => {
          const error = await refused(tx.transaction(async () => {}))
          expect(error).toMatchObject({
            code: 'internal_error',
            cause: { message: expect.stringMatching(/inner one/) },
          })
          await inner.transaction((innermost) => authors(innermost).create({ name: 'Ursula' }))
        })
        await Promise.all(['Octavia', 'Joanna'].map((name) => tx.transaction((each) => authors(each).create({ name }))))
      })
      expect(await authors(open().db).count()).toBe(3)
    })

    test('a failed query whose error was swallowed never looks like a commit', async () => {
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

    test('a constraint that fails at the commit is mapped too', async () => {
      const error = await refused(
        open().transaction(async (tx) => {
          await tx.execute(sql`set constraints all deferred`)
          await books(tx).create({ title: 'Lathe', authorId: 99 })
        }),
      )
      expect(error).toMatchObject({ code: 'conflict', details: { constraint: 'books_author_fk' } })
      expect(await books(open().db).count()).toBe(0)
    })
  })
}
