// What happens to queries and transactions when PostgreSQL ends their connections.
import { sql } from 'drizzle-orm'
import { pgTable, text } from 'drizzle-orm/pg-core'
import * as v from 'valibot'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createFakeHost, type FakeHost } from '../../packages/core/src/database/database.fixtures.ts'
import { mapDatabaseError } from '../../packages/core/src/database/errors.ts'
import {
  BaseRepository,
  type Database,
  type DatabaseApi,
  database,
  transaction,
} from '../../packages/core/src/database.ts'
import { route } from '../../packages/core/src/index.ts'
import { type CallError, createTestApp } from '../../packages/core/src/testing.ts'
import { isEmbeddedPostgresInstalled } from '../support/embedded-postgres.ts'
import { hasPostgres, startPostgres, type TestPostgres } from '../support/postgres.ts'

const marks = pgTable('marks', { name: text().primaryKey() })

const available = await hasPostgres()

describe.skipIf(!available)('connections that are lost', () => {
  let postgres: TestPostgres
  let admin: DatabaseApi
  const hosts: FakeHost[] = []
  const boot = async (max: number): Promise<DatabaseApi> => {
    const host = createFakeHost()
    hosts.push(host)
    return database({ url: postgres.url, pool: { max } }).setup(host)
  }
  beforeAll(async () => {
    postgres = await startPostgres()
    admin = await boot(1)
    await admin.db.execute(sql`create table marks (name text primary key)`)
  })
  afterAll(async () => {
    await Promise.all(hosts.map((host) => host.close()))
    await postgres.stop()
  })

  const mark = (db: Database, name: string) => new BaseRepository(db, marks).create({ name })
  const isMarked = (name: string) => new BaseRepository(admin.db, marks).exists({ name })
  const code = (work: PromiseLike<unknown>): Promise<unknown> =>
    Promise.resolve(work).then(
      () => 'resolved',
      (error: unknown) => mapDatabaseError(error)?.code ?? (error as { code?: unknown }).code ?? error,
    )
  /** Ends the connection of `tx`, and waits until this side knows. */
  const lose = async (tx: Database) => {
    const rows = await tx.execute(sql`select pg_backend_pid() as pid`)
    const { pid } = (rows as unknown as { pid: number }[])[0] ?? { pid: 0 }
    await admin.db.execute(sql`select pg_terminate_backend(${pid})`)
    await expect.poll(() => code(tx.execute(sql`select 1`))).toBe('unavailable')
  }

  test('the rest of a transaction is refused, and never runs on the connection that comes next', async () => {
    const api = await boot(1)
    for (const [name, begin] of [
      ['plugin', api.transaction],
      ['drizzle', (run: (tx: Database) => Promise<unknown>) => api.db.transaction(run)],
    ] as const) {
      const work = begin(async (tx) => {
        await mark(tx, `${name} before`)
        await lose(tx)
        // Ignored, as a handler may do.
        await mark(tx, `${name} after`).catch(() => {})
      })
      expect(await code(work)).toBe('unavailable')
      expect([await isMarked(`${name} before`), await isMarked(`${name} after`)]).toEqual([false, false])
      expect(await code(api.db.execute(sql`select 1`))).toBe('resolved')
    }
  })

  test('its rollback never ends another transaction', async () => {
    const api = await boot(2)
    const mine = new Error('mine')
    let lost = () => {}
    const isLost = new Promise<void>((resolve) => {
      lost = resolve
    })
    let fail = () => {}
    const late = api.transaction(async (tx) => {
      await lose(tx)
      const failure = new Promise<void>((_, reject) => {
        fail = () => reject(mine)
      })
      lost()
      await failure
    })
    await isLost
    await api.transaction(async (tx) => {
      await mark(tx, 'other')
      fail()
      await expect(late).rejects.toBe(mine)
    })
    expect(await isMarked('other')).toBe(true)
  })

  test('a nested transaction on a lost connection fails too', async () => {
    const api = await boot(1)
    const work = api.transaction(async (tx) => {
      await lose(tx)
      await tx.transaction((inner) => mark(inner, 'nested'))
    })
    expect(await code(work)).toBe('unavailable')
    expect(await isMarked('nested')).toBe(false)
  })

  test('under load with 150 kills at random all work settles, and what committed is whole', async () => {
    const api = await boot(4)
    const committed: string[] = []
    const codes = new Set<unknown>()
    let done = false
    const workers = Array.from({ length: 12 }, async (_, worker) => {
      for (let turn = 0; !done; turn += 1) {
        const name = `w${worker}-${turn}`
        const ended = await code(
          worker % 3 === 0
            ? api.db.execute(sql`select pg_sleep(0.002)`)
            : api.transaction(async (tx) => {
                await mark(tx, `${name}/a`)
                await Promise.all([mark(tx, `${name}/b`), mark(tx, `${name}/c`)])
                await tx.transaction((inner) => mark(inner, `${name}/d`))
              }),
        )
        codes.add(ended)
        if (worker % 3 !== 0 && ended === 'resolved') committed.push(name)
      }
    })
    for (let kills = 0; kills < 150; kills += 1) {
      await admin.db.execute(sql`
        select pg_terminate_backend(pid), pg_sleep(0.005) from pg_stat_activity
        where datname = current_database() and pid <> pg_backend_pid() order by random() limit 1`)
    }
    done = true
    await Promise.all(workers)
    // A COMMIT whose answer was lost with the connection may have happened.
    expect([...codes].filter((each) => !['resolved', 'unavailable', 'outcome_unknown'].includes(String(each)))).toEqual(
      [],
    )
    expect(codes).toContain('unavailable')
    const rows = await admin.db.execute(
      sql`select split_part(name, '/', 1) as name, count(*)::int as parts from marks where name like 'w%' group by 1`,
    )
    const found = rows as unknown as { name: string; parts: number }[]
    expect(found.filter((row) => row.parts !== 4)).toEqual([])
    const there = new Set(found.map((row) => row.name))
    expect(committed.filter((name) => !there.has(name))).toEqual([])
    expect(committed.length).toBeGreaterThan(0)
  })

  test('who waits for a connection is served after a loss, in order, and refused at the close', async () => {
    const api = await boot(1)
    const host = hosts.at(-1)
    const order: string[] = []
    const held = code(api.transaction(async (tx) => lose(tx)))
    const waiting = ['first', 'second'].map(async (name) => {
      await api.db.execute(sql`select 1`)
      order.push(name)
    })
    expect(await held).toBe('unavailable')
    await Promise.all(waiting)
    expect(order).toEqual(['first', 'second'])

    const running = code(api.db.execute(sql`select pg_sleep(5)`))
    const refused = code(api.db.execute(sql`select 1`))
    await expect.poll(async () => (await active(admin.db)) > 0).toBe(true)
    await host?.close()
    expect(await refused).toBe('unavailable')
    expect(['resolved', 'unavailable']).toContain(await running)
  })
})

