// What `transaction()` promises in an app, over both wires, on PGlite and on PostgreSQL.
import { type Call, ConflictError, event, guard, PermissionDeniedError, route } from '@twinwire/core'
import { BaseRepository, type Database, database, databaseKey, transaction, withDb } from '@twinwire/core/database'
import { type CallError, createTestApp } from '@twinwire/core/testing'
import { eq, sql } from 'drizzle-orm'
import { integer, pgTable, text } from 'drizzle-orm/pg-core'
import * as v from 'valibot'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { hasPostgres, startPostgres } from '../support/postgres.ts'

const marks = pgTable('marks', { name: text().primaryKey(), n: integer().notNull().default(0) })
const marked = event({ data: v.object({ name: v.string() }) })
const Name = v.object({ name: v.string() })

/** Kept from the start, as an app may keep it. */
let pool: Database

/** The API of the plugin, as a step of an outside author has it. */
const withApi = () =>
  guard({
    name: 'withApi',
    needs: databaseKey,
    bind: (api) => () => ({ api }),
  })

const mark = (db: Database, name: string) => new BaseRepository(db, marks).create({ name })

/** How often handlers ran, and what they saw. */
const log: string[] = []

/** As PostgreSQL ends a transaction that cannot be put in line with others. */
const failAs = (db: Database, code: string) =>
  db.execute(sql.raw(`do $$ begin raise exception 'made to fail' using errcode = '${code}'; end $$`))

