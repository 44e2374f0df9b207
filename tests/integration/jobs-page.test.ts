// The blocks of docs_site/jobs.md: they compile, and a worker in a process of its own does what a committed transaction has enqueued.
import { spawn } from 'node:child_process'
import process from 'node:process'
import type { AnyRoute } from '@twinwire/core'
import { database } from '@twinwire/core/database'
import { createTestApp } from '@twinwire/core/testing'
import { Logger, runMigrations } from 'graphile-worker'
import postgres from 'postgres'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { readBlocks, testBlocks } from '../support/page-blocks.ts'
import { hasPostgres, startPostgres } from '../support/postgres.ts'

// On a busy machine.
vi.setConfig({ testTimeout: 180_000 })

const page = await readBlocks('jobs-page')
const { folder } = page

const postgresThere = await hasPostgres()

describe('the blocks of the page about jobs', () => {
  testBlocks(page)

  it.skipIf(!postgresThere)('enqueue with the commit, and never with a rollback', async () => {
    const server = await startPostgres()
    onTestFinished(() => server.stop())
    const sql = postgres(server.url, { max: 1, onnotice: () => {} })
    onTestFinished(() => sql.end())
    await sql`create table orders (id serial primary key, item text not null check (item <> 'refused'), receipt text)`
    await sql`create function refuse_at_commit() returns trigger language plpgsql as $$
      begin if new.item = 'late' then raise exception 'refused at COMMIT'; end if; return null; end $$`
    await sql`create constraint trigger refuse after insert on orders deferrable initially deferred
      for each row execute function refuse_at_commit()`
    await runMigrations({ connectionString: server.url, logger: new Logger(() => () => {}) })
    const { placeOrder } = (await import(/* @vite-ignore */ `${folder}/place-order.ts`)) as { placeOrder: AnyRoute }
    const app = await createTestApp({
      pkgIds: { PLACE_ORDER: 1 },
      routes: { PLACE_ORDER: placeOrder },
      defaultAccess: 'public',
      plugins: [database({ url: server.url, pool: { max: 2 } })],
    })
    onTestFinished(() => app.close())
    const client = await app.client()
    const place = async (item: string): Promise<string> => {
      client.send({ pkg_id: 1, req_id: '5f0c6b0e-8a0e-4b0e-9d0a-2f1f3b1c7a55', data: { item } })
      return String((await client.nextStray(30_000)).status_code)
    }
    expect(await place('book')).toBe('0')
    expect(await place('refused')).not.toBe('0')
    expect(await place('late')).not.toBe('0')
    expect(await sql`select count(*)::int as n from graphile_worker.jobs`).toEqual([{ n: 1 }])

    const worker = spawn(process.execPath, ['--import', 'tsx', 'worker.ts'], {
      cwd: folder,
      env: { ...process.env, DATABASE_URL: server.url },
      stdio: 'ignore',
    })
    const ended = new Promise((resolve) => worker.once('exit', resolve))
    onTestFinished(async () => {
      worker.kill('SIGKILL')
      await ended
    })
    await vi.waitFor(
      async () => expect(await sql`select item, receipt from orders`).toEqual([{ item: 'book', receipt: 'sent' }]),
      { timeout: 60_000, interval: 200 },
    )
    // On SIGTERM it finishes what runs, and ends.
    worker.kill('SIGTERM')
    await ended
    expect(await sql`select count(*)::int as n from graphile_worker.jobs`).toEqual([{ n: 0 }])
  })
})
