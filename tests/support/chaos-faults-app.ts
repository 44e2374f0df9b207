// A node of its own process, to which everything happens: DATABASE, REDIS, PREFIX and ISSUER are in the environment.
import process from 'node:process'
import { redisBroker } from '@twinwire/broker-redis'
import { type Call, closeOnSignals, createApp, createLogger, NotFoundError, route } from '@twinwire/core'
import { type Database, database, once, transaction } from '@twinwire/core/database'
import { auth } from '@twinwire/plugin-auth'
import { eq } from 'drizzle-orm'
import { pgTable, serial, text } from 'drizzle-orm/pg-core'
import * as v from 'valibot'
import { faultsPaths, faultsPkgIds, faultsTopics, WriteInput, Written, written } from './chaos-faults-shared.ts'

const { DATABASE = '', REDIS = '', PREFIX = '', ISSUER = '' } = process.env

const writes = pgTable('writes', { id: serial().primaryKey(), name: text().notNull(), topic: text().notNull() })
const inTransaction = transaction({ outbox: true, retries: 2 })

async function write(
  { name, topic, does }: WriteInput,
  call: Pick<Call, 'publish'> & { readonly db: Database },
): Promise<{ name: string }> {
  await call.db.insert(writes).values({ name, topic })
  if (does === 'refuse') throw new NotFoundError()
  if (does === 'fail') throw new Error('It fails')
  call.publish(topic, written, { name })
  return { name }
}

const app = createApp({
  pkgIds: faultsPkgIds,
  routes: {
    WRITE: route({
      http: { route: `POST ${faultsPaths.WRITE}`, status: 201 },
      use: [inTransaction],
      input: WriteInput,
      output: Written,
      handler: write,
    }),
    WRITE_ONCE: route({
      http: { route: `POST ${faultsPaths.WRITE_ONCE}`, status: 201 },
      use: [once({ retention: 86_400_000 }), inTransaction],
      input: WriteInput,
      output: Written,
      handler: write,
    }),
    COUNT: route({
      http: 'GET /writes/:name',
      use: [transaction({ readOnly: true })],
      input: Written,
      output: v.object({ rows: v.number() }),
      handler: async ({ name }, { db }) => ({ rows: await db.$count(writes, eq(writes.name, name)) }),
    }),
  },
  events: { WRITTEN: written },
  topics: faultsTopics,
  broker: redisBroker({ url: REDIS, prefix: PREFIX, history: { size: 100_000, ttlMs: 3_600_000 } }),
  plugins: [
    database({ url: DATABASE, pool: { max: 5 }, outbox: { pollMs: 500 } }),
    auth({ issuer: ISSUER, clientId: 'test-client', audience: 'test-client' }),
  ],
  log: { logger: createLogger({ environment: 'test', level: 'fatal' }) },
  environment: 'test',
  defaultAccess: 'authenticated',
  deadlineMs: 3000,
  drainTimeoutMs: 4000,
  drainSpreadMs: 0,
})
closeOnSignals(app)
const { port } = await app.listen({ port: 0 })
console.log(JSON.stringify({ port }))
