import { setTimeout } from 'node:timers/promises'
import type { Plugin } from '@twinwire/core'
import { databaseKey } from '@twinwire/core/database'
import type { TestDatabase } from '@twinwire/core/database/testing'
import { CounterCell, systemClock } from '@twinwire/core/plugin'
import { createTestApp } from '@twinwire/core/testing'
import { sql } from 'drizzle-orm'
import { afterAll, beforeAll, beforeEach, expect, it, onTestFinished } from 'vitest'
import { openAuditDatabase, writeRows } from '../reading/reading.fixtures.ts'
import { actions } from '../table.ts'
import { removeOldRows } from './remove-old-rows.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await openAuditDatabase()
}, 120_000)
beforeEach(() => database.reset())
afterAll(() => database?.close())

const dayMs = 86_400_000
const daysAgo = (days: number) => ({ timestamp: new Date(Date.now() - days * dayMs) })

function remover(retentionDays: number): Plugin<void> {
  return {
    name: 'audit',
    requires: ['database'],
    setup: (host) => removeOldRows(host, { retentionDays }, () => host.api(databaseKey)),
  }
}

/** The minute between two removals is a moment; limits of 30 s, such as that of the pool, stay. */
const clock = {
  ...systemClock,
  timer: (delayMs: number, run: () => void) =>
    systemClock.timer(delayMs > 30_000 && delayMs <= 90_000 ? 20 : delayMs, run),
}

async function start(retentionDays: number) {
  const test = await createTestApp({
    pkgIds: {},
    routes: {},
    plugins: [database.plugin, remover(retentionDays)],
    clock,
  })
  onTestFinished(() => test.close())
  const removed = () => {
    const cell = test.app.instruments.families().find(({ name }) => name === 'audit_logs_removed_total')?.cells[0]?.cell
    return cell instanceof CounterCell ? cell.value : null
  }
  return { ...test, removed }
}

const left = async (): Promise<string[]> =>
  (await database.db.select({ id: actions.requestId }).from(actions).orderBy(actions.requestId)).map(({ id }) => id)

it('removes what is older than the days, in batches, and counts it [defect 58]', async () => {
  await writeRows(database, [
    ...Array.from({ length: 450 }, () => daysAgo(31)),
    { ...daysAgo(29), requestId: 'young' },
    { ...daysAgo(0), requestId: 'new' },
  ])
  const { removed } = await start(30)
  await expect.poll(left).toEqual(['new', 'young'])
  await expect.poll(removed).toBe(450)
})

it('keeps all rows with 0 days', async () => {
  await writeRows(database, [daysAgo(30_000)])
  const { removed } = await start(0)
  // Half a second is many moments.
  await setTimeout(500)
  expect(await left()).toHaveLength(1)
  expect(removed()).toBeNull()
})

it('tries again after a failure, which is logged', async () => {
  await writeRows(database, [daysAgo(31)])
  await database.db.execute(sql`alter table user_actions rename to hidden`)
  const { logs } = await start(30)
  await expect
    .poll(() => logs.map(({ message }) => message).join())
    .toContain('were not removed: tried again in a minute')
  await database.db.execute(sql`alter table hidden rename to user_actions`)
  await expect.poll(left).toEqual([])
})