describe.skipIf(!isEmbeddedPostgresInstalled())('a server that is killed while an app serves', () => {
  test('calls are answered, the app is not ready, and it recovers without a restart', async () => {
    const postgres = await startPostgres({ own: true })
    const write = route({
      http: 'POST /marks',
      input: v.object({ name: v.string() }),
      use: [transaction()],
      handler: async ({ name }, { db }) => {
        await new BaseRepository(db, marks).create({ name })
        await db.execute(sql`select pg_sleep(0.01)`)
        return { name }
      },
    })
    const app = await createTestApp(
      {
        pkgIds: { WRITE: 1 },
        routes: { WRITE: write },
        plugins: [database({ url: postgres.url, pool: { max: 5 } })],
        health: { cacheMs: 100 },
        deadlineMs: 5000,
      },
      { transport: 'uws', leftovers: 'allow' },
    )
    const ready = async () => (await app.request('GET /health/ready')).status
    const setUp = createFakeHost()
    try {
      const api = await database({ url: postgres.url, pool: { max: 1 } }).setup(setUp)
      await api.db.execute(sql`create table marks (name text primary key)`)
      await setUp.close()
      const client = await app.client()
      const outcomes: { readonly phase: string; readonly code: string }[] = []
      const committed: string[] = []
      let phase = 'before'
      let done = false
      const workers = Array.from({ length: 20 }, async (_, worker) => {
        for (let turn = 0; !done; turn += 1) {
          const name = `${worker}-${turn}`
          const begun = phase
          const ended =
            worker % 2 === 0
              ? await client.call('WRITE', { name }).then(
                  () => 'ok',
                  (error: unknown) => (error as CallError).code,
                )
              : await app
                  .request('POST /marks', { json: { name } })
                  .then((response) =>
                    response.status === 201 || response.status === 200
                      ? 'ok'
                      : (response.json() as { error: { code: string } }).error.code,
                  )
          if (ended === 'ok') committed.push(name)
          else await new Promise((resolve) => setTimeout(resolve, 20))
          outcomes.push({ phase: begun, code: ended })
        }
      })
      const okSince = (since: string) => outcomes.filter((each) => each.phase === since && each.code === 'ok').length
      await expect.poll(() => okSince('before'), { timeout: 10_000 }).toBeGreaterThan(50)
      expect(await ready()).toBe(200)
      phase = 'down'
      await postgres.crash()
      await expect.poll(ready, { timeout: 10_000 }).toBe(503)
      expect((await app.request('GET /health/live')).status).toBe(200)
      expect((await app.request('GET /health')).json()).toMatchObject({ status: 'unhealthy', database: 'unhealthy' })
      await expect
        .poll(() => outcomes.filter((each) => each.phase === 'down').length, { timeout: 20_000 })
        .toBeGreaterThan(50)
      await postgres.restart()
      await expect.poll(ready, { timeout: 20_000 }).toBe(200)
      phase = 'after'
      await expect.poll(() => okSince('after'), { timeout: 20_000 }).toBeGreaterThan(50)
      done = true
      await Promise.all(workers)
      const codes = new Set(outcomes.map(({ code }) => code))
      expect(
        [...codes].filter((code) => !['ok', 'unavailable', 'outcome_unknown', 'database_error'].includes(code)),
      ).toEqual([])
      expect(codes).toContain('unavailable')
      expect(outcomes.filter((each) => each.phase === 'after' && each.code !== 'ok')).toEqual([])
      // What was answered as done is there: PostgreSQL came back with all it had committed.
      const verify = createFakeHost()
      const { db } = await database({ url: postgres.url, pool: { max: 1 } }).setup(verify)
      const rows = (await db.execute(sql`select name from marks`)) as unknown as { name: string }[]
      const there = new Set(rows.map(({ name }) => name))
      expect(committed.filter((name) => !there.has(name))).toEqual([])
      await verify.close()
    } finally {
      await app.close()
      await postgres.stop()
    }
  }, 120_000)
})

async function active(db: Database): Promise<number> {
  const rows = await db.execute(sql`
    select count(*)::int as n from pg_stat_activity
    where datname = current_database() and pid <> pg_backend_pid() and query like '%pg_sleep%' and state = 'active'`)
  return (rows as unknown as { n: number }[])[0]?.n ?? 0
}
