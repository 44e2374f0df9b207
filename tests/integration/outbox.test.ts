// `transaction({ outbox: true })`: an effect and its publications exist together or not at all, in the order of the commits.
import { setTimeout as delay } from 'node:timers/promises'
import { type Call, event, route, topic } from '@twinwire/core'
import {
  type Database,
  type DatabaseOptions,
  database,
  once,
  outboxTable,
  type TransactionOptions,
  transaction,
  type WithDatabase,
} from '@twinwire/core/database'
import { createTestApp, fakeIdentity } from '@twinwire/core/testing'
import { sql } from 'drizzle-orm'
import * as v from 'valibot'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { outboxDdl } from '../support/outbox-ddl.ts'
import { hasPgBouncer, startPgBouncer } from '../support/pg-bouncer.ts'
import { hasPostgres, startPostgres } from '../support/postgres.ts'
import { type RecordingBroker, recordingBroker, type Taken } from '../support/recording-broker.ts'

// On a busy machine.
vi.setConfig({ testTimeout: 120_000 })

const noted = event({ data: v.object({ text: v.string() }) })
const gates = new Map<string, Promise<unknown>>()
const Note = v.object({
  text: v.string(),
  says: v.optional(v.string()),
  topics: v.optional(v.array(v.string()), ['notes']),
  people: v.optional(v.number(), 0),
  fails: v.optional(v.boolean(), false),
})

const pkgIds = { NOTE: 1, NEST: 2, NOTE_ONCE: 3, NOTE_SOON: 4, NOTED: 100 } as const
const note = async (
  { text, says = text, topics, people, fails }: v.InferOutput<typeof Note>,
  call: Call & WithDatabase,
) => {
  await call.db.execute(sql`insert into notes (text) values (${text})`)
  for (const each of topics) call.publish(each, noted, { text: says })
  for (let i = 0; i < people; i += 1) call.sendTo(`person-${i}`, noted, { text })
  if (text.startsWith('forgets')) await call.db.execute(sql`deallocate all`)
  await gates.get(text)
  if (fails) throw new Error('after all')
  return null
}

const routes = {
  NOTE: route({ use: [transaction({ outbox: true })], input: Note, handler: note }),
  NOTE_SOON: route({ deadlineMs: 300, use: [transaction({ outbox: true })], input: Note, handler: note }),
  NOTE_ONCE: route({
    use: [once({ retention: 60_000 }), transaction({ outbox: true })],
    input: v.object({ text: v.string() }),
    handler: async ({ text }, call) => {
      await call.db.execute(sql`insert into notes (text) values (${text})`)
      call.publish('notes', noted, { text })
      return { text }
    },
  }),
  NEST: route({
    use: [transaction({ outbox: true })],
    handler: async (_, call) => {
      call.publish('notes', noted, { text: 'outer' })
      await call.db
        .transaction(async () => {
          call.publish('notes', noted, { text: 'undone' })
          throw new Error('undo')
        })
        .catch(() => {})
      await call.db.transaction(async () => call.publish('notes', noted, { text: 'inner' }))
      call.afterCommit(() => call.publish('notes', noted, { text: 'later' }))
      return null
    },
  }),
}

const tables = [
  'create table notes (id serial primary key, text text not null unique)',
  outboxDdl,
  'create table twinwire_once (key text primary key, fingerprint text not null, reply text, expires_at timestamptz not null)',
  // A commit that takes its time, after the rows of the outbox were inserted.
  `create function slow_commit() returns trigger language plpgsql as $$
    begin if new.text like 'slow%' then perform pg_sleep(1); end if; return null; end $$`,
  `create constraint trigger slow after insert on notes deferrable initially deferred
    for each row execute function slow_commit()`,
]

async function createTables(db: Database): Promise<void> {
  for (const statement of tables) await db.execute(sql.raw(statement))
}

async function start(
  url: string,
  { broker }: RecordingBroker,
  onStart?: DatabaseOptions['onStart'],
  { pool, outbox }: Pick<DatabaseOptions, 'pool' | 'outbox'> = {},
) {
  const app = await createTestApp({
    pkgIds,
    routes,
    events: { NOTED: noted },
    topics: { '{name}': topic({ subscribe: true, authorize: () => true }) },
    broker,
    plugins: [
      fakeIdentity({ id: 'ann', name: 'Ann' }),
      database({
        url,
        pool: { max: 5, ...pool },
        outbox: { pollMs: 100, maxLagMs: 200, ...outbox },
        ...(onStart && { onStart }),
      }),
    ],
  })
  onTestFinished(() => app.close())
  return app
}

const saidIn = (taken: readonly Taken[]): unknown[] =>
  taken.map(({ publication }) => (publication.data as { readonly text: string }).text)

