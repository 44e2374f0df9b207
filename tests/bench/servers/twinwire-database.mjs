// A route that inserts a row, or stores an order, and publishes an event, in a transaction: with once(), with an outbox, with both or with neither.
import process from 'node:process'
import { createApp, event, memoryBroker, route, topic } from '@twinwire/core'
import { database, once, transaction } from '@twinwire/core/database'
import { fakeIdentity } from '@twinwire/core/testing'
import { sql } from 'drizzle-orm'
import { serve } from '../lib/serve.mjs'
import { Input, Output, pkgId } from './contract.mjs'

const { TWINWIRE_BENCH_DATABASE: url, TWINWIRE_BENCH_STEPS: steps, TWINWIRE_BENCH_STREAMS: streams } = process.env
const effect = process.env.TWINWIRE_BENCH_EFFECT === 'order' ? storeOrder : insertAuthor
const outbox = steps === 'outbox' || steps === 'both'
const inTransaction = transaction({ outbox })

const tables = [
  'create table bench_authors (id bigserial primary key, name text not null, page integer not null)',
  'create table bench_products (id integer primary key, price integer not null, stock integer not null)',
  'insert into bench_products select id, 100, 1000000 from generate_series(0, 99999) id',
  'create table bench_orders (id bigserial primary key, customer text not null, total integer not null)',
  `create table bench_lines (order_id bigint not null references bench_orders, product_id integer not null references bench_products,
    amount integer not null, primary key (order_id, product_id))`,
  'create table twinwire_once (key text primary key, fingerprint text not null, reply text, expires_at timestamptz not null)',
  'create index on twinwire_once (expires_at)',
  `create table twinwire_outbox (id bigint primary key generated always as identity, stream text not null, publication text not null,
    created_at timestamptz not null default clock_timestamp())`,
]

const added = event({ summary: 'Added', data: Output })
const tableNames = [
  'bench_authors',
  'bench_lines',
  'bench_orders',
  'bench_products',
  'twinwire_once',
  'twinwire_outbox',
]

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
      use: steps === 'once' || steps === 'both' ? [once({ retention: 86_400_000 }), inTransaction] : [inTransaction],
      input: Input,
      output: Output,
      handler: async ({ name, page }, call) => {
        await effect(call.db, { name, page })
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
        for (const name of tableNames) await db.execute(sql.raw(`drop table if exists ${name}`))
        for (const table of tables) await db.execute(sql.raw(table))
      },
    }),
  ],
  http: { hosts: ['127.0.0.1'] },
  log: 'error',
})

await serve(async () => (await app.listen({ port: 0 })).port, { answers: { state: () => ({ calls, published }) } })

async function insertAuthor(db, { name, page }) {
  await db.execute(sql`insert into bench_authors (name, page) values (${name}, ${page})`)
}

/** Four statements: three products are locked in the order of their ids, and sold. */
async function storeOrder(db, { name, page }) {
  const first = Math.floor(Math.random() * 33_333)
  const ids = [first, first + 33_333, first + 66_666]
  const wanted = sql`(${ids[0]}::integer, ${ids[1]}::integer, ${ids[2]}::integer)`
  const products = await db.execute(
    sql`select id, price, stock from bench_products where id in ${wanted} order by id for update`,
  )
  const total = products.reduce((sum, { price, stock }) => {
    if (stock < page) throw new Error('Sold out')
    return sum + price * page
  }, 0)
  const [order] = await db.execute(
    sql`insert into bench_orders (customer, total) values (${name}, ${total}::integer) returning id`,
  )
  await db.execute(
    sql`insert into bench_lines (order_id, product_id, amount) values (${order.id}::bigint, ${ids[0]}::integer, ${page}::integer),
      (${order.id}::bigint, ${ids[1]}::integer, ${page}::integer), (${order.id}::bigint, ${ids[2]}::integer, ${page}::integer)`,
  )
  await db.execute(sql`update bench_products set stock = stock - ${page}::integer where id in ${wanted}`)
}
