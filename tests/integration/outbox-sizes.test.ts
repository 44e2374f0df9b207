// An event that the broker would never take is refused before it becomes a row, which would hold back its stream.
import { redisBroker } from '@twinwire/broker-redis'
import { event, memoryBroker, route, topic } from '@twinwire/core'
import { type Database, database, outboxTable, transaction } from '@twinwire/core/database'
import { createTestApp, createTestLogger, fakeIdentity } from '@twinwire/core/testing'
import type { Broker } from '@twinwire/core/transport'
import { sql } from 'drizzle-orm'
import * as v from 'valibot'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { outboxDdl } from '../support/outbox-ddl.ts'
import { recordingBroker } from '../support/recording-broker.ts'
import { hasRedis, startRedis } from '../support/redis.ts'

// On a busy machine.
vi.setConfig({ testTimeout: 60_000 })

const noted = event({ data: v.object({ text: v.string() }) })
const routes = {
  NOTE: route({
    http: 'POST /notes',
    use: [transaction({ outbox: true })],
    input: v.object({ length: v.number(), to: v.optional(v.string(), 'notes') }),
    handler: async ({ length, to }, call) => {
      await call.db.execute(sql`insert into notes (length) values (${length})`)
      call.publish(to, noted, { text: 'first' })
      call.publish(to, noted, { text: 'é'.repeat(length) })
    },
  }),
}

async function start(broker: Broker) {
  let db: Database | null = null
  const log = createTestLogger()
  const app = await createTestApp(
    {
      pkgIds: { NOTE: 1, NOTED: 100 },
      routes,
      events: { NOTED: noted },
      topics: {
        notes: topic({ subscribe: true, authorize: () => true }),
        fleeting: topic({ subscribe: true, authorize: () => true, history: false }),
      },
      broker,
      log,
      plugins: [
        fakeIdentity({ id: 'ann', name: 'Ann' }),
        database({
          url: 'pglite://memory',
          outbox: { pollMs: 50 },
          onStart: async (opened) => {
            db = opened
            await opened.execute(sql.raw('create table notes (length integer not null)'))
            await opened.execute(sql.raw(outboxDdl))
          },
        }),
      ],
    },
    { leftovers: 'allow' },
  )
  onTestFinished(() => app.close())
  const count = async (table: string): Promise<number> =>
    db === null ? -1 : ((await db.select({ n: sql<number>`count(*)::int` }).from(sql.raw(table)))[0]?.n ?? -1)
  const note = (length: number, to?: string) => app.request('POST /notes', { json: { length, to } })
  return { note, count, log, waiting: async () => (db === null ? -1 : db.$count(outboxTable)) }
}

const refusal = {
  status: 413,
  text: expect.stringContaining('An event of this call is larger than can be published'),
}

const redisThere = await hasRedis()

describe.each([
  ['memoryBroker()', async () => memoryBroker({ maxEntryBytes: 100 }), 'history: false', true],
  [
    'redisBroker()',
    async () => {
      const redis = await startRedis()
      onTestFinished(() => redis.stop())
      return redisBroker({ url: redis.url, prefix: redis.prefix, maxPublicationBytes: 150 })
    },
    'maxPublicationBytes of redisBroker() is 150',
    redisThere,
  ],
] as const)('an event that is larger than %s takes', (name, open, reason, isThere) => {
  test.skipIf(!isThere)('fails its call, which leaves nothing, and the stream goes on', async () => {
    const { note, count, log, waiting } = await start(await open())
    expect(await note(60)).toMatchObject(refusal)
    expect([await count('notes'), await waiting()]).toEqual([0, 0])
    const line = log.lines.find(({ fields }) => fields.stream === ':notes')
    expect([line?.level, String(line?.fields.err)]).toEqual(['warn', expect.stringContaining(reason)])
    expect((await note(20)).status).toBeLessThan(300)
    await expect.poll(waiting, { timeout: 15_000 }).toBe(0)
    // What no history keeps has no limit in memory.
    expect((await note(60, 'fleeting')).status).toBe(name === 'memoryBroker()' ? 204 : 413)
  })
})

test('a row that is refused later all the same is kept, and tried again', async () => {
  const recording = recordingBroker()
  const { note, count, waiting } = await start(recording.broker)
  recording.before = () => {
    throw new Error('The limit was lowered')
  }
  expect((await note(60)).status).toBe(204)
  expect([await count('notes'), await waiting()]).toEqual([1, 2])
  recording.before = () => {}
  await expect.poll(waiting, { timeout: 15_000 }).toBe(0)
  expect(recording.taken).toHaveLength(2)
})
