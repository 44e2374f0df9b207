// The column of whole seconds, on both databases.
import { BaseRepository, type Database, database, unixTimestamp } from '@twinwire/core/database'
import { sql } from 'drizzle-orm'
import { pgTable, serial, text } from 'drizzle-orm/pg-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createFakeHost } from '../../packages/core/src/database/database.fixtures.ts'
import { hasPostgres, startPostgres } from '../support/postgres.ts'

const sessions = pgTable('sessions', {
  id: serial().primaryKey(),
  name: text().notNull(),
  createdAt: unixTimestamp('created_at').notNull(),
  endedAt: unixTimestamp('ended_at'),
})

const available = await hasPostgres()

describe.each([
  ['PGlite', async () => ({ url: 'pglite://memory', stop: async () => {} }), true],
  ['PostgreSQL', () => startPostgres(), available],
] as const)('unixTimestamp on %s', (_, start, isThere) => {
  describe.skipIf(!isThere)('a column', () => {
    const host = createFakeHost()
    let db: Database
    let stop: () => Promise<void>
    let repository: BaseRepository<typeof sessions>
    beforeAll(async () => {
      const server = await start()
      stop = server.stop
      db = (await database({ url: server.url }).setup(host)).db
      await db.execute(
        sql`create table sessions (id serial primary key, name text not null, created_at bigint not null, ended_at bigint)`,
      )
      repository = new BaseRepository(db, sessions)
      await repository.createMany(
        Array.from({ length: 25 }, (_each, index) => ({
          name: `s${index}`,
          createdAt: new Date(Date.UTC(2026, 0, 1, 0, 0, index % 5)),
          endedAt: index % 3 === 0 ? null : new Date(Date.UTC(2040, 0, 1 + index)),
        })),
      )
    })
    afterAll(async () => {
      await host.close()
      await stop()
    })

    test('is seconds in the database and a Date here, without its fraction', async () => {
      const at = new Date('1969-12-31T23:59:58.750Z')
      const { id, createdAt, endedAt } = await repository.create({ name: 'old', createdAt: at })
      expect([createdAt.toISOString(), endedAt]).toEqual(['1969-12-31T23:59:58.000Z', null])
      const [row] = await db.select({ raw: sql<string>`created_at::text` }).from(sessions).where(sql`id = ${id}`)
      expect(row?.raw).toBe('-2')
      await repository.delete(id)
    })

    test('is filtered by equality, range and list', async () => {
      const second = (n: number) => new Date(Date.UTC(2026, 0, 1, 0, 0, n))
      expect(await repository.count({ createdAt: second(3) })).toBe(5)
      expect(await repository.count({ createdAt: { gte: second(1), lt: second(3) } })).toBe(10)
      expect(await repository.count({ createdAt: { in: [second(0), second(4)] } })).toBe(10)
      expect(await repository.count({ endedAt: null })).toBe(9)
    })

    test('sorts, and is paged by a cursor in both directions without a lost or repeated row', async () => {
      for (const direction of ['asc', 'desc'] as const) {
        const orderBy = { createdAt: direction, endedAt: direction } as const
        const whole = (await repository.getAll({}, { orderBy })).map(({ id }) => id)
        const seen: number[] = []
        for (let cursor: string | null = ''; cursor !== null; ) {
          const page: Awaited<ReturnType<typeof repository.getPage>> = await repository.getPage({
            cursor,
            perPage: 4,
            orderBy,
          })
          seen.push(...page.items.map(({ id }) => id))
          cursor = page.meta.next_cursor
        }
        expect(seen).toEqual(whole)
        expect(new Set(seen).size).toBe(25)
      }
    })

    test('rejects what is not a date', async () => {
      const not: object[] = [{ createdAt: new Date(Number.NaN) }, { createdAt: 5 }, { createdAt: 'yesterday' }]
      for (const each of not) {
        await expect(repository.count(each)).rejects.toMatchObject({ code: 'validation_error' })
        const values = { name: 'x', ...each } as { name: string; createdAt: Date }
        await expect(repository.create(values)).rejects.toMatchObject({ code: 'validation_error' })
      }
    })
  })
})
