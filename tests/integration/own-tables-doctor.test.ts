// The doctor of an app that has started: the tables of once() and of the outbox.
import { route } from '@twinwire/core'
import { type Database, database, once, transaction } from '@twinwire/core/database'
import { createTestApp, fakeIdentity } from '@twinwire/core/testing'
import { sql } from 'drizzle-orm'
import { describe, expect, onTestFinished, test } from 'vitest'
import { onceDdl } from '../support/once-app.ts'
import { outboxDdl } from '../support/outbox-ddl.ts'

async function start(steps: 'both' | 'neither') {
  const opened: Database[] = []
  const run = async (statement: string): Promise<void> => {
    for (const db of opened) await db.execute(sql.raw(statement))
  }
  const isBoth = steps === 'both'
  const app = await createTestApp({
    pkgIds: { NOTE: 1 },
    routes: {
      NOTE: route({
        use: isBoth ? [once({ retention: 60_000 }), transaction({ outbox: true })] : [transaction()],
        handler: () => null,
      }),
    },
    plugins: [
      fakeIdentity({ id: 'ann', name: 'Ann' }),
      database({
        url: 'pglite://memory',
        ...(isBoth && { outbox: { pollMs: 60_000 } }),
        onStart: async (db) => {
          opened.push(db)
          if (!isBoth) return
          for (const statement of [...onceDdl.split(';'), outboxDdl]) if (statement.trim() !== '') await run(statement)
        },
      }),
    ],
  })
  onTestFinished(() => app.close())
  const findings = async () =>
    (await app.app.doctor()).findings
      .filter(({ check }) => check === 'once()' || check === 'outbox')
      .toSorted((a, b) => (a.check < b.check ? -1 : 1))
  return { run, findings }
}

describe('app.doctor()', () => {
  test('says that both tables can be used, that one is missing, or what the user may not do', async () => {
    const { run, findings } = await start('both')
    expect(await findings()).toEqual([
      { check: 'once()', level: 'ok', message: 'The table twinwire_once is there and may be written' },
      { check: 'outbox', level: 'ok', message: 'The table twinwire_outbox is there and may be written' },
    ])
    await run('drop table twinwire_once')
    await run('create role reader')
    await run('grant select, insert on twinwire_outbox to reader')
    await run('set role reader')
    expect(await findings()).toEqual([
      {
        check: 'once()',
        level: 'error',
        message: expect.stringMatching(
          /^once\(\) needs its table: .+ Add export { onceTable } from .+ apply the migration$/,
        ),
      },
      {
        check: 'outbox',
        level: 'error',
        message: expect.stringMatching(/this user may not: grant delete on twinwire_outbox to it$/),
      },
    ])
  })

  test('says nothing of tables that no route needs', async () => {
    const { findings } = await start('neither')
    expect(await findings()).toEqual([])
  })
})
