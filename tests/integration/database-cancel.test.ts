// Calls that end before their queries do, waits that are bounded, and conflicts of many, on a real PostgreSQL.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type Socket, connect as tcp } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { TLSSocket } from 'node:tls'
import { ConflictError, route } from '@twinwire/core'
import {
  BaseRepository,
  type Database,
  type DatabaseOptions,
  database,
  transaction,
  withDb,
} from '@twinwire/core/database'
import { type CallError, createTestApp } from '@twinwire/core/testing'
import { eq, sql } from 'drizzle-orm'
import { integer, pgTable, serial, text } from 'drizzle-orm/pg-core'
import * as v from 'valibot'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { systemClock } from '../../packages/core/src/base/clock.ts'
import { createFakeHost, type FakeHost } from '../../packages/core/src/database/database.fixtures.ts'
import { hasPostgres, startPostgres, type TestPostgres } from '../support/postgres.ts'

const authors = pgTable('authors', { id: serial().primaryKey(), name: text().notNull().unique() })
const counters = pgTable('counters', { id: integer().primaryKey(), n: integer().notNull() })

const available = await hasPostgres()

describe.skipIf(!available)('PostgreSQL', () => {
  let postgres: TestPostgres
  let admin: Database
  const hosts: FakeHost[] = []
  const boot = async (options: Partial<DatabaseOptions> = {}) => {
    const host: FakeHost = { ...createFakeHost(), clock: systemClock }
    hosts.push(host)
    return { host, api: await database({ url: postgres.url, ...options }).setup(host) }
  }
  beforeAll(async () => {
    postgres = await startPostgres()
    admin = (await boot({ pool: { max: 2 } })).api.db
    await admin.execute(sql`create table authors (id serial primary key, name text not null unique)`)
    await admin.execute(sql`create table counters (id integer primary key, n integer not null)`)
  })
  afterAll(async () => {
    await Promise.all(hosts.map((host) => host.close()))
    await postgres.stop()
  })

  /** Running statements of this database that contain a word. */
  const running = async (word: string): Promise<number> => {
    const [row] = await admin
      .select({ n: sql<number>`count(*)::int` })
      .from(sql`pg_stat_activity`)
      .where(
        sql`datname = current_database() and pid <> pg_backend_pid() and state <> 'idle' and query like ${`%${word}%`}`,
      )
    return row?.n ?? 0
  }
  const figure = (host: FakeHost, name: string): number => {
    const family = host.instruments.families().find((each) => each.name === name)
    const cell = family?.cells[0]?.cell
    return cell !== undefined && 'value' in cell ? cell.value : Number.NaN
  }
  const callOf = () => {
    const controller = new AbortController()
    return { controller, call: { signal: controller.signal, log: hosts[0]?.log ?? createFakeHost().log } }
  }
  const code = (work: PromiseLike<unknown>): Promise<unknown> =>
    Promise.resolve(work).then(
      () => 'resolved',
      (error: { code?: unknown; cause?: { code?: unknown } }) => error.cause?.code ?? error.code,
    )

  describe('an app', () => {
    const attempts: number[] = []
    let open = () => {}
    let met: Promise<void> = Promise.resolve()
    let arrived = 0
    /** Waits, the first time only, until two are there: so that they are sure to collide. */
    const meet = async () => {
      arrived += 1
      if (arrived === 2) open()
      if (arrived <= 2) await met
    }
    const routes = {
      CREATE: route({
        http: { route: 'POST /authors', status: 201 },
        use: [transaction()],
        input: v.object({ name: v.string() }),
        handler: async ({ name }, { db }) => {
          const repository = new BaseRepository(db, authors)
          if (await repository.exists({ name })) throw new ConflictError(`Author with name '${name}' already exists`)
          return repository.create({ name })
        },
      }),
      RAISE: route({
        http: 'POST /raise',
        use: [transaction({ isolation: 'serializable', retries: 10 })],
        handler: async (_, { db }) => {
          const repository = new BaseRepository(db, counters)
          const { n } = await repository.getById(1)
          attempts.push(n)
          await repository.update(1, { n: n + 1 })
          return n + 1
        },
      }),
      CROSS: route({
        http: 'POST /cross',
        use: [transaction({ retries: 3 })],
        input: v.object({ first: v.number(), second: v.number() }),
        handler: async ({ first, second }, { db }): Promise<null> => {
          await db.update(counters).set({ n: sql`n + 1` }).where(eq(counters.id, first))
          await meet()
          await db.update(counters).set({ n: sql`n + 1` }).where(eq(counters.id, second))
          return null
        },
      }),
      SLEEP: route({
        http: 'POST /sleep',
        use: [withDb()],
        handler: async (_, { db }): Promise<null> => {
          await db.execute(sql`select pg_sleep(60)`)
          return null
        },
      }),
      SLEEP_IN_TRANSACTION: route({
        http: 'POST /sleep-in-transaction',
        use: [transaction()],
        handler: async (_, { db }): Promise<null> => {
          await db.insert(authors).values({ name: `sleeper ${Math.random()}` })
          await db.execute(sql`select pg_sleep(60)`)
          return null
        },
      }),
      SLEEP_SHORT: route({
        http: 'POST /sleep-short',
        use: [transaction()],
        deadlineMs: 300,
        handler: async (_, { db }): Promise<null> => {
          await db.execute(sql`select pg_sleep(60)`)
          return null
        },
      }),
    }
    const pkgIds = { CREATE: 1, RAISE: 2, CROSS: 3, SLEEP: 4, SLEEP_IN_TRANSACTION: 5, SLEEP_SHORT: 6 } as const
    const start = (max: number) =>
      createTestApp(
        {
          pkgIds,
          routes,
          defaultAccess: 'public',
          plugins: [
            database({
              url: postgres.url,
              pool: { max },
              constraints: { authors_name_key: ({ name }) => `Author with name '${name}' already exists` },
            }),
          ],
        },
        { transport: 'uws', leftovers: 'allow' },
      )
    let app: Awaited<ReturnType<typeof start>>
    beforeAll(async () => {
      app = await start(20)
    })
    afterAll(() => app.close())

    test.each(['call', 'http'] as const)(
      '50 creates of one name by %s: one row, 49 conflicts in one wording',
      async (wire) => {
        const client = await app.client()
        const name = `Octavia by ${wire}`
        const outcomes = await Promise.all(
          Array.from({ length: 50 }, () =>
            client[wire]('CREATE', { name }).then(
              () => 'created',
              (error: CallError) => `${error.code}: ${error.msg}`,
            ),
          ),
        )
        expect(outcomes.filter((each) => each === 'created')).toHaveLength(1)
        expect(new Set(outcomes.filter((each) => each !== 'created'))).toEqual(
          new Set([`conflict: Author with name '${name}' already exists`]),
        )
        expect(await new BaseRepository(admin, authors).count({ name })).toBe(1)
      },
    )

    test('serialization failures are retried until each has had its turn', async () => {
      await admin.execute(sql`delete from counters`)
      await admin.insert(counters).values({ id: 1, n: 0 })
      const client = await app.client()
      const answers = await Promise.allSettled([
        ...Array.from({ length: 4 }, () => client.call('RAISE')),
        ...Array.from({ length: 4 }, () => client.http('RAISE')),
      ])
      const values = answers.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []))
      // Each caller that received a success counts once: none was lost.
      expect(new Set(values).size).toBe(values.length)
      expect((await new BaseRepository(admin, counters).getById(1)).n).toBe(values.length)
      expect(values.length).toBeGreaterThanOrEqual(6)
      expect(attempts.length).toBeGreaterThan(values.length)
    })

    test.each(['call', 'http'] as const)('a deadlock by %s costs its victim a second attempt', async (wire) => {
      await admin.execute(sql`delete from counters`)
      await admin.insert(counters).values([
        { id: 1, n: 0 },
        { id: 2, n: 0 },
      ])
      arrived = 0
      met = new Promise((resolve) => {
        open = resolve
      })
      const client = await app.client()
      await Promise.all([
        client[wire]('CROSS', { first: 1, second: 2 }),
        client[wire]('CROSS', { first: 2, second: 1 }),
      ])
      expect(arrived).toBe(3)
      const rows = await new BaseRepository(admin, counters).getAll()
      expect(rows.map(({ n }) => n)).toEqual([2, 2])
    })

    test('20 callers that leave, on both wires, inside and outside of transactions, leave no query and no lost connection', async () => {
      const small = await start(20)
      try {
        const clients = await Promise.all(Array.from({ length: 10 }, () => small.client()))
        const aborts = Array.from({ length: 10 }, () => new AbortController())
        const left = [
          ...clients.map((client, index) => client.call(index % 2 === 0 ? 'SLEEP' : 'SLEEP_IN_TRANSACTION')),
          ...aborts.map(({ signal }, index) =>
            fetch(`http://127.0.0.1:${small.address.port}/${index % 2 === 0 ? 'sleep' : 'sleep-in-transaction'}`, {
              method: 'POST',
              signal,
            }),
          ),
        ].map((work) => work.catch(() => 'left'))
        await expect.poll(() => running('pg_sleep(60)'), { timeout: 20_000 }).toBe(20)
        for (const client of clients) client.terminate()
        for (const each of aborts) each.abort()
        expect(new Set(await Promise.all(left))).toEqual(new Set(['left']))
        await expect.poll(() => running('pg_sleep(60)'), { timeout: 20_000 }).toBe(0)
        // Every connection of the pool can be had again, at once.
        const client = await small.client()
        const again = Array.from({ length: 20 }, () => client.call('SLEEP').catch(() => 'left'))
        await expect.poll(() => running('pg_sleep(60)'), { timeout: 20_000 }).toBe(20)
        client.terminate()
        expect(new Set(await Promise.all(again))).toEqual(new Set(['left']))
        expect(await new BaseRepository(admin, authors).count({})).toBe(
          (await admin.select().from(authors).where(sql`name not like 'sleeper%'`)).length,
        )
      } finally {
        await small.close()
      }
    })

    test.each(['call', 'http'] as const)('a deadline by %s cancels the query on the server', async (wire) => {
      const client = await app.client()
      const work = client[wire]('SLEEP_SHORT').catch((error: CallError) => error.code)
      expect(await work).toBe('deadline_exceeded')
      await expect.poll(() => running('pg_sleep(60)'), { timeout: 20_000 }).toBe(0)
    })
  })

  describe('a pool', () => {
    test('never lets a cancel reach what comes next on the connection', async () => {
      const { api } = await boot({ pool: { max: 1 } })
      const outcomes = new Set<unknown>()
      for (let turn = 0; turn < 150; turn += 1) {
        const { controller, call } = callOf()
        // Some are long enough for a busy machine to cancel them.
        const seconds = turn % 15 === 0 ? 2 : 0.003
        const cancelled = code(api.forCall(call).execute(sql`select pg_sleep(${seconds})`))
        // Before, in the middle of, and after the end of the statement.
        setTimeout(() => controller.abort(new Error('left')), turn % 6)
        const next = code(api.db.execute(sql`select count(*) from generate_series(1, 3000)`))
        outcomes.add(await cancelled)
        expect(await next).toBe('resolved')
      }
      expect([...outcomes].every((each) => each === 'resolved' || each === 'unavailable')).toBe(true)
      expect(outcomes).toContain('unavailable')
    })

    test('drops who waits for a connection when its call ends, and bounds the wait', async () => {
      const { api, host } = await boot({ pool: { max: 1, acquireTimeoutMs: 200 } })
      const { controller, call } = callOf()
      let release = () => {}
      let began = () => {}
      const hasBegun = new Promise<void>((resolve) => {
        began = resolve
      })
      const held = api.transaction(
        () =>
          new Promise<void>((resolve) => {
            release = resolve
            began()
          }),
      )
      await hasBegun
      expect(figure(host, 'db_pool_connections_in_use')).toBe(1)
      const waiting = code(api.forCall(call).execute(sql`select 1`))
      await expect.poll(() => figure(host, 'db_pool_connections_waiting')).toBe(1)
      controller.abort(new Error('left'))
      expect(await waiting).toBe('unavailable')
      expect(figure(host, 'db_pool_connections_waiting')).toBe(0)
      await expect(api.db.execute(sql`select 1`)).rejects.toMatchObject({
        cause: { code: 'unavailable', message: 'No database connection was available within 200 ms' },
      })
      release()
      await held
      expect(await code(api.db.execute(sql`select 1`))).toBe('resolved')
      expect([figure(host, 'db_pool_connections_in_use'), figure(host, 'db_pool_connections_available')]).toEqual([
        0, 1,
      ])
    })

    test.each([false, true])('ends a statement that takes too long, pgBouncer: %s', async (pgBouncer) => {
      const { api } = await boot({ pool: { max: 1, statementTimeoutMs: 100, pgBouncer } })
      const work = api.db.execute(sql`select pg_sleep(30)`)
      await expect(work).rejects.toMatchObject({ cause: { code: '57014' } })
      expect(await code(api.db.execute(sql`select 1`))).toBe('resolved')
      const inside = api.transaction((tx) => tx.execute(sql`select pg_sleep(30)`))
      await expect(inside).rejects.toMatchObject({ cause: { code: '57014' } })
      await expect.poll(() => running('pg_sleep(30)')).toBe(0)
    })

    test('tells the server who it is, and prepares what comes again, but not behind a PgBouncer', async () => {
      for (const [pgBouncer, prepared] of [
        [false, 1],
        [true, 0],
      ] as const) {
        const { api } = await boot({ pool: { max: 1, pgBouncer, applicationName: 'the shop' } })
        for (let turn = 0; turn < 3; turn += 1) await api.db.select().from(authors).where(eq(authors.id, turn))
        const [row] = await api.db
          .select({
            name: sql<string>`current_setting('application_name')`,
            prepared: sql<number>`(select count(*)::int from pg_prepared_statements where statement like '%"authors"%')`,
          })
          .from(sql`(select 1) as one`)
        expect(row).toEqual({ name: 'the shop', prepared })
      }
    })

    test('counts queries and failures by operation, and logs slow ones without values, for the call that they are of [defect 51]', async () => {
      const { api, host } = await boot({ slowQueryMs: 1000, pool: { max: 1 } })
      const lines: unknown[] = []
      const call = {
        signal: new AbortController().signal,
        log: { ...host.log, warn: (...line: unknown[]) => void lines.push(line) },
      }
      await api.forCall(call).execute(sql`select pg_sleep(1.1), ${'secret'}::text, 'hunter2'`)
      await code(api.db.insert(authors).values([{ name: 'twice' }, { name: 'twice' }]))
      await code(api.db.execute(sql`select nothing`))
      const cells = (name: string) =>
        host.instruments
          .families()
          .find((family) => family.name === name)
          ?.cells.filter(({ cell }) => ('count' in cell ? cell.count : cell.value) > 0)
          .map(({ labels, cell }) => [...Object.values(labels), 'count' in cell ? cell.count : cell.value])
      // The start asks whether the server answers, and for the settings of the session.
      expect(cells('db_query_duration_seconds')).toEqual([
        ['select', 4],
        ['insert', 1],
      ])
      expect(cells('db_query_errors_total')).toEqual([
        ['select', 'invalid_statement', 1],
        ['insert', 'unique_violation', 1],
      ])
      expect(cells('db_slow_queries_total')).toEqual([['select', 1]])
      expect(cells('db_pool_info')).toEqual([['main', '1', '0', '30', 1]])
      expect(cells('db_connections_active')).toEqual([[1]])
      expect(cells('db_pool_connections_created_total')).toEqual([['main', 1]])
      expect(lines).toEqual([
        [
          expect.objectContaining({ operation: 'select', failed: false, statement: 'select pg_sleep(?), $1::text, ?' }),
          'Slow query',
        ],
      ])
      expect(JSON.stringify(host.lines)).not.toMatch(/secret|hunter2/)
    })
  })

  test.skipIf(!hasOpenssl())('a cancel goes over TLS where the connection does', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'twinwire-tls-'))
    const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')]
    const args = [
      'req',
      '-x509',
      '-newkey',
      'rsa:2048',
      '-nodes',
      '-days',
      '1',
      '-subj',
      '/CN=localhost',
      '-keyout',
      key,
      '-out',
      cert,
    ]
    spawnSync('openssl', args)
    const front = await startTlsFront(postgres.url, readFileSync(key), readFileSync(cert))
    try {
      const url = new URL(postgres.url)
      url.host = `127.0.0.1:${front.port}`
      const { api } = await boot({ url: `${url.href}?sslmode=require`, pool: { max: 1 } })
      const { controller, call } = callOf()
      const work = code(api.forCall(call).execute(sql`select pg_sleep(40)`))
      await expect.poll(() => running('pg_sleep(40)'), { timeout: 10_000 }).toBe(1)
      controller.abort(new Error('left'))
      expect(await work).toBe('unavailable')
      // The server tells of the error before it counts itself idle.
      await expect.poll(() => running('pg_sleep(40)')).toBe(0)
      expect(await code(api.db.execute(sql`select 1`))).toBe('resolved')
      // The connection is the one from before: the cancel was answered, and nothing had to be cut.
      expect(front.secured()).toBe(2)
    } finally {
      front.close()
      rmSync(folder, { recursive: true, force: true })
    }
  })
})

function hasOpenssl(): boolean {
  const there = spawnSync('openssl', ['version']).status === 0
  if (!there) console.warn('No openssl: the test of a cancel over TLS is skipped')
  return there
}

/** Speaks TLS, as PostgreSQL asks for it, before a server that has none. */
async function startTlsFront(url: string, key: Buffer, cert: Buffer) {
  const { hostname, port } = new URL(url)
  const sockets = new Set<Socket>()
  let secured = 0
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.once('data', () => {
      const secure = new TLSSocket(socket, { isServer: true, key, cert })
      const behind = tcp(Number(port), hostname)
      sockets.add(behind)
      secured += 1
      for (const each of [secure, behind]) each.on('error', () => {})
      secure.pipe(behind).pipe(secure)
      behind.on('close', () => secure.end())
      socket.write('S')
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    secured: () => secured,
    close: () => {
      server.close()
      for (const socket of sockets) socket.destroy()
    },
  }
}
