// Retention of the audit log on a server, with several nodes, and while another session has the lock.
import { readFile } from 'node:fs/promises'
import { database } from '@twinwire/core/database'
import { CounterCell, systemClock } from '@twinwire/core/plugin'
import { createTestApp } from '@twinwire/core/testing'
import { audit } from '@twinwire/plugin-audit'
import postgres from 'postgres'
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { hasPostgres, startPostgres, type TestPostgres } from '../support/postgres.ts'

/** The minute between two removals is a moment; limits of 30 s, such as that of the pool, stay. */
const clock = {
  ...systemClock,
  timer: (delayMs: number, run: () => void) =>
    systemClock.timer(delayMs > 30_000 && delayMs <= 90_000 ? 20 : delayMs, run),
}

describe.skipIf(!(await hasPostgres()))('retention', () => {
  let server: TestPostgres
  let sql: postgres.Sql
  beforeAll(async () => {
    server = await startPostgres()
    sql = postgres(server.url, { max: 2, onnotice: () => {} })
    const file = new URL('../../examples/authors/drizzle/0004_audit.sql', import.meta.url)
    await sql.unsafe(
      `create extension pg_trgm; ${(await readFile(file, 'utf8')).replaceAll('--> statement-breakpoint', '')}`,
    )
  })
  beforeEach(() => sql`truncate user_actions`)
  afterAll(async () => {
    await sql?.end()
    await server?.stop()
  })

  const fill = (rows: number) => sql`
    insert into user_actions (id, timestamp, user_roles, action_type, resource, outcome, request_id, duration_ms)
    select gen_random_uuid(), now() - interval '31 days' - i * interval '1 second', '[]', 'GET', '/', 'success', i, 1
    from generate_series(1, ${rows}) i`
  const count = async (): Promise<unknown> => (await sql`select count(*)::int as n from user_actions`)[0]?.n

  async function start() {
    const node = await createTestApp({
      pkgIds: {},
      routes: {},
      clock,
      plugins: [database({ url: server.url, pool: { max: 2 } }), audit({ retentionDays: 30 })],
    })
    onTestFinished(() => node.close())
    return () => {
      const family = node.app.instruments.families().find(({ name }) => name === 'audit_logs_removed_total')
      const cell = family?.cells[0]?.cell
      return cell instanceof CounterCell ? cell.value : 0
    }
  }

  test('of three nodes removes each row once [defect 58]', async () => {
    await fill(3000)
    const removed = await Promise.all([start(), start(), start()])
    await expect.poll(count).toBe(0)
    await expect.poll(() => removed.reduce((sum, each) => sum + each(), 0)).toBe(3000)
  }, 60_000)

  test('goes past rows that another session has locked', async () => {
    await fill(300)
    const held = await sql.reserve()
    await held`begin`
    await held`select id from user_actions order by timestamp, id limit 5 for update`
    const removed = await start()
    await expect.poll(count).toBe(5)
    await held`rollback`
    held.release()
    await expect.poll(count).toBe(0)
    expect(removed()).toBe(300)
  }, 60_000)

  test('waits for the node that has the lock, and keeps young rows', async () => {
    await fill(10)
    await sql`update user_actions set timestamp = now() where request_id = '10'`
    const held = await sql.reserve()
    await held`begin`
    await held`select pg_advisory_xact_lock(1953982830, 1635083369)`
    const removed = await start()
    // Many attempts.
    await new Promise((resolve) => setTimeout(resolve, 500))
    expect([await count(), removed()]).toEqual([10, 0])
    await held`rollback`
    held.release()
    await expect.poll(count).toBe(1)
    await expect.poll(removed).toBe(9)
  }, 60_000)
})
