// Repositories, transactions and the database plugin on a real PostgreSQL.
import { spawn } from 'node:child_process'
import { connect, createServer, type Socket } from 'node:net'
import { fileURLToPath } from 'node:url'
import { sql } from 'drizzle-orm'
import { integer, pgTable, serial, text } from 'drizzle-orm/pg-core'
import * as vitest from 'vitest'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import {
  createFakeHost,
  type FakeHost,
  tables,
  writeMigrations,
} from '../../packages/core/src/database/database.fixtures.ts'
import { database } from '../../packages/core/src/database/database-plugin.ts'
import { mapDatabaseError } from '../../packages/core/src/database/errors.ts'
import { describeQueries } from '../../packages/core/src/database/queries.suite.ts'
import { BaseRepository } from '../../packages/core/src/database/repository.ts'
import { describeDatabase } from '../../packages/core/src/database/testing/suites/driver.suite.ts'
import { hasPostgres, startPostgres, type TestPostgres } from '../support/postgres.ts'
import { freePort } from '../support/service.ts'

const authors = pgTable('authors', {
  id: serial().primaryKey(),
  name: text().notNull(),
  birthYear: integer('birth_year'),
})

vi.setConfig({ testTimeout: 120_000 })

const available = await hasPostgres()

describe.skipIf(!available)('PostgreSQL', () => {
  let postgres: TestPostgres
  let migrations: string
  const hosts: FakeHost[] = []
  beforeAll(async () => {
    postgres = await startPostgres()
    migrations = await writeMigrations()
  })
  afterAll(async () => {
    await Promise.all(hosts.map((host) => host.close()))
    await postgres.stop()
  })

  const boot = async (options: Partial<Parameters<typeof database>[0]> = {}) => {
    const host = createFakeHost()
    hosts.push(host)
    const api = await database({ url: postgres.url, ...options }).setup(host)
    return { api, host }
  }
  const code = async (work: Promise<unknown>) =>
    work.then(
      () => 'resolved',
      (error: unknown) => mapDatabaseError(error)?.code ?? (error as { code?: unknown }).code,
    )

  describe('start', () => {
    test('several at once migrate and seed once, one after the other; a second run does nothing', async () => {
      const seed: Parameters<typeof database>[0]['onStart'] = async (db) => {
        const seeds = new BaseRepository(db, authors)
        if (!(await seeds.exists({}))) await seeds.create({ name: 'Ursula' })
      }
      const started = await Promise.all(Array.from({ length: 6 }, () => boot({ migrations, onStart: seed })))
      for (const { api } of started) expect(await new BaseRepository(api.db, authors).count()).toBe(1)
      await boot({ migrations, onStart: seed })
      const applied = await started[0]?.api.db.execute(sql`select * from drizzle.__drizzle_migrations`)
      expect(applied).toHaveLength(1)
    })

    test('so do processes', async () => {
      const own = await startPostgres()
      const script = fileURLToPath(new URL('../support/database-start.ts', import.meta.url))
      const args = ['--conditions=@twinwire/source', '--import', 'tsx', script, own.url, migrations]
      const ends = Array.from({ length: 4 }, async () => {
        const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
        let out = ''
        child.stdout.on('data', (chunk: Buffer) => {
          out += chunk.toString()
        })
        const status = await new Promise((resolve) => child.on('close', resolve))
        return `${status} ${out.trim()}`
      })
      expect(await Promise.all(ends)).toEqual(['0 authors: 1', '0 authors: 1', '0 authors: 1', '0 authors: 1'])
      await own.stop()
    })

    test('a migration that fails is named, and leaves nothing behind', async () => {
      const next = await writeMigrations([
        tables,
        'create table half (a int);\n--> statement-breakpoint\ncreate tabel x ();',
      ])
      await expect(boot({ migrations: next })).rejects.toMatchObject({
        code: 'failed_migration',
        message: expect.stringMatching(
          /The migration 0001_test cannot be applied to .*: syntax error at or near "tabel" \(42601\), in `create tabel x \(\)`\. Nothing of it was applied/,
        ),
      })
      const { api } = await boot()
      expect(await api.db.execute(sql`select to_regclass('half') is null as gone`)).toEqual([{ gone: true }])
    })

    test('an unknown database and a wrong user fail at once, and without the password', async () => {
      for (const [change, reason] of [
        [{ pathname: '/nowhere' }, /\/nowhere refused the connection: database "nowhere" does not exist, 3D000/],
        [{ username: 'unknown_user' }, /refused the connection: .*unknown_user.*, 28/],
      ] as const) {
        const url = Object.assign(new URL(postgres.url), { password: 'hunter2', ...change }).href
        const failure = boot({ url })
        await expect(failure).rejects.toMatchObject({
          code: 'unreachable_database',
          message: expect.stringMatching(reason),
        })
        await expect(failure).rejects.not.toThrow(/hunter2/)
        expect(hosts.at(-1)?.delays).toEqual([])
      }
    })

    test('a wrong password fails at once, and is not repeated', async () => {
      const locked = await startPostgres({ own: true })
      const url = Object.assign(new URL(locked.url), { password: 'hunter2' })
      const failure = boot({ url: url.href })
      await expect(failure).rejects.toMatchObject({
        code: 'unreachable_database',
        message: expect.stringMatching(
          /refused the connection: password authentication failed for user "postgres", 28P01/,
        ),
      })
      await expect(failure).rejects.not.toThrow(/hunter2/)
      expect(hosts.at(-1)?.delays).toEqual([])
      await locked.stop()
    })

    test('a server that comes up later is waited for [defect 21]', async () => {
      const { hostname, port } = new URL(postgres.url)
      const open = new Set<Socket>()
      const gate = createServer((inbound) => {
        const outbound = connect(Number(port), hostname)
        for (const socket of [inbound, outbound]) {
          open.add(socket)
          socket.on('error', () => {})
        }
        inbound.pipe(outbound).pipe(inbound)
      })
      const at = await freePort()
      const host = createFakeHost()
      const url = Object.assign(new URL(postgres.url), { port: String(at) })
      const started = database({ url: url.href, connect: { retries: 1000 } }).setup(host)
      await expect.poll(() => host.delays.length).toBeGreaterThan(1)
      await new Promise<void>((resolve) => gate.listen(at, hostname, resolve))
      expect((await started).db).toBeDefined()
      expect(host.lines.at(0)).toMatch(/"code":"ECONNREFUSED".*next attempt in 2000 ms/)
      await host.close()
      for (const socket of open) socket.destroy()
      gate.close()
    })

    test('closing ends every connection', async () => {
      const { api, host } = await boot({ pool: { max: 3 } })
      await Promise.all(Array.from({ length: 3 }, () => api.db.execute(sql`select pg_sleep(0.01)`)))
      await host.checks.get('database')?.()
      await host.close()
      expect(await code(api.db.execute(sql`select 1`))).toBe('unavailable')
      await expect(Promise.resolve(host.checks.get('database')?.())).rejects.toThrow()
    })
  })

  describe('concurrency', () => {
    test('50 creates of one name: one row, 49 conflicts [defect 46]', async () => {
      const { api } = await boot({ migrations })
      const repository = new BaseRepository(api.db, authors)
      const codes = await Promise.all(Array.from({ length: 50 }, () => code(repository.create({ name: 'Octavia' }))))
      expect(codes.filter((each) => each === 'resolved')).toHaveLength(1)
      expect(codes.filter((each) => each === 'conflict')).toHaveLength(49)
    })

    test('100 increments at once with optimistic locking: none is lost', async () => {
      const { api } = await boot({ migrations })
      await api.db.execute(
        sql`create table tallies (id serial primary key, value integer not null, version integer not null)`,
      )
      const table = pgTable('tallies', {
        id: serial().primaryKey(),
        value: integer().notNull(),
        version: integer().notNull(),
      })
      const repository = new BaseRepository(api.db, table, { version: 'version' })
      const { id } = await repository.create({ value: 0, version: 1 })
      let conflicts = 0
      const increment = async (): Promise<void> => {
        const { value, version } = await repository.getById(id)
        const end = await code(repository.update(id, { value: value + 1 }, { version }))
        if (end === 'resolved') return
        expect(end).toBe('conflict')
        conflicts += 1
        await increment()
      }
      await Promise.all(Array.from({ length: 100 }, increment))
      expect(await repository.getById(id)).toEqual({ id, value: 100, version: 101 })
      expect(conflicts).toBeGreaterThan(0)
    }, 120_000)

    test('a lost race of serializable transactions (40001) and a deadlock (40P01) are conflicts', async () => {
      const { api } = await boot({ migrations })
      const repository = new BaseRepository(api.db, authors)
      const rows = [await repository.create({ name: 'a' }), await repository.create({ name: 'b' })]
      let arrived = 0
      let open = () => {}
      const together = new Promise<void>((resolve) => {
        open = resolve
      })
      const both = () => {
        arrived += 1
        if (arrived === 2) open()
        return together
      }
      const raise = () =>
        api.transaction(async (tx) => {
          await tx.execute(sql`set transaction isolation level serializable`)
          const inside = new BaseRepository(tx, authors)
          const count = await inside.count()
          await both()
          await inside.update(rows[0]?.id ?? 0, { birthYear: count })
        })
      expect((await Promise.all([code(raise()), code(raise())])).sort()).toEqual(['conflict', 'resolved'])

      arrived = 0
      const again = new Promise<void>((resolve) => {
        open = resolve
      })
      const lock = (first: number, second: number) =>
        api.transaction(async (tx) => {
          const inside = new BaseRepository(tx, authors)
          await inside.update(rows[first]?.id ?? 0, { birthYear: 1 })
          arrived += 1
          if (arrived === 2) open()
          await again
          await inside.update(rows[second]?.id ?? 0, { birthYear: 1 })
        })
      expect((await Promise.all([code(lock(0, 1)), code(lock(1, 0))])).sort()).toEqual(['conflict', 'resolved'])
    })

    test('a connection that is killed in a transaction: unavailable, no half write, and the pool goes on', async () => {
      const { api } = await boot({ migrations })
      const admin = (await boot()).api.db
      const repository = new BaseRepository(api.db, authors)
      const work = api.transaction(async (tx) => {
        await new BaseRepository(tx, authors).create({ name: 'half' })
        const rows = await tx.execute(sql`select pg_backend_pid() as pid`)
        const pid = (rows as unknown as { pid: number }[])[0]?.pid
        await admin.execute(sql`select pg_terminate_backend(${pid})`)
        await new BaseRepository(tx, authors).create({ name: 'other half' })
      })
      expect(await code(work)).toBe('unavailable')
      expect(await repository.exists({ name: 'half' })).toBe(false)
    })
  })

  const open = async () => {
    const own = await startPostgres()
    const host = createFakeHost()
    const api = await database({ url: own.url, migrations }).setup(host)
    const close = async () => {
      await host.close()
      await own.stop()
    }
    return { api, close }
  }
  describeDatabase(vitest, 'on PostgreSQL', open, describeQueries)
})
