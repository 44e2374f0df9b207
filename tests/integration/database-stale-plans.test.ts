// A migration changes the type of a column while the application runs: what it had prepared before must not fail its calls.
import { route } from '@twinwire/core'
import { BaseRepository, type Database, type DatabaseApi, database, transaction } from '@twinwire/core/database'
import { type CallError, createTestApp } from '@twinwire/core/testing'
import { eq, sql } from 'drizzle-orm'
import { integer, pgTable, text } from 'drizzle-orm/pg-core'
import postgres from 'postgres'
import * as v from 'valibot'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createFakeHost, type FakeHost } from '../../packages/core/src/database/database.fixtures.ts'
import { mapDatabaseError } from '../../packages/core/src/database/errors.ts'
import { hasPostgres, startPostgres, type TestPostgres } from '../support/postgres.ts'

const items = pgTable('items', { id: integer().primaryKey(), n: integer() })
const marks = pgTable('marks', { name: text().primaryKey() })

const read = (db: Database) => new BaseRepository(db, items).getMany([1])
const mark = (db: Database, name: string) => new BaseRepository(db, marks).create({ name })
const names = async (db: Database) => (await new BaseRepository(db, marks).getAll()).map(({ name }) => name)

describe.skipIf(!(await hasPostgres()))('a type that a migration changes under a running application', () => {
  let server: TestPostgres
  let other: postgres.Sql
  const hosts: FakeHost[] = []
  beforeAll(async () => {
    server = await startPostgres()
    other = postgres(server.url, { max: 1, onnotice: () => {} })
  })
  afterAll(async () => {
    await other.end()
    await server.stop()
  })
  beforeEach(async () => {
    await other`drop table if exists items, marks`
    await other`create table items (id integer primary key, n integer)`
    await other`create table marks (name text primary key)`
    await other`insert into items values (1, 5)`
  })
  afterEach(async () => {
    for (const host of hosts.splice(0)) await host.close()
  })
  const boot = async (max: number): Promise<DatabaseApi> => {
    const host = createFakeHost()
    hosts.push(host)
    return database({ url: server.url, pool: { max } }).setup(host)
  }
  const change = (type = 'bigint') => other.unsafe(`alter table items alter n type ${type}`)
  const code = (work: Promise<unknown>) =>
    work.then(
      () => 'resolved',
      (error: unknown) => mapDatabaseError(error)?.code,
    )

  /** What fails without a second try: each runs before the change, so that its statements are prepared, and after it. */
  const transactions: Readonly<Record<string, (api: DatabaseApi, name: string) => Promise<unknown>>> = {
    'the first statement': (api, name) =>
      api.transaction(async (tx) => {
        await read(tx)
        await mark(tx, name)
      }),
    'the first of several at once': (api, name) =>
      api.transaction((tx) => Promise.all([read(tx), mark(tx, name), read(tx)])),
    'the first after the isolation was set': (api, name) =>
      api.db.transaction(
        async (tx) => {
          await read(tx)
          const level = sql<string>`current_setting('transaction_isolation')`
          const [row] = await tx.select({ level }).from(sql`(select 1) as one`)
          expect(row?.level).toBe('serializable')
          await mark(tx, name)
        },
        { isolationLevel: 'serializable' },
      ),
    'the first after settings of the transaction': (api, name) =>
      api.transaction(async (tx) => {
        await tx.execute(sql`set local app.tenant = 'one'`)
        await tx.execute(sql`set constraints all deferred`)
        await read(tx)
        const [row] = await tx.select({ tenant: sql`current_setting('app.tenant')` }).from(sql`(select 1) as one`)
        expect(row?.tenant).toBe('one')
        await mark(tx, name)
      }),
    'the first of a savepoint, and what was written before it is kept': (api, name) =>
      api.transaction(async (tx) => {
        await mark(tx, name)
        await tx.transaction(async (inner) => {
          await read(inner)
          await mark(inner, `${name} inner`)
        })
        await mark(tx, `${name} after`)
      }),
    'the first of the first savepoint': (api, name) =>
      api.transaction((tx) =>
        tx.transaction((inner) => inner.transaction((each) => read(each).then(() => mark(each, name)))),
      ),
    'the first of a second savepoint, after one that was rolled back': (api, name) =>
      api.transaction(async (tx) => {
        await tx.transaction(() => Promise.reject(new Error('mine'))).catch(() => {})
        await tx.transaction(async (inner) => void (await mark(inner, name)))
        await tx.transaction((inner) => read(inner))
      }),
    'all statements of it, once it has begun again': (api, name) =>
      api.transaction(async (tx) => {
        await read(tx)
        await mark(tx, name)
        await tx.select().from(items).where(eq(items.id, 1))
        await new BaseRepository(tx, items).update(1, { n: 6 })
      }),
  }

  test.each(Object.entries(transactions))('%s', async (_, run) => {
    const api = await boot(1)
    for (const name of ['a', 'b']) await run(api, name)
    await change()
    await run(api, 'c')
    const after = await names(api.db)
    expect(after.filter((name) => name.startsWith('c')).length).toBe(
      after.filter((name) => name.startsWith('b')).length,
    )
    await run(api, 'd')
  })

  test.each(['bigint', 'text', 'numeric'])(
    'integer to %s: statements by themselves, and the first of a transaction',
    async (type) => {
      const api = await boot(1)
      const find = (db: Database) => db.select().from(items).where(eq(items.n, 5)).limit(3)
      const touch = (db: Database) => db.update(items).set({ id: 1 }).where(eq(items.id, 1))
      for (let round = 0; round < 2; round += 1) {
        await read(api.db)
        await touch(api.db)
        await find(api.db)
      }
      await change(type)
      expect(await read(api.db)).toHaveLength(1)
      expect(await find(api.db)).toHaveLength(1)
      expect(await api.transaction((tx) => find(tx))).toHaveLength(1)
      await touch(api.db)
    },
  )

  test.each(['text', 'numeric'])('integer to %s: a condition that was prepared for integers', async (type) => {
    const api = await boot(1)
    const find = (db: Database) => db.select({ id: items.id }).from(items).where(eq(items.n, 5))
    for (let round = 0; round < 2; round += 1) expect(await find(api.db)).toHaveLength(1)
    await change(type)
    expect(await api.transaction((tx) => find(tx))).toEqual([{ id: 1 }])
    expect(await find(api.db)).toEqual([{ id: 1 }])
  })

  test('later in a transaction: nothing is written, the caller may try again, and then it works on each connection', async () => {
    const api = await boot(2)
    const run = (name: string) =>
      api.transaction(async (tx) => {
        await mark(tx, name)
        await read(tx)
      })
    const both = (name: string) => Promise.all([run(`${name} 1`), run(`${name} 2`)])
    await both('a')
    await both('b')
    await change()
    expect(await code(run('c'))).toBe('unavailable')
    expect(await names(api.db)).toHaveLength(4)
    // The other connection had prepared it too.
    await both('d')
    expect(await names(api.db)).toHaveLength(6)
  })

  test('one statement by itself that meets it spares the transactions of all connections', async () => {
    const api = await boot(2)
    const run = (name: string) =>
      api.transaction(async (tx) => {
        await mark(tx, name)
        await read(tx)
      })
    const both = (name: string) => Promise.all([run(`${name} 1`), run(`${name} 2`)])
    await both('a')
    await both('b')
    await change()
    await read(api.db)
    await both('c')
    expect(await names(api.db)).toHaveLength(6)
  })

  describe.each(['call', 'http'] as const)('by %s', (wire) => {
    const effects: string[] = []
    const routeOf = (path: string, retries: number) =>
      route({
        http: `POST /${path}`,
        use: [transaction({ retries })],
        input: v.object({ name: v.string() }),
        handler: async ({ name }, call) => {
          await mark(call.db, name)
          call.afterCommit(() => void effects.push(name))
          await read(call.db)
          return name
        },
      })
    test('`retries` runs it again; without them the answer is `unavailable`', async () => {
      const app = await createTestApp({
        pkgIds: { RETRIED: 1, ONCE: 2 },
        routes: { RETRIED: routeOf('retried', 1), ONCE: routeOf('once', 0) },
        defaultAccess: 'public',
        plugins: [database({ url: server.url, pool: { max: 1 } })],
      })
      try {
        effects.length = 0
        const client = await app.client()
        for (const name of ['a', 'b']) await client[wire]('ONCE', { name })
        await change()
        const failure = client[wire]('ONCE', { name: 'c' }).catch((error: CallError) => ({ code: error.code }))
        expect(await failure).toEqual({ code: 'unavailable' })
        await client[wire]('ONCE', { name: 'c' })
        await client[wire]('ONCE', { name: 'd' })
        await change('numeric')
        expect(await client[wire]('RETRIED', { name: 'e' })).toBe('e')
        await expect.poll(() => effects).toEqual(['a', 'b', 'c', 'd', 'e'])
      } finally {
        await app.close()
      }
    })
  })
})
