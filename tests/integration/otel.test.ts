// Spans of what calls do: transactions, statements, commands to Redis, publications through Redis, and what belongs to no call.
import { context } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base'
import { redisBroker } from '@twinwire/broker-redis'
import { event, route } from '@twinwire/core'
import { database, transaction, withDb } from '@twinwire/core/database'
import { createTestApp } from '@twinwire/core/testing'
import { metrics } from '@twinwire/plugin-metrics'
import { otel } from '@twinwire/plugin-otel'
import { limit, rateLimit, redisStore } from '@twinwire/plugin-ratelimit'
import { sql } from 'drizzle-orm'
import * as v from 'valibot'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { outboxDdl } from '../support/outbox-ddl.ts'
import { hasOwnRedis } from '../support/redis.ts'
import { type RedisServer, startRedisServer } from '../support/redis-server.ts'

const noted = event({ data: v.object({ text: v.string() }) })
const Note = v.object({ text: v.string() })
const pkgIds = { NOTE: 1, COUNT: 2, BREAK: 3, STORE: 4, NOTED: 100 } as const
const routes = {
  NOTE: route({
    http: 'POST /notes',
    access: 'public',
    use: [limit('1000/m'), transaction()],
    input: Note,
    async handler({ text }, call) {
      await call.db.execute(sql`insert into notes (text) values (${text})`)
      await call.db.transaction((tx) => tx.execute(sql`select 'hunter2' from notes`))
      call.publish('notes', noted, { text })
    },
  }),
  COUNT: route({
    http: 'GET /notes',
    access: 'public',
    use: [withDb()],
    handler: (_input, { db }) => db.execute(sql`select count(*) from notes`).then(() => 1),
  }),
  BREAK: route({
    access: 'public',
    use: [transaction()],
    input: Note,
    handler: ({ text }, { db }) => db.execute(sql`insert into missing (text) values (${text})`).then(() => 1),
  }),
  STORE: route({
    access: 'public',
    use: [transaction({ outbox: true })],
    input: Note,
    handler: ({ text }, call) => call.publish('notes', noted, { text }),
  }),
} as const

function createSpans() {
  const exporter = new InMemorySpanExporter()
  const tracerProvider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] })
  const all = (): readonly ReadableSpan[] => exporter.getFinishedSpans()
  const pathOf = (span: ReadableSpan): string => {
    const parent = all().find((each) => each.spanContext().spanId === span.parentSpanContext?.spanId)
    return parent === undefined ? span.name : `${pathOf(parent)} > ${span.name}`
  }
  return { tracerProvider, all, paths: () => all().map(pathOf).sort(), reset: () => exporter.reset() }
}

describe.skipIf(!hasOwnRedis())('spans of what a call does', () => {
  let server: RedisServer
  beforeAll(async () => {
    context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
    server = await startRedisServer()
  })
  afterAll(async () => {
    context.disable()
    await server?.stop()
  })

  it('are inside of its span, on both wires', async () => {
    const spans = createSpans()
    const url = `redis://127.0.0.1:${server.port}`
    const test = await createTestApp({
      pkgIds,
      routes,
      events: { NOTED: noted },
      topics: { notes: { authorize: () => true } },
      broker: redisBroker({ url }),
      plugins: [
        otel({ tracerProvider: spans.tracerProvider, queryText: true }),
        database({
          url: 'pglite://memory',
          outbox: {},
          onStart: async (db) => {
            await db.execute(sql`create table notes (text text not null)`)
            await db.execute(sql.raw(outboxDdl))
          },
        }),
        rateLimit({
          store: redisStore(url),
          preAuthentication: false,
          connections: false,
          http: false,
          websocket: false,
        }),
        metrics({ access: 'public', exemplars: true }),
      ],
    })
    // What the app does by itself is in no trace.
    expect(spans.all()).toEqual([])
    const inside = (name: string) => [
      name,
      `${name} > EVALSHA consume`,
      `${name} > publish notes`,
      `${name} > transaction`,
      `${name} > transaction > BEGIN`,
      `${name} > transaction > COMMIT`,
      `${name} > transaction > INSERT notes`,
      `${name} > transaction > RELEASE`,
      `${name} > transaction > SAVEPOINT`,
      `${name} > transaction > SELECT notes`,
    ]
    await test.request('POST /notes', { json: { text: 'secret-text' } })
    await expect.poll(spans.paths).toEqual(inside('POST /notes'))
    const attributesOf = (name: string) => spans.all().find((span) => span.name === name)?.attributes
    expect(attributesOf('EVALSHA consume')).toEqual({
      'db.system.name': 'redis',
      'db.namespace': '0',
      'db.operation.name': 'EVALSHA',
      'db.stored_procedure.name': 'consume',
      'server.address': '127.0.0.1',
      'server.port': server.port,
    })
    expect(attributesOf('INSERT notes')).toMatchObject({
      'db.system.name': 'postgresql',
      'db.query.summary': 'INSERT notes',
      'db.query.text': 'insert into notes (text) values ($1)',
    })
    expect(attributesOf('SELECT notes')).toMatchObject({ 'db.query.text': 'select ? from notes' })
    const scraped = await test.request('GET /metrics', { headers: { accept: 'application/openmetrics-text' } })
    expect(scraped.text).toContain(`trace_id="${spans.all()[0]?.spanContext().traceId}"`)
    spans.reset()

    const client = await test.client()
    await client.call('NOTE', { text: 'secret-text' })
    await expect.poll(spans.paths).toEqual(inside('NOTE'))
    expect(JSON.stringify(spans.all().map(({ name, attributes }) => [name, attributes]))).not.toMatch(
      /secret-text|hunter2/,
    )
    spans.reset()

    await client.call('COUNT')
    expect(spans.paths()).toEqual(['COUNT', 'COUNT > SELECT notes'])
    spans.reset()

    await client.call('BREAK', { text: 'x' }).catch(() => null)
    const failed = spans
      .all()
      .map(({ name, attributes }) => [name, attributes['error.type'], attributes['db.response.status_code']])
    expect(failed).toEqual([
      ['BEGIN', undefined, undefined],
      ['INSERT missing', '42P01', '42P01'],
      ['transaction', '42P01', '42P01'],
      ['BREAK', 'database_error', undefined],
    ])
    spans.reset()

    // The sender of the outbox is woken by the commit, and is of no call.
    await client.call('STORE', { text: 'x' })
    await expect
      .poll(() =>
        test.app.instruments
          .families()
          .find(({ name }) => name === 'outbox_sent_total')
          ?.cells.map(({ cell }) => Object(cell).value),
      )
      .toEqual([1])
    expect(spans.paths().filter((path) => path.includes('publish'))).toEqual([])
    expect(spans.paths().filter((path) => !path.startsWith('STORE'))).toEqual([])
    await test.close()
  }, 60_000)
})
