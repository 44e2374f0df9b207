// Migrations by many processes at once, and what is said of their state.
import { spawn } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { migrate, migrationStatus } from '@twinwire/core/database'
import postgres from 'postgres'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { writeMigrations } from '../../packages/core/src/database/database.fixtures.ts'
import { hasPostgres, startPostgres, type TestPostgres } from '../support/postgres.ts'

const available = await hasPostgres()
const example = fileURLToPath(new URL('../../examples/authors', import.meta.url))

/** Runs the example's script, as `npm run db:migrate` and `npm run db:status` do. */
function runScript(url: string, args: readonly string[] = []): Promise<{ code: number | null; output: string }> {
  const flags = ['--conditions=@twinwire/source', '--import', 'tsx', 'src/migrate.ts', ...args]
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

  test('ten processes at once on an empty database: each ends well, and all is applied once', async () => {
    const before = await runScript(server.url, ['status'])
    expect([before.code, before.output]).toEqual([1, expect.stringMatching(/^pending {2}0000_authors\n/)])
    const results = await Promise.all(Array.from({ length: 10 }, () => runScript(server.url)))
    expect(results.map(({ code }) => code)).toEqual(Array.from({ length: 10 }, () => 0))
    for (const { output } of results) expect(output).toMatch(/^applied {2}0000_authors\n/)
    const sql = postgres(server.url, { max: 1 })
    const [row] =
      await sql`select count(*)::int as n, count(distinct created_at)::int as different from drizzle.__drizzle_migrations`
    await sql.end()
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
          code: 'migration_failed',
          message: expect.stringMatching(/syntax error at or near "tabel" \(42601\)$/),
        })
        await expect(migrationStatus({ url, migrations: '/nowhere' })).rejects.toMatchObject({
          code: 'migration_failed',
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