function nth<T>(list: readonly T[], index: number): T {
  const item = list[index % list.length]
  if (item === undefined) throw new Error('an empty list')
  return item
}

const postgresThere = await hasPostgres()

describe.each([
  ['PGlite', async () => ({ url: 'pglite://memory', stop: async () => {} }), true],
  ['PostgreSQL', () => startPostgres(), postgresThere],
] as const)('the outbox on %s', (_, open, available) => {
  const setUp = async (batchSize = 200) => {
    const server = await open()
    onTestFinished(() => server.stop())
    const recording = recordingBroker()
    let db: Database | null = null
    const onStart = async (opened: Database): Promise<void> => {
      db = opened
      await createTables(opened)
    }
    const app = await start(server.url, recording, onStart, { outbox: { batchSize } })
    const waiting = async (): Promise<number> => (db === null ? -1 : db.$count(outboxTable))
    return { app, recording, url: server.url, waiting }
  }

  test.skipIf(!available)('a publication leaves with the commit, and its row is removed', async () => {
    const { app, recording, waiting } = await setUp()
    const client = await app.client()
    await client.subscribe('notes')
    const text = 'first \u0000 \u{1f4d5}'
    await client.call('NOTE', { text: 'first', says: text })
    expect(await client.nextEvent('NOTED', 15_000)).toEqual({ text })
    expect(recording.taken[0]?.key).toMatch(/^outbox-1-\d+$/)
    expect(recording.taken[0]?.publication.cause).toMatch(/^[0-9a-f-]{36}$/)
    await vi.waitFor(async () => expect(await waiting()).toBe(0), 15_000)
  })

  test.skipIf(!available)('what is rolled back leaves no row, in a savepoint too', async () => {
    const { app, recording, waiting } = await setUp()
    const client = await app.client()
    await expect(client.call('NOTE', { text: 'bad', fails: true })).rejects.toMatchObject({ code: 'internal_error' })
    await client.call('NEST')
    await vi.waitFor(() => expect(recording.taken).toHaveLength(3), 15_000)
    // What is published after the commit is not part of the transaction.
    expect(saidIn(recording.taken).toSorted()).toEqual(['inner', 'later', 'outer'])
    expect(saidIn(recording.taken.filter(({ key }) => key !== null))).toEqual(['outer', 'inner'])
    await vi.waitFor(async () => expect(await waiting()).toBe(0), 15_000)
  })

  test.skipIf(!available)('a broker that refuses keeps them waiting, in order, and health says so', async () => {
    // Fewer than the rows of the stream that it refuses.
    const { app, recording, waiting } = await setUp(2)
    const client = await app.client()
    recording.before = ({ audience }) => {
      if (audience.kind === 'topic' && audience.topic === 'notes') throw new Error('away')
    }
    for (const text of ['a', 'b', 'c']) await client.call('NOTE', { text, topics: ['notes', 'others'] })
    await vi.waitFor(() => expect(recording.taken).toHaveLength(3), 15_000)
    const health = await vi.waitFor(async () => {
      const report = await app.request('GET /health')
      expect(report.json()).toMatchObject({ outbox: 'unhealthy' })
      return app.request('GET /health/ready')
    }, 15_000)
    expect(health.status).toBe(200)
    expect(await waiting()).toBe(3)
    recording.before = () => {}
    await vi.waitFor(() => expect(recording.taken).toHaveLength(6), 15_000)
    expect(saidIn(recording.taken)).toEqual(['a', 'b', 'c', 'a', 'b', 'c'])
    await vi.waitFor(async () => expect(await waiting()).toBe(0), 15_000)
  })

  test.skipIf(!available)('a repeated call of once() has one effect, one publication and equal replies', async () => {
    const { app, recording, waiting } = await setUp()
    const clients = await Promise.all([app.client(), app.client()])
    const call = { pkg_id: 3, req_id: '8e03978e-40d5-43e8-bc93-6894a57f9324', data: { text: 'only' } }
    for (const client of [...clients, ...clients]) client.send(call)
    const replies = await Promise.all([...clients, ...clients].map((client) => client.nextStray(30_000)))
    for (const reply of replies) expect(reply).toMatchObject({ status_code: 0, data: { text: 'only' } })
    await vi.waitFor(() => expect(saidIn(recording.taken)).toEqual(['only']), 15_000)
    await clients[0].call('NOTE', { text: 'next' })
    await vi.waitFor(() => expect(saidIn(recording.taken)).toEqual(['only', 'next']), 15_000)
    await vi.waitFor(async () => expect(await waiting()).toBe(0), 15_000)
  })

  test.skipIf(!available)('a broker that hangs holds back neither calls nor other streams, nor the end', async () => {
    const server = await open()
    onTestFinished(() => server.stop())
    const recording = recordingBroker()
    const app = await start(server.url, recording, createTables, { pool: { max: 1 } })
    recording.before = ({ audience }) =>
      audience.kind === 'topic' && audience.topic === 'notes' ? new Promise<never>(() => {}) : undefined
    const client = await app.client()
    for (let i = 0; i < 5; i += 1) await client.call('NOTE', { text: `n${i}`, topics: ['notes', 'others'] })
    await vi.waitFor(() => expect(recording.taken).toHaveLength(5), 30_000)
    await app.close()
    expect(saidIn(recording.taken)).toEqual(['n0', 'n1', 'n2', 'n3', 'n4'])
  })

  test.skipIf(!available)('one transaction may reach many: more streams than it locks one by one', async () => {
    const { app, recording } = await setUp()
    const client = await app.client()
    await Promise.all([
      client.call('NOTE', { text: 'many', people: 300 }),
      client.call('NOTE', { text: 'few', people: 3 }),
      client.call('NOTE', { text: 'more', people: 200 }),
    ])
    await vi.waitFor(() => expect(recording.taken).toHaveLength(506), 30_000)
    expect(new Set(recording.taken.map(({ key }) => key)).size).toBe(506)
  })
})