const routes = {
  NESTED: route({
    http: 'POST /nested',
    use: [transaction(), transaction()],
    input: Name,
    handler: async ({ name }, call) => {
      await mark(call.db, `${name} outer`)
      await call.db
        .transaction(async (inner) => {
          await mark(inner, `${name} inner`)
          call.broadcast(marked, { name: `${name} inner` })
          call.afterCommit(() => void log.push('inner'))
          throw new ConflictError('of the inner one')
        })
        .catch(() => {})
      // Side by side: each is a savepoint of its own, and one of them fails.
      const results = await Promise.allSettled(
        ['a', 'b', 'a'].map((each) =>
          call.db.transaction((inner) => {
            call.broadcast(marked, { name: `${name} ${each}` })
            return mark(inner, `${name} ${each}`)
          }),
        ),
      )
      call.afterCommit(() => void log.push('committed'))
      return results.map(({ status }) => status)
    },
  }),
  NESTED_READ_ONLY: route({
    http: 'POST /nested-read-only',
    use: [transaction(), transaction({ readOnly: true })],
    input: Name,
    handler: async ({ name }, { db }): Promise<null> => {
      await mark(db, name)
      return null
    },
  }),
  NESTED_ISOLATION: route({
    http: 'POST /nested-isolation',
    use: [transaction(), transaction({ isolation: 'serializable' })],
    handler: (): null => null,
  }),
  MODE: route({
    http: 'GET /mode',
    use: [transaction({ isolation: 'repeatable read', readOnly: true })],
    handler: async (_, { db }) => {
      const [row] = await db
        .select({
          isolation: sql<string>`current_setting('transaction_isolation')`,
          readOnly: sql<string>`current_setting('transaction_read_only')`,
        })
        .from(sql`(select 1) as one`)
      return row
    },
  }),
  READ_ONLY: route({
    http: 'POST /read-only',
    use: [transaction({ readOnly: true })],
    input: Name,
    handler: async ({ name }, { db }): Promise<null> => {
      await mark(db, name)
      return null
    },
  }),
  RETRIED: route({
    http: 'POST /retried',
    use: [transaction({ retries: 2 })],
    input: v.object({ name: v.string(), code: v.string(), failures: v.number(), at: v.array(v.number()) }),
    handler: async (input, call) => {
      log.push('run')
      const attempt = input.at.push(log.length)
      await mark(call.db, input.name)
      call.broadcast(marked, { name: input.name })
      call.afterCommit(() => void log.push('effect'))
      if (log.filter((each) => each === 'run').length <= input.failures) await failAs(call.db, input.code)
      return attempt
    },
  }),
  KEPT_HANDLE: route({
    http: 'POST /kept-handle',
    use: [
      withDb(),
      guard({ name: 'keep', run: (call: Call & { readonly db: Database }) => ({ kept: call.db }) }),
      transaction(),
    ],
    input: Name,
    handler: async ({ name }, { kept, db }): Promise<null> => {
      await mark(db, name)
      await mark(kept, `${name} outside`)
      return null
    },
  }),
  POOL_HANDLE: route({
    http: 'POST /pool-handle',
    use: [transaction()],
    input: Name,
    handler: async ({ name }, { db }): Promise<null> => {
      await mark(db, name)
      await new BaseRepository(pool, marks).getAll()
      return null
    },
  }),
  POOL_TRANSACTION: route({
    http: 'POST /pool-transaction',
    use: [transaction()],
    handler: (): Promise<null> => pool.transaction(async () => null),
  }),
  API: route({
    http: 'POST /api',
    use: [withApi(), transaction()],
    input: v.object({ name: v.string(), own: v.boolean() }),
    handler: async ({ name, own }, call) => {
      await mark(call.db, name)
      // With the call it is a savepoint; without a call it would be another transaction.
      return call.api.transaction(async (tx) => (await mark(tx, `${name} too`)).name, own ? { call } : {})
    },
  }),
  SIDE_BY_SIDE: route({
    http: 'POST /side-by-side',
    use: [withApi()],
    input: Name,
    handler: async ({ name }, call) => {
      let inside = (): void => {}
      const isInside = new Promise<void>((resolve) => {
        inside = resolve
      })
      const first = call.api.transaction(
        async (tx) => {
          await mark(tx, `${name} first`)
          inside()
          await mark(tx, `${name} first again`)
          call.afterCommit(() => void log.push('first'))
          call.broadcast(marked, { name: `${name} first` })
          throw new ConflictError('of the first')
        },
        { call },
      )
      const second = isInside.then(() =>
        call.api.transaction(
          (tx) => {
            call.afterCommit(() => void log.push('second'))
            call.broadcast(marked, { name: `${name} second` })
            return mark(tx, `${name} second`)
          },
          { call },
        ),
      )
      const results = await Promise.allSettled([first, second])
      log.push('both ended')
      return results.map(({ status }) => status)
    },
  }),
  AFTER_COMMIT: route({
    http: 'POST /after-commit',
    use: [withDb(), transaction()],
    input: Name,
    handler: async ({ name }, call) => {
      await mark(call.db, name)
      call.afterCommit(async () => {
        await mark(pool, `${name} after`)
        log.push('after')
      })
      return name
    },
  }),
  FORGOTTEN: route({
    http: 'POST /forgotten',
    use: [transaction()],
    input: Name,
    handler: ({ name }, { db }) => {
      setImmediate(() => setImmediate(() => void mark(db, name).catch((error) => log.push(String(error.cause?.code)))))
      return name
    },
  }),
  LIST: route({
    http: 'GET /marks',
    use: [withDb()],
    handler: (_, { db }) => new BaseRepository(db, marks).getAll(),
  }),
  TWO_AT_ONCE: route({
    http: 'POST /two-at-once',
    use: [transaction()],
    input: Name,
    handler: async ({ name }, { db }) => {
      // Another call, on the same connection of the client, while this one is in its transaction.
      await db.update(marks).set({ n: 1 }).where(eq(marks.name, name))
      return name
    },
  }),
  STUCK: route({
    http: 'POST /stuck',
    use: [transaction()],
    deadlineMs: 2000,
    input: Name,
    handler: async ({ name }, { db }): Promise<null> => {
      await mark(db, name)
      await untilReleased
      await mark(db, `${name} late`).catch((error) => log.push(`refused: ${error.cause?.code}`))
      log.push('handler ended')
      return null
    },
  }),
}

let untilReleased: Promise<void> = Promise.resolve()

const pkgIds = Object.fromEntries([...Object.keys(routes), 'MARKED'].map((name, index) => [name, index + 1])) as Record<
  keyof typeof routes | 'MARKED',
  number
>

const postgresThere = await hasPostgres()

