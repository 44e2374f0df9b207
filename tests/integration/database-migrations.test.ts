// Migrations by many processes at once, and what is said of their state.
import { spawn } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { PGlite } from '@electric-sql/pglite'
import { database, migrate, migrationStatus } from '@twinwire/core/database'
import { sql } from 'drizzle-orm'
import { drizzle as drizzlePglite } from 'drizzle-orm/pglite'
import { migrate as migratePglite } from 'drizzle-orm/pglite/migrator'
import { drizzle as drizzlePostgres } from 'drizzle-orm/postgres-js'
import { migrate as migratePostgres } from 'drizzle-orm/postgres-js/migrator'
import postgres from 'postgres'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createFakeHost, writeMigrations } from '../../packages/core/src/database/database.fixtures.ts'
import { hasPgBouncer, startPgBouncer } from '../support/pg-bouncer.ts'
import { hasPostgres, startPostgres, type TestPostgres } from '../support/postgres.ts'

const available = await hasPostgres()
const example = fileURLToPath(new URL('../../examples/authors', import.meta.url))

/** Takes a file out of drizzle's record; the n-th is that with the time n. */
async function forget(url: string, when: number): Promise<void> {
  const host = createFakeHost()
  const api = await database({ url }).setup(host)
  await api.db.execute(sql`delete from drizzle.__drizzle_migrations where created_at = ${when}`)
  await host.close()
}

/** By the migrator of drizzle itself. */
async function byDrizzle(url: string, migrationsFolder: string): Promise<void> {
  if (url.startsWith('pglite:')) {
    const client = new PGlite(url.slice('pglite://'.length))
    await migratePglite(drizzlePglite({ client }), { migrationsFolder })
    await client.close()
  } else {
    const client = postgres(url, { max: 1, onnotice: () => {} })
    await migratePostgres(drizzlePostgres({ client }), { migrationsFolder })
    await client.end()
  }
}

async function setTimes(folder: string, times: readonly number[]): Promise<void> {
  const file = join(folder, 'meta', '_journal.json')
  const journal = JSON.parse(await readFile(file, 'utf8')) as { entries: { when: number }[] }
  for (const [index, entry] of journal.entries.entries()) entry.when = times[index] ?? entry.when
  await writeFile(file, JSON.stringify(journal))
}

/** `twinwire migrate` in the example, as `npm run db:migrate` and `npm run db:status` do. */
function runScript(url: string, args: readonly string[] = []): Promise<{ code: number | null; output: string }> {
  const flags = [
    '--conditions=@twinwire/source',
    '--import',
    'tsx',
    '../../packages/cli/src/main.ts',
    'migrate',
    ...args,
  ]
  const child = spawn(process.execPath, flags, {
    cwd: example,
    env: { ...process.env, DATABASE_URL: url, ENV: 'test', NODE_ENV: 'test' },
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (part) => (output += String(part)))
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, output })))
}