describe.skipIf(!postgresThere)('several processes on one database', () => {
  test('in a stream the order is that of the commits, whichever began first', async () => {
    const server = await startPostgres()
    onTestFinished(() => server.stop())
    const recording = recordingBroker()
    const app = await start(server.url, recording, createTables)
    const client = await app.client()
    let open = (): void => {}
    gates.set('began first', new Promise<void>((resolve) => (open = resolve)))
    const first = client.call('NOTE', { text: 'began first' })
    await client.call('NOTE', { text: 'committed first' })
    open()
    await first
    // Its rows are there, and its commit takes a second: what follows waits for it, and another stream does not.
    const slow = client.call('NOTE', { text: 'slow' })
    await delay(300)
    await Promise.all([
      client.call('NOTE', { text: 'behind it' }),
      client.call('NOTE', { text: 'beside it', topics: ['others'] }),
      slow,
    ])
    await vi.waitFor(() => expect(recording.taken).toHaveLength(5), 15_000)
    const ofNotes = recording.taken.filter(
      ({ publication: { audience } }) => audience.kind === 'topic' && audience.topic === 'notes',
    )
    expect(saidIn(ofNotes)).toEqual(['committed first', 'began first', 'slow', 'behind it'])
  })

  test.each([
    ['by itself', false],
    ['behind a PgBouncer', true],
  ])('a deadline, and a client that leaves, while its stream is locked: rolled back, %s', async (_, pgBouncer) => {
    if (pgBouncer && !hasPgBouncer()) return
    const server = await startPostgres()
    onTestFinished(() => server.stop())
    const bouncer = pgBouncer ? await startPgBouncer(server.url) : null
    onTestFinished(() => bouncer?.stop())
    const recording = recordingBroker()
    const options = { pool: { max: 3, pgBouncer } }
    const app = await start(bouncer?.url ?? server.url, recording, createTables, options)
    const client = await app.client()
    const leaving = await app.client()
    const slow = client.call('NOTE', { text: 'slow' })
    await delay(200)
    const left = leaving.call('NOTE', { text: 'left' })
    const late = client.call('NOTE_SOON', { text: 'late' })
    await delay(100)
    leaving.close()
    await expect(left).rejects.toThrow()
    // Its COMMIT was sent, and did not happen: that is known.
    await expect(late).rejects.toMatchObject({ code: 'deadline_exceeded' })
    await slow
    // Each connection works on, and no late cancellation reaches what comes next.
    for (let i = 0; i < 9; i += 1) await client.call('NOTE', { text: `then ${i}` })
    await vi.waitFor(() => expect(recording.taken).toHaveLength(10), 15_000)
    expect(saidIn(recording.taken)).toEqual(['slow', ...Array.from({ length: 9 }, (__, i) => `then ${i}`)])
    // Neither of the two has left its row, which would be a conflict here.
    for (const text of ['left', 'late']) await client.call('NOTE', { text })
  })

  test('a session that has forgotten what it prepared: nothing is announced of what was rolled back', async () => {
    const server = await startPostgres()
    onTestFinished(() => server.stop())
    const recording = recordingBroker()
    const app = await start(server.url, recording, createTables, { pool: { max: 1 } })
    const client = await app.client()
    for (const text of ['a', 'b']) await client.call('NOTE', { text })
    await expect(client.call('NOTE', { text: 'forgets' })).rejects.toMatchObject({ code: 'unavailable' })
    await client.call('NOTE', { text: 'c' })
    await vi.waitFor(() => expect(saidIn(recording.taken)).toContain('c'), 15_000)
    expect(saidIn(recording.taken)).toEqual(['a', 'b', 'c'])
  })

  test('what one leaves another sends, once', async () => {
    const server = await startPostgres()
    onTestFinished(() => server.stop())
    const taken: Taken[] = []
    const leaving = recordingBroker(taken)
    const app = await start(server.url, leaving, createTables)
    leaving.before = () => {
      throw new Error('away')
    }
    const client = await app.client()
    await client.call('NOTE', { text: 'left' })
    await app.close()
    expect(taken).toEqual([])
    const others = [recordingBroker(taken), recordingBroker(taken)]
    const [second] = await Promise.all(others.map((each) => start(server.url, each)))
    await vi.waitFor(() => expect(saidIn(taken)).toEqual(['left']), 15_000)
    const again = await second?.client()
    await again?.call('NOTE', { text: 'after' })
    await vi.waitFor(() => expect(saidIn(taken)).toEqual(['left', 'after']), 15_000)
  })

  test('a stream of many commits on two processes is in order and complete', async () => {
    const server = await startPostgres()
    onTestFinished(() => server.stop())
    const taken: Taken[] = []
    const apps = [
      await start(server.url, recordingBroker(taken), createTables),
      await start(server.url, recordingBroker(taken)),
    ]
    const clients = await Promise.all([...apps, ...apps].map((app) => app.client()))
    const said = Array.from({ length: 200 }, (__, i) => `n${i}`)
    await Promise.all(
      said.map((text, i) => nth(clients, i).call('NOTE', { text, topics: [`t${i % 3}`, `t${(i + 1) % 3}`] })),
    )
    await vi.waitFor(() => expect(taken).toHaveLength(400), 30_000)
    const ids = new Map<string, bigint[]>()
    for (const { publication, key } of taken) {
      const stream = JSON.stringify(publication.audience)
      ids.set(stream, [...(ids.get(stream) ?? []), BigInt(/^outbox-(\d+)-/.exec(String(key))?.[1] ?? 0)])
    }
    for (const ofStream of ids.values()) expect(ofStream).toEqual(ofStream.toSorted((a, b) => (a < b ? -1 : 1)))
    expect(new Set([...ids.values()].flat()).size).toBe(400)
  })
})