describe.each([
  ['PGlite', async () => ({ url: 'pglite://memory', stop: async () => {} }), true, 1],
  ['PostgreSQL', () => startPostgres(), postgresThere, 2],
] as const)('transactions on %s', (_, start, available, max) => {
  describe.skipIf(!available)('in an app', () => {
    const open = async (url: string) =>
      createTestApp({
        pkgIds,
        routes,
        events: { MARKED: marked },
        defaultAccess: 'public',
        plugins: [
          database({
            url,
            pool: { max },
            constraints: { marks_pkey: ({ name }) => `There is a mark '${name}' already` },
            onStart: async (db) => {
              pool = db
              await db.execute(
                sql`create table if not exists marks (name text primary key, n integer not null default 0)`,
              )
            },
          }),
        ],
      })
    let app: Awaited<ReturnType<typeof open>>
    let stop: () => Promise<void>
    beforeAll(async () => {
      const server = await start()
      stop = server.stop
      app = await open(server.url)
    })
    afterAll(async () => {
      await app.close()
      await stop()
    })
    beforeEach(async () => {
      log.length = 0
      await pool.execute(sql`truncate marks`)
    })
    const names = async () => (await new BaseRepository(pool, marks).getAll()).map(({ name }) => name).sort()
    const wires = ['call', 'http'] as const
    const refusal = (work: Promise<unknown>) =>
      work.then(
        (value) => expect.fail(`resolved with ${JSON.stringify(value)}`),
        (error: CallError) => ({ code: error.code, msg: error.msg }),
      )
    /** What was logged as the cause of the failures since the last time. */
    let seen = 0
    const causes = () => {
      const lines = app.logs.slice(seen).filter(({ level }) => level === 'error')
      seen = app.logs.length
      return lines.map(({ fields }) => String((fields.err as Error).message))
    }

    describe.each(wires)('by %s', (wire) => {
      test('inside of one another they are savepoints, also those that are begun side by side', async () => {
        const client = await app.client()
        expect(await client[wire]('NESTED', { name: 'x' })).toEqual(['fulfilled', 'fulfilled', 'rejected'])
        expect(await names()).toEqual(['x a', 'x b', 'x outer'])
        // What was published in one that was rolled back has not left, though the outer one has committed.
        expect(log).toEqual(['committed'])
        expect([await client.nextEvent('MARKED'), await client.nextEvent('MARKED')]).toEqual([
          { name: 'x a' },
          { name: 'x b' },
        ])
        await expect(client.nextEvent('MARKED', 50)).rejects.toThrow('No event')
      })

      test('a read-only savepoint refuses writes, and one of another isolation is refused', async () => {
        const client = await app.client()
        expect(await refusal(client[wire]('NESTED_READ_ONLY', { name: 'x' }))).toMatchObject({ code: 'database_error' })
        causes()
        expect(await refusal(client[wire]('NESTED_ISOLATION'))).toMatchObject({ code: 'internal_error' })
        expect(causes().join()).toContain("isolation 'serializable' is inside a transaction with isolation 'default'")
        expect(await names()).toEqual([])
      })

      test('isolation and readOnly are what PostgreSQL says of itself, and a write is refused', async () => {
        const client = await app.client()
        expect(await client[wire]('MODE')).toEqual({ isolation: 'repeatable read', readOnly: 'on' })
        expect(await refusal(client[wire]('READ_ONLY', { name: 'x' }))).toEqual({
          code: 'database_error',
          msg: 'Database error occurred',
        })
        expect(await names()).toEqual([])
      })

      test.each(['40001', '40P01'])('%s runs all again, as often as told, from a clean start', async (code) => {
        const client = await app.client()
        const input = { name: 'x', code, at: [] }
        expect(await client[wire]('RETRIED', { ...input, failures: 2 })).toBe(1)
        expect(log).toEqual(['run', 'run', 'run', 'effect'])
        expect(await client.nextEvent('MARKED')).toEqual({ name: 'x' })
        expect(await names()).toEqual(['x'])

        log.length = 0
        expect(await refusal(client[wire]('RETRIED', { ...input, name: 'y', failures: 9 }))).toEqual({
          code: 'conflict',
          msg: 'The data was changed by a concurrent request',
        })
        expect(log).toEqual(['run', 'run', 'run'])
        expect(await names()).toEqual(['x'])
        log.length = 0
        await client[wire]('RETRIED', { ...input, name: 'z', failures: 0 })
        // None of the attempts that failed has left an event behind.
        expect(await client.nextEvent('MARKED')).toEqual({ name: 'z' })
      })

      test('a failure of the commit itself runs all again too', async () => {
        // A sequence is not rolled back: the first two commits fail.
        await pool.execute(sql`create sequence commits`)
        await pool.execute(
          sql.raw(`create function fail_commit() returns trigger language plpgsql as $$ begin
            if nextval('commits') < 3 then raise exception 'made to fail' using errcode = '40001'; end if; return new; end $$`),
        )
        await pool.execute(
          sql`create constraint trigger fail_commit after insert on marks deferrable initially deferred for each row execute function fail_commit()`,
        )
        try {
          const client = await app.client()
          const input = { name: 'x', code: '40001', failures: 0, at: [] }
          expect(await client[wire]('RETRIED', input)).toBe(1)
          expect(log).toEqual(['run', 'run', 'run', 'effect'])
          expect(await client.nextEvent('MARKED')).toEqual({ name: 'x' })
          expect(await names()).toEqual(['x'])
        } finally {
          await pool.execute(sql`drop trigger fail_commit on marks`)
          await pool.execute(sql`drop function fail_commit`)
          await pool.execute(sql`drop sequence commits`)
        }
      })

      test('any other failure is not tried again', async () => {
        const client = await app.client()
        const input = { name: 'x', code: '22001', at: [], failures: 9 }
        expect(await refusal(client[wire]('RETRIED', input))).toMatchObject({ code: 'validation_error' })
        expect(log).toEqual(['run'])
      })

      test('the handle of the pool is refused inside, however it got there, and all is rolled back', async () => {
        const client = await app.client()
        causes()
        for (const work of [
          () => client[wire]('KEPT_HANDLE', { name: 'x' }),
          () => client[wire]('POOL_HANDLE', { name: 'x' }),
          () => client[wire]('POOL_TRANSACTION'),
          () => client[wire]('API', { name: 'x', own: false }),
        ]) {
          expect(await refusal(work())).toEqual({ code: 'internal_error', msg: 'Internal error' })
          expect(causes().join()).toMatch(/The handle of the pool was used inside of a transaction: use the `db` that/)
        }
        expect(await names()).toEqual([])
      })

      test('a transaction by the API of the plugin, with the call, is a savepoint', async () => {
        const client = await app.client()
        expect(await client[wire]('API', { name: 'x', own: true })).toBe('x too')
        expect(await names()).toEqual(['x', 'x too'])
      })

      test('those that a call begins side by side do not depend on each other', async () => {
        const client = await app.client()
        expect(await client[wire]('SIDE_BY_SIDE', { name: 'x' })).toEqual(['rejected', 'fulfilled'])
        expect(await names()).toEqual(['x second'])
        // The effects of each are its own: they leave with its commit, before the call has ended, or never.
        expect(log).toEqual(['second', 'both ended'])
        expect(await client.nextEvent('MARKED')).toEqual({ name: 'x second' })
        await expect(client.nextEvent('MARKED', 50)).rejects.toThrow('No event')
      })

      test('effects after the commit may use the pool', async () => {
        const client = await app.client()
        await client[wire]('AFTER_COMMIT', { name: 'x' })
        await expect.poll(() => log).toEqual(['after'])
        expect(await names()).toEqual(['x', 'x after'])
      })

      test('other calls use the pool while transactions are under way', async () => {
        const client = await app.client()
        await mark(pool, 'x')
        const work = Array.from({ length: 20 }, (_, index) =>
          index % 2 === 0 ? client[wire]('TWO_AT_ONCE', { name: 'x' }) : client[wire]('LIST'),
        )
        expect((await Promise.all(work)).length).toBe(20)
      })

      test('a query that is not awaited never runs outside of its transaction', async () => {
        const client = await app.client()
        await client[wire]('FORGOTTEN', { name: 'x' })
        await expect.poll(() => log.length).toBe(1)
        expect(await names()).toEqual([])
        expect(log).toEqual(['internal_error'])
      })

      test('a deadline rolls back and frees the connection at once, also when the handler goes on', async () => {
        const client = await app.client()
        let release = () => {}
        untilReleased = new Promise((resolve) => {
          release = resolve
        })
        // As many handlers as the pool has connections.
        const stuck = Array.from({ length: max }, (_, index) => refusal(client[wire]('STUCK', { name: `${index}` })))
        expect(new Set((await Promise.all(stuck)).map(({ code }) => code))).toEqual(new Set(['deadline_exceeded']))
        expect(await client[wire]('LIST')).toEqual([])
        release()
        await expect.poll(() => log.length).toBe(2 * max)
        expect(new Set(log)).toEqual(new Set(['refused: deadline_exceeded', 'handler ended']))
        expect(await names()).toEqual([])
      })

      test('a constraint is told in the words of the app, found by the command or lost in a race', async () => {
        const client = await app.client()
        await client[wire]('AFTER_COMMIT', { name: 'x' })
        expect(await refusal(client[wire]('AFTER_COMMIT', { name: 'x' }))).toEqual({
          code: 'conflict',
          msg: "There is a mark 'x' already",
        })
        await expect.poll(() => log).toEqual(['after'])
      })
    })
  })
})

test('a step that refuses before the transaction costs no connection', async () => {
  const denied = guard({
    name: 'denied',
    run: () => {
      throw new PermissionDeniedError()
    },
  })
  const app = await createTestApp({
    pkgIds: { DO: 1 },
    routes: { DO: route({ use: [denied, transaction()], handler: (): null => null }) },
    defaultAccess: 'public',
    plugins: [database({ url: 'pglite://memory' })],
  })
  await expect((await app.client()).call('DO')).rejects.toMatchObject({ code: 'permission_denied' })
  await app.close()
})
