import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { sql } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/pglite'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { missingPeer } from '../base/peer.ts'
import { createFakeHost, tables, writeMigrations } from './database.fixtures.ts'
import type { DatabaseOptions } from './database-options.ts'
import { database } from './database-plugin.ts'
import { migrate } from './migrations.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'twinwire-pglite-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const boot = async (options: object, host = createFakeHost()) => database(options as DatabaseOptions).setup(host)

describe('options', () => {
  test.each([
    [{ url: 'mysql://localhost/x' }, 'bad_option', /url must start with postgres:\/\//],
    [{ url: '' }, 'bad_option', /must start with/],
    [{}, 'bad_option', /url is required: set it to postgres/],
    [{ url: 'pglite://' }, 'bad_option', /pglite:\/\/memory/],
    [{ url: 'pglite://memroy' }, 'bad_option', /pglite:\/\/memory/],
    [
      { url: 'pglite://memory', migratoins: '.' },
      'unknown_option',
      /database\(\): migratoins is not an option. Did you mean 'migrations'\?/,
    ],
    [{ url: 'pglite://memory', pool: { size: 1 } }, 'unknown_option', /database\(\): pool.size is not an option/],
    [
      { url: 'pglite://memory', pool: { max: 0 } },
      'bad_option',
      /database\(\): pool.max must be an integer from 1 to 10000, received 0/,
    ],
    [{ url: 'pglite://memory', connect: { retries: -1 } }, 'bad_option', /connect.retries/],
    [{ url: 'postgres://user:hunter2@host:99999/x' }, 'bad_option', /is not valid/],
    [{ url: 'pglite://memory', embeddedExtensions: ['../x'] }, 'bad_option', /embeddedExtensions\[0\] must be a name/],
    [
      { url: 'pglite://memory', embeddedExtensions: ['postgis'] },
      'bad_option',
      /embeddedExtensions: 'postgis' is not an extension of this @electric-sql\/pglite/,
    ],
  ])('%j is a boot error', async (options, code, message) => {
    const failure = boot(options)
    await expect(failure).rejects.toMatchObject({ name: 'BootError', code, message: expect.stringMatching(message) })
    await expect(failure).rejects.not.toThrow(/hunter2/)
  })

  test('production refuses a database inside the process, unless told', async () => {
    const host = createFakeHost('production')
    await expect(boot({ url: 'pglite://memory' }, host)).rejects.toMatchObject({
      code: 'bad_option',
      message: expect.stringContaining('allowEmbedded to true'),
    })
  })

  test('a peer that is not installed is one sentence; what else goes wrong with it passes', async () => {
    const name = 'no-such-package'
    await expect(import(/* @vite-ignore */ name).catch(missingPeer(name, 'It is required'))).rejects.toMatchObject({
      code: 'missing_peer',
      message: 'It is required: run npm install no-such-package',
    })
    const other = Object.assign(new Error("Cannot find package 'inner' imported from x"), {
      code: 'ERR_MODULE_NOT_FOUND',
    })
    await expect(Promise.reject(other).catch(missingPeer(name, 'It is required'))).rejects.toBe(other)
  })
})

describe('reaching PostgreSQL', () => {
  test('a refused port is tried again as often as told, then named without the password [defect 21]', async () => {
    const port = await freePort()
    const host = createFakeHost()
    const failure = boot(
      { url: `postgres://ann:hunter2@127.0.0.1:${port}/shop`, connect: { retries: 2, retryDelayMs: 70 } },
      host,
    )
    await expect(failure).rejects.toMatchObject({
      code: 'unreachable_database',
      message: expect.stringMatching(
        new RegExp(`127.0.0.1:${port}/shop is not reachable \\(attempts: 3\\): .*ECONNREFUSED`),
      ),
    })
    expect(host.delays).toEqual([70, 70])
    expect(host.lines).toHaveLength(2)
    const said = await failure.catch((error: Error) => JSON.stringify([error.message, String(error.cause), host.lines]))
    expect(said).not.toContain('hunter2')
  })

  test('retries: 0 tries once', async () => {
    const host = createFakeHost()
    await expect(
      boot({ url: `postgres://127.0.0.1:${await freePort()}/x`, connect: { retries: 0 } }, host),
    ).rejects.toMatchObject({ code: 'unreachable_database' })
    expect(host.delays).toEqual([])
  })

  test('a server that accepts and says nothing runs into the time limit', async () => {
    const server = createServer(() => {})
    const port = await listen(server)
    await expect(
      boot({ url: `postgres://127.0.0.1:${port}/x`, pool: { connectTimeoutMs: 200 }, connect: { retries: 0 } }),
    ).rejects.toMatchObject({ code: 'unreachable_database', message: expect.stringContaining('CONNECT_TIMEOUT') })
    server.close()
  })

  test('waiting holds the process, although the timers of the clock do not', () => {
    const script = `
      import { database } from ${JSON.stringify(pathToFileURL(join(import.meta.dirname, 'database-plugin.ts')).href)}
      import { systemClock } from ${JSON.stringify(pathToFileURL(join(import.meta.dirname, '../base/clock.ts')).href)}
      import { Instruments } from ${JSON.stringify(pathToFileURL(join(import.meta.dirname, '../base/instruments.ts')).href)}
      const log = { warn() {}, info() {} }
      const host = { environment: 'test', clock: systemClock, log, instruments: new Instruments(), dropSafe: (work) => work }
      const options = { url: 'postgres://127.0.0.1:1/x', connect: { retries: 1, retryDelayMs: 300 } }
      database(options).setup(host).catch((error) => console.log(error.code))`
    const args = ['--import', 'tsx', '--input-type=module', '-e', script]
    const child = spawnSync(process.execPath, args, { encoding: 'utf8', cwd: import.meta.dirname })
    expect(child.stdout).toBe('unreachable_database\n')
    expect(child.status).toBe(0)
  })
})

describe('PGlite in a folder', () => {
  test('migrates once, keeps what is written, is one process at a time, reports its health, and ends', async () => {
    const url = `pglite://${join(folder, 'a', 'deep')}`
    const first = createFakeHost()
    const migrations = await writeMigrations()
    const api = await boot({ url, migrations, onStart: seed }, first)
    expect(first.lines.at(-1)).toContain('(PGlite)')
    expect(first.lines.filter((line) => line.endsWith('Migrations were applied'))).toHaveLength(1)
    await first.checks.get('database')?.()
    expect(first.mappers).toHaveLength(1)
    await expect(boot({ url })).rejects.toMatchObject({
      code: 'unreachable_database',
      message: expect.stringContaining(`in use by process ${process.pid}`),
    })
    await first.close()
    await expect(api.db.execute(sql`select 1`)).rejects.toThrow()
    expect(existsSync(join(folder, 'a', 'deep', 'twinwire.lock'))).toBe(false)

    // Of a process that is no more.
    await writeFile(join(folder, 'a', 'deep', 'twinwire.lock'), '999999999')
    const second = createFakeHost()
    const again = await boot({ url, migrations: pathToFileURL(migrations), onStart: seed }, second)
    const rows = await again.db.execute(sql`select count(*)::int as n from authors`)
    expect(rows).toMatchObject({ rows: [{ n: 2 }] })

    await second.close()

    // A failed boot leaves nothing behind: no half of a migration, no open database.
    const next = await writeMigrations([
      tables,
      'create table half (a int);\n--> statement-breakpoint\ncreate tabel x ();',
    ])
    await expect(boot({ url, migrations: next })).rejects.toMatchObject({
      code: 'failed_migration',
      message: expect.stringMatching(
        /The migration 0001_test cannot be applied to .*: syntax error at or near "tabel" \(42601\), in `create tabel x \(\)`\. Nothing of it was applied/,
      ),
    })
    const third = createFakeHost()
    const after = await boot({ url }, third)
    expect(await after.db.execute(sql`select to_regclass('half') is null as gone`)).toMatchObject({
      rows: [{ gone: true }],
    })
    await third.close()
  }, 180_000)

  test('has the extensions that it is opened with, and no other', async () => {
    const migrations = await writeMigrations(['create extension if not exists pg_trgm'])
    await expect(boot({ url: 'pglite://memory', migrations })).rejects.toMatchObject({
      code: 'failed_migration',
      message: expect.stringContaining('pg_trgm'),
    })
    const url = `pglite://${join(folder, 'extended')}`
    const embeddedExtensions = ['pg_trgm']
    const entries = await migrate({ url, embeddedExtensions, migrations })
    expect(entries).toMatchObject([{ state: 'applied' }])
    const host = createFakeHost()
    const { db } = await boot({ url, embeddedExtensions, migrations }, host)
    expect(await db.execute(sql`select similarity('Ursula', 'ursula')::int as same`)).toMatchObject({
      rows: [{ same: 1 }],
    })
    await host.close()
  }, 180_000)

  test('a folder without migrations, and a path that is a file, are named', async () => {
    const file = join(folder, 'file')
    await writeFile(file, '')
    await expect(boot({ url: `pglite://${file}` })).rejects.toMatchObject({ code: 'unreachable_database' })
    const { runMigrations } = await import('./migrate.ts')
    const maintenance = { db: drizzle.mock(), holdsLock: () => true }
    await expect(runMigrations(maintenance, folder, 'here', createFakeHost().log)).rejects.toMatchObject({
      code: 'failed_migration',
      message: expect.stringContaining(`There are no migrations in ${folder}`),
    })
  })
})

async function seed(db: Parameters<NonNullable<DatabaseOptions['onStart']>>[0]): Promise<void> {
  await db.execute(sql`insert into authors (name) select 'n' || count(*) from authors`)
}

async function freePort(): Promise<number> {
  const server = createServer()
  const port = await listen(server)
  await new Promise((resolve) => server.close(resolve))
  return port
}

function listen(server: ReturnType<typeof createServer>): Promise<number> {
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      resolve(typeof address === 'object' && address !== null ? address.port : 0)
    })
  })
}