describe.skipIf(!postgresThere || !hasPgBouncer())('behind a PgBouncer in transaction mode', () => {
  test('two processes send all, each once', async () => {
    const server = await startPostgres()
    onTestFinished(() => server.stop())
    const bouncer = await startPgBouncer(server.url)
    onTestFinished(() => bouncer.stop())
    const taken: Taken[] = []
    const options = { pool: { pgBouncer: true } }
    const first = await start(bouncer.url, recordingBroker(taken), createTables, options)
    const clients = [
      await first.client(),
      await (await start(bouncer.url, recordingBroker(taken), undefined, options)).client(),
    ]
    await Promise.all(Array.from({ length: 40 }, (__, i) => nth(clients, i).call('NOTE', { text: `p${i}` })))
    await vi.waitFor(() => expect(taken).toHaveLength(40), 30_000)
    expect(new Set(saidIn(taken)).size).toBe(40)
  })
})

describe('what is missing is said at boot', () => {
  const boot = (options: Partial<DatabaseOptions>, step: TransactionOptions = { outbox: true }) =>
    createTestApp({
      pkgIds: { NOTE: 1 },
      defaultAccess: 'public',
      routes: { NOTE: route({ use: [transaction(step)], handler: () => null }) },
      plugins: [database({ url: 'pglite://memory', ...options })],
    })
  test.each([
    ['no outbox', {}, { outbox: true }, 'bad_option', /transaction\(\) of NOTE: outbox needs an outbox: set database/],
    [
      'no table',
      { outbox: {} },
      { outbox: true },
      'missing_table',
      /export { outboxTable } from '@twinwire\/core\/database'/,
    ],
    [
      'a user that may read only',
      {
        outbox: {},
        onStart: async (db: Database) => {
          await createTables(db)
          await db.execute(sql`create role reader`)
          await db.execute(sql`grant select on twinwire_outbox to reader`)
          // The one connection of PGlite stays this user.
          await db.execute(sql`set role reader`)
        },
      },
      { outbox: true },
      'missing_table',
      /grant insert, delete on twinwire_outbox to it/,
    ],
    ['read only', { outbox: {} }, { outbox: true, readOnly: true }, 'bad_option', /readOnly/],
    ['a wrong option', { outbox: { pollMs: 1 } }, {}, 'bad_option', /outbox\.pollMs must be an integer from 50/],
  ] as const)('%s', async (_, options, step, code, message) => {
    await expect(boot(options, step)).rejects.toMatchObject({ code, message: expect.stringMatching(message) })
  })
})
