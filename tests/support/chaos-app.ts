// A node of its own process, to be killed: DATABASE, REDIS, PREFIX, NODE (its name) and POLL_MS are in the environment.
import process from 'node:process'
import { createApp, route } from '@twinwire/core'
import { database, once, transaction } from '@twinwire/core/database'
import { fakeIdentity } from '@twinwire/core/testing'
import { pgTable, serial, text } from 'drizzle-orm/pg-core'
import { chaosBroker, chaosPkgIds, chaosTopics, Mark, MarkInput, marked } from './chaos-shared.ts'

const { DATABASE = '', REDIS = '', PREFIX = '', NODE: node = '', POLL_MS = '1000' } = process.env

const marks = pgTable('marks', {
  id: serial().primaryKey(),
  name: text().notNull(),
  node: text().notNull(),
  topic: text().notNull(),
})

const app = createApp({
  pkgIds: chaosPkgIds,
  routes: {
    MARK: route({
      http: { route: 'POST /marks', status: 201 },
      use: [once({ retention: 86_400_000 }), transaction({ outbox: true })],
      input: MarkInput,
      output: Mark,
      handler: async ({ name, topic }, call) => {
        const [row] = await call.db.insert(marks).values({ name, node, topic }).returning({ id: marks.id })
        if (row === undefined) throw new Error('No row')
        const mark = { id: row.id, name, node }
        call.publish(topic, marked, mark)
        return mark
      },
    }),
  },
  events: { MARKED: marked },
  topics: chaosTopics,
  broker: chaosBroker(REDIS, PREFIX),
  plugins: [database({ url: DATABASE, pool: { max: 4 }, outbox: { pollMs: Number(POLL_MS) } }), fakeIdentity()],
  environment: 'test',
  deadlineMs: 3000,
  drainSpreadMs: 0,
})
const { port } = await app.listen({ port: 0 })
console.log(JSON.stringify({ port }))