describe.skipIf(!available)('migrations', () => {
  let server: TestPostgres
  beforeAll(async () => {
    server = await startPostgres()
  })
  afterAll(() => server.stop())

  test.each([
    ['directly', true],
    ['by a PgBouncer that has fewer connections', hasPgBouncer()],
  ])(
    'several at once %s, and an index that waits for all snapshots: those that wait for the lock hold none',
    async (how, isThere) => {
      if (!isThere) return
      const own = await startPostgres()
      const bouncer = how === 'directly' ? null : await startPgBouncer(own.url)
      const migrations = await writeMigrations([
        'create table a (n int);',
        '-- no transaction\ncreate index concurrently a_n on a (n);\ncreate index concurrently a_m on a (n);',
        'create table b (n int);',
      ])
      const options = { url: bouncer?.url ?? own.url, pool: { pgBouncer: bouncer !== null }, migrations }
      const client = postgres(own.url, { max: 1 })
      try {
        const runs = await Promise.all(Array.from({ length: 5 }, () => migrate(options)))
        for (const entries of runs) expect(entries.map(({ state }) => state)).toEqual(['applied', 'applied', 'applied'])
        const [row] = await client`select count(*)::int as n from drizzle.__drizzle_migrations`
        const [index] =
          await client`select count(*)::int as n from pg_index where indrelid = 'a'::regclass and indisvalid`
        expect([row?.n, index?.n]).toEqual([3, 2])
      } finally {
        await client.end()
        await bouncer?.stop()
        await own.stop()
      }
    },
    120_000,
  )

  test('a file is applied once, even when the connection with the lock was lost', async () => {
    const own = await startPostgres()
    const client = postgres(own.url, { max: 1 })
    const ask = async (text: string) => (await client.unsafe(text)).length
    try {
      await client`select pg_advisory_lock(42)`
      const migrations = await writeMigrations(['select pg_advisory_xact_lock(42);\ncreate table a (n int);'])
      const first = migrate({ url: own.url, migrations })
      const here = 'datname = current_database() and pid <> pg_backend_pid()'
      await expect.poll(() => ask(`select 1 from pg_stat_activity where ${here} and wait_event = 'advisory'`)).toBe(1)
      expect(
        await ask(
          `select pg_terminate_backend(pid) from pg_stat_activity where ${here} and state = 'idle in transaction'`,
        ),
      ).toBe(1)
      const second = migrate({ url: own.url, migrations }).then(
        () => 'resolved',
        (error: Error) => error.message,
      )
      await expect.poll(() => ask(`select 1 from pg_stat_activity where ${here} and wait_event = 'relation'`)).toBe(1)
      await client`select pg_advisory_unlock(42)`
      expect(await first).toEqual([{ tag: '0000_test', state: 'applied' }])
      expect(await second).toMatch(
        /The migration 0000_test .* another process has applied it in the meantime: start again/,
      )
      expect(await migrate({ url: own.url, migrations })).toEqual([{ tag: '0000_test', state: 'applied' }])
    } finally {
      await client.end()
      await own.stop()
    }
  }, 120_000)

  test('ten processes at once on an empty database: each succeeds, and everything is applied once', async () => {
    const before = await runScript(server.url, ['status'])
    expect([before.code, before.output]).toEqual([1, expect.stringMatching(/^pending {2}0000_authors\n/)])
    const results = await Promise.all(Array.from({ length: 10 }, () => runScript(server.url)))
    expect(results.map(({ code }) => code)).toEqual(Array.from({ length: 10 }, () => 0))
    for (const { output } of results) expect(output).toMatch(/^applied {2}0000_authors( \(was pending\))?\n/)
    const client = postgres(server.url, { max: 1 })
    const [row] =
      await client`select count(*)::int as n, count(distinct created_at)::int as different from drizzle.__drizzle_migrations`
    await client.end()
    expect(row?.n).toBe(row?.different)
    expect(row?.n).toBeGreaterThan(0)
    const after = await runScript(server.url, ['status'])
    expect(after.code).toBe(0)
  }, 300_000)
})

describe.each([
  ['PGlite', async () => ({ stop: async () => {}, url: `pglite://${await writeMigrations([])}/data` }), true],
  ['PostgreSQL', () => startPostgres(), available],
] as const)('the state of migrations on %s', (_, start, isThere) => {
  test.skipIf(!isThere)(
    'tells what is applied, pending, skipped and changed, and what cannot be applied',
    async () => {
      const { url, stop } = await start()
      try {
        const states = async (migrations: string) =>
          (await migrationStatus({ url, migrations })).map(({ state }) => state)
        const one = await writeMigrations(['create table a (n int);'])
        expect(await states(one)).toEqual(['pending'])
        expect(await migrate({ url, migrations: one })).toEqual([{ tag: '0000_test', state: 'applied' }])

        const two = await writeMigrations(['create table a (n int);', 'create table b (n int);'])
        expect(await states(two)).toEqual(['applied', 'pending'])
        await migrate({ url, migrations: two })
        await writeFile(join(two, '0000_test.sql'), 'create table a (n bigint);')
        expect(await states(two)).toEqual(['changed', 'applied'])

        // Of another branch, made before the last one that was applied: drizzle never applies it.
        const journal = {
          version: '7',
          dialect: 'postgresql',
          entries: [{ idx: 0, version: '7', when: 1.5, tag: '0000_test', breakpoints: true }],
        }
        const other = await writeMigrations(['create table c (n int);'])
        await writeFile(join(other, 'meta', '_journal.json'), JSON.stringify(journal))
        const warnings: unknown[] = []
        const quiet = () => {}
        const log = {
          trace: quiet,
          debug: quiet,
          info: quiet,
          error: quiet,
          fatal: quiet,
          warn: (...line: unknown[]) => void warnings.push(line),
          child: () => log,
        }
        expect(await migrate({ url, migrations: other, log })).toEqual([{ tag: '0000_test', state: 'skipped' }])
        expect(warnings).toEqual([[{ migration: '0000_test' }, expect.stringContaining('skipped')]])

        const broken = await writeMigrations([
          'create table a (n int);',
          'create table b (n int);',
          'create tabel x ();',
        ])
        await expect(migrate({ url, migrations: broken })).rejects.toMatchObject({
          code: 'failed_migration',
          message: expect.stringMatching(
            /The migration 0002_test cannot .*: syntax error at or near "tabel" \(42601\), in `create tabel x \(\)`\. Nothing/,
          ),
        })
        await expect(migrationStatus({ url, migrations: '/nowhere' })).rejects.toMatchObject({
          code: 'failed_migration',
        })
        const unknown: object = { url, migrations: one, retries: 1 }
        await expect(migrate(unknown as { url: string; migrations: string })).rejects.toMatchObject({
          code: 'unknown_option',
        })
      } finally {
        await stop()
      }
    },
    180_000,
  )
})

