// A route that inserts a row and publishes an event, in a transaction: with once(), with an outbox, or with neither.
import process from 'node:process'
import { createApp, event, memoryBroker, route, topic } from '@twinwire/core'
import { database, once, transaction } from '@twinwire/core/database'
import { fakeIdentity } from '@twinwire/core/testing'
import { sql } from 'drizzle-orm'
import { serve } from '../lib/serve.mjs'
import { Input, Output, pkgId } from './contract.mjs'

const { TWINWIRE_BENCH_DATABASE: url, TWINWIRE_BENCH_STEPS: steps, TWINWIRE_BENCH_STREAMS: streams } = process.env
const outbox = steps === 'outbox'
const inTransaction = transaction({ outbox })

const tables = [
  'create table bench_authors (id bigserial primary key, name text not null, page integer not null)',
  'create table twinwire_once (key text primary key, fingerprint text not null, reply text, expires_at timestamptz not null)',
  'create index on twinwire_once (expires_at)',
  `create table twinwire_outbox (id bigint primary key generated always as identity, stream text not null, publication text not null,
    created_at timestamptz not null default clock_timestamp())`,
]

const added = event({ summary: 'Added', data: Output })
let calls = 0
let published = 0
const broker = memoryBroker()
const publish = broker.publish.bind(broker)
broker.publish = (...publication) => {
  published += 1
  return publish(...publication)
}

const app = createApp({
  pkgIds: { ADD_AUTHOR: pkgId, ADDED: 100 },
  routes: {
    ADD_AUTHOR: route({
      summary: 'Add an author',
      use: steps === 'once' ? [once({ retention: 86_400_000 }), inTransaction] : [inTransaction],
      input: Input,
      output: Output,
      handler: async ({ name, page }, call) => {
        await call.db.execute(sql`insert into bench_authors (name, page) values (${name}, ${page})`)
        calls += 1
        call.publish(streams === 'one' ? 'authors' : `authors:${calls}`, added, { id: page, name })
        return { id: page, name }
      },
    }),
  },
  events: { ADDED: added },
  topics: {
    authors: topic({ subscribe: true, authorize: () => true }),
    'authors:{id}': topic({ subscribe: true, authorize: () => true }),
  },
  broker,
  plugins: [
    fakeIdentity({ id: 'ada', name: 'Ada' }),
    database({
      url,
      ...(outbox && { outbox: {} }),
      onStart: async (db) => {
        for (const name of ['bench_authors', 'twinwire_once', 'twinwire_outbox'])
          await db.execute(sql.raw(`drop table if exists ${name}`))
        for (const table of tables) await db.execute(sql.raw(table))
      },
    }),
  ],
  http: { hosts: ['127.0.0.1'] },
  log: 'error',
})

await serve(async () => (await app.listen({ port: 0 })).port, { answers: { state: () => ({ calls, published }) } })
