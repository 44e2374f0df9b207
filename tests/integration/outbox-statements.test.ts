// What an outbox costs a call, as its page says: one insert, whatever is published, and nothing for a call that publishes nothing.
import { randomUUID } from 'node:crypto'
import { type Call, event, route, topic } from '@twinwire/core'
import { database, once, transaction, type WithDatabase } from '@twinwire/core/database'
import { createTestApp, fakeIdentity } from '@twinwire/core/testing'
import { sql } from 'drizzle-orm'
import postgres from 'postgres'
import * as v from 'valibot'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { startCutProxy } from '../support/cut-proxy.ts'
import { onceDdl } from '../support/once-app.ts'
import { outboxDdl } from '../support/outbox-ddl.ts'
import { hasPostgres, startPostgres } from '../support/postgres.ts'
import { StatementLog } from '../support/statement-log.ts'

// On a busy machine.
vi.setConfig({ testTimeout: 120_000 })

const noted = event({ data: v.object({ n: v.number() }) })
const input = v.object({ text: v.string(), events: v.number(), streams: v.number() })
const note = async ({ text, events, streams }: v.InferOutput<typeof input>, call: Call & WithDatabase) => {
  // With its text in the statement, by which it is found.
  await call.db.execute(sql.raw(`insert into notes (text) values ('${text}')`))
  for (let n = 0; n < events; n += 1) call.publish(`t${n % streams}`, noted, { n })
  return null
}
const stored = transaction({ outbox: true })
const routes = {
  PLAIN: route({ use: [transaction()], input, handler: note }),
  STORED: route({ use: [stored], input, handler: note }),
  ONCE: route({ use: [once({ retention: 60_000 }), stored], input, handler: note }),
}

describe.skipIf(!(await hasPostgres()))('statements of a call', () => {
  test('one more with an outbox, for any number of events and streams; none for no event; two more with once()', async () => {
    const server = await startPostgres()
    onTestFinished(() => server.stop())
    const admin = postgres(server.url, { max: 1 })
    await admin.unsafe(`create table notes (text text); ${onceDdl} ${outboxDdl}`)
    await admin.end()
    const proxy = await startCutProxy(server.url)
    onTestFinished(() => proxy.close())
    const log = new StatementLog()
    let largest = 0
    proxy.toServer = (bytes) => {
      const before = log.statements.length
      log.read(bytes)
      largest = Math.max(largest, log.statements.length - before)
      return 'pass'
    }
    const app = await createTestApp({
      pkgIds: { PLAIN: 1, STORED: 2, ONCE: 3, NOTED: 100 },
      routes,
      events: { NOTED: noted },
      topics: { '{name}': topic({ subscribe: true, authorize: () => true }) },
      // One connection: what the sender does is before a call, or behind it.
      plugins: [fakeIdentity({ id: 'ann', name: 'Ann' }), database({ url: proxy.url, pool: { max: 1 }, outbox: {} })],
    })
    onTestFinished(() => app.close())
    const client = await app.client()
    const statementsOf = async (name: keyof typeof routes, events: number, streams: number) => {
      const text = randomUUID()
      await client.call(name, { text, events, streams })
      const seen = log.transactionWith(text)
      if (seen === null) throw new Error(`No transaction in ${log.statements.join('\n')}`)
      return seen.map((statement) =>
        statement
          .trim()
          .replace(/"|_\d+\(.*/g, '')
          .split(/\s+/)
          .slice(0, 3)
          .join(' ')
          .toLowerCase(),
      )
    }
    const row = 'insert into notes'
    const plain = ['begin', row, 'commit']
    const insert = 'with gate as'
    // The insert of the row of once(), and its update.
    const begin = 'begin; execute twinwire_first'
    const keep = 'with kept as'
    const counts = [
      [1, 1],
      [7, 1],
      [7, 3],
      [100, 40],
    ] as const
    for (const [events, streams] of counts) {
      expect(await statementsOf('PLAIN', events, streams)).toEqual(plain)
      expect(await statementsOf('STORED', events, streams)).toEqual(['begin', row, insert, 'commit'])
      expect(await statementsOf('ONCE', events, streams)).toEqual([begin, row, keep, insert, 'commit'])
    }
    expect(await statementsOf('STORED', 0, 1)).toEqual(plain)
    expect(await statementsOf('ONCE', 0, 1)).toEqual([begin, row, keep, 'commit'])
    // Short, so that postgres.js sends it as one: more than a kilobyte is sent at once.
    expect(await statementsOf('ONCE', 1, 1)).toEqual([begin, row, keep, insert, 'commit'])
    // The reply of once(), the rows and what the sender removes travel with their COMMIT.
    expect(largest).toBe(3)
    expect(log.statements.filter((statement) => statement.startsWith('unknown'))).toEqual([])
  })
})