/** Cleanup of a test, and queries of its database. */
interface Place {
  readonly url: string
  stop(): Promise<void>
}

describe.each([
  [
    'PGlite',
    async (): Promise<Place> => ({ stop: async () => {}, url: `pglite://${await writeMigrations([])}/data` }),
    true,
  ],
  ['PostgreSQL', (): Promise<Place> => startPostgres(), available],
] as const)('the files of a folder on %s', (_, start, isThere) => {
  describe.skipIf(!isThere)('each by itself', () => {
    let url: string
    let stop: () => Promise<void>
    beforeEach(async () => {
      ;({ url, stop } = await start())
    }, 60_000)
    afterEach(() => stop())
    const failure = (migrations: string) =>
      migrate({ url, migrations }).then(
        () => expect.fail('must reject'),
        (error: { code: string; message: string }) => error.message,
      )
    const states = async (migrations: string) => (await migrationStatus({ url, migrations })).map(({ state }) => state)
    /** What a statement of one column and one row answers with. */
    const ask = async (text: string) => {
      const host = createFakeHost()
      const api = await database({ url }).setup(host)
      try {
        const [row] = await api.db.select({ value: sql.raw(`(${text})`) }).from(sql`(select 1) as one`)
        return row?.value
      } finally {
        await host.close()
      }
    }

    test('a value that one file adds to an enum is used by the next, on a fresh database as on one that had the first', async () => {
      const enums = [
        `create type mood as enum ('sad');\ncreate table people (id int primary key, mood mood);`,
        `alter type mood add value 'happy';`,
        `alter table people alter mood set default 'happy';`,
      ]
      await migrate({ url, migrations: await writeMigrations(enums) })
      expect(await ask(`select column_default from information_schema.columns where column_name = 'mood'`)).toBe(
        `'happy'::mood`,
      )
      const both = [
        ...enums,
        `alter type mood add value 'angry';\n--> statement-breakpoint\nupdate people set mood = 'angry';`,
      ]
      expect(await failure(await writeMigrations(both))).toMatch(
        /\(55P04\); a value that is added to an enum can only be used in the next file, in `update/,
      )
    }, 120_000)

    test('a failure stops at its file, says which were applied, and the next start goes on there', async () => {
      const good = ['create table a (n int);', 'create table b (n int);']
      const bad = [
        ...good,
        'create table c (n int);\n--> statement-breakpoint\ninsert into c values (1);\nselect 1/0;',
        'create table d (n int);',
      ]
      for (const before of [/Applied before it: 0000_test, 0001_test$/, /begins with it$/]) {
        const message = await failure(await writeMigrations(bad))
        expect(message).toMatch(
          /^The migration 0002_test cannot be applied to .*: division by zero \(22012\), in `select 1\/0`\. Nothing of it was applied/,
        )
        expect(message).toMatch(before)
      }
      const fixed = await writeMigrations([...good, 'create table c (n int);', 'create table d (n int);'])
      expect(await states(fixed)).toEqual(['applied', 'applied', 'pending', 'pending'])
      expect((await migrate({ url, migrations: fixed })).map(({ state }) => state)).toEqual(Array(4).fill('applied'))
      expect(await states(fixed)).toEqual(Array(4).fill('applied'))
      expect(await ask(`select count(*)::int from drizzle.__drizzle_migrations`)).toBe(4)
    }, 120_000)

    test('a constraint that fails at the commit is a failure of its file', async () => {
      const files = [
        'create table a (id int primary key);\ncreate table b (a int references a deferrable initially deferred);',
        'insert into b values (1);',
      ]
      expect(await failure(await writeMigrations(files))).toMatch(
        /The migration 0001_test .*\(23503\)\. Nothing of it was applied.*Applied before it: 0000_test/,
      )
    }, 120_000)

    test('what cannot be in a transaction says `-- no transaction`, and without it the message says so', async () => {
      const index = 'create index concurrently a_n on a (n);\ncreate index concurrently a_m on a (m);'
      const table = 'create table a (n int, m int);'
      expect(await failure(await writeMigrations([table, index]))).toMatch(
        /0001_test .*\(25001\); put the line `-- no transaction` at the top of its file, in `create index concurrently a_n/,
      )
      for (const first of [
        '-- no transaction\n',
        '-- by hand\n\n --no transaction \r\n',
        '-- No Transaction\n-- more\n',
      ]) {
        const drops = 'drop index concurrently a_n;\ndrop index concurrently a_m;'
        const files = await writeMigrations([table, `${first}${index}`, `${first}${drops}`])
        await migrate({ url, migrations: files })
        expect(await states(files)).toEqual(Array(3).fill('applied'))
        await forget(url, 2)
        await forget(url, 3)
      }
    }, 120_000)

    test('a file without a transaction that fails, or that a crash kept from being recorded, runs from its start again', async () => {
      const table = 'create table a (n int);'
      const broken = `-- no transaction\ninsert into a values (1);\nselect 1/0;\ninsert into a values (2);`
      expect(await failure(await writeMigrations([table, broken]))).toMatch(
        /The migration 0001_test .*\(22012\), in `select 1\/0`\. It has `-- no transaction`: its statements so far stay applied, and the next start runs it again from its first statement.*Applied before it: 0000_test$/,
      )
      expect(await ask('select count(*)::int from a')).toBe(1)
      const fixed = await writeMigrations([table, `-- no transaction\ninsert into a values (1);`])
      expect(await states(fixed)).toEqual(['applied', 'pending'])
      await migrate({ url, migrations: fixed })
      expect(await ask('select count(*)::int from a')).toBe(2)
      // As a crash between the statements and the record leaves it.
      await forget(url, 2)
      await migrate({ url, migrations: fixed })
      expect(await ask('select count(*)::int from a')).toBe(3)
      await migrate({ url, migrations: fixed })
      expect(await ask('select count(*)::int from a')).toBe(3)
    }, 120_000)

    test('a value that drizzle-kit left out is named by the status, and refused before anything is applied', async () => {
      const migrations = await writeMigrations([
        'create table a (n int);',
        'select 1;',
        'alter table "a" add constraint "a_n" check ("a"."n" > $1);',
      ])
      expect(await migrationStatus({ url, migrations })).toEqual([
        { tag: '0000_test', state: 'pending' },
        { tag: '0001_test', state: 'pending' },
        {
          tag: '0002_test',
          state: 'pending',
          problem: expect.stringMatching(/^\$1 in `alter table "a" add constraint/),
        },
      ])
      expect(await failure(migrations)).toMatch(/The migration 0002_test cannot be applied to .*: \$1 in `alter table/)
      expect(await ask(`select to_regclass('a') is null`)).toBe(true)
    }, 120_000)

    test('a $1 that is in a string, a function or a comment is none', async () => {
      const migrations = await writeMigrations([
        `create table a (price text default '$1' check (price <> '$2')); -- $3
        create function one(int) returns int language sql as $$ select $1 $$;
        create function two(int) returns int language sql begin atomic select $1; end;
        prepare three(int) as select $1;`,
      ])
      expect(await migrationStatus({ url, migrations })).toEqual([{ tag: '0000_test', state: 'pending' }])
      await migrate({ url, migrations })
      expect(await ask('select two(one(7))')).toBe(7)
    }, 120_000)

    test('a database that drizzle has migrated goes on, and drizzle takes what was applied for applied', async () => {
      const two = await writeMigrations(['create table a (n int);', 'create table b (n int);'])
      const one = await writeMigrations(['create table a (n int);'])
      await byDrizzle(url, one)
      expect(await states(two)).toEqual(['applied', 'pending'])
      await migrate({ url, migrations: two })
      await byDrizzle(
        url,
        await writeMigrations(['create table a (n int);', 'create table b (n int);', 'create table c (n int);']),
      )
      expect(await ask(`select count(*)::int from drizzle.__drizzle_migrations`)).toBe(3)
    }, 120_000)

    test('files whose times are out of order are one transaction, so that none is skipped after a failure', async () => {
      const write = async (last: string) => {
        const folder = await writeMigrations([
          'create table a (n int);',
          'create table b (n int);',
          last,
          'create table d (n int);',
        ])
        await setTimes(folder, [5, 20, 10, 30])
        return folder
      }
      expect(await failure(await write('select 1/0;'))).toMatch(
        /The migration 0002_test .*Applied before it: 0000_test$/,
      )
      const fixed = await write('create table c (n int);')
      expect(await states(fixed)).toEqual(['applied', 'pending', 'pending', 'pending'])
      await migrate({ url, migrations: fixed })
      expect(await states(fixed)).toEqual(Array(4).fill('applied'))
    }, 120_000)
  })
})
