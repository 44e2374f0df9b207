// A node of its own process, for tests/load: its Redis is in the environment variable REDIS.
import process from 'node:process'
import { redisBroker } from '@twinwire/broker-redis'
import { createApp, event, route, topic } from '@twinwire/core'
import * as v from 'valibot'

const said = event({ data: v.object({ n: v.number() }) })

const app = createApp({
  pkgIds: { SAY: 1, ECHO: 2, SAID: 100 },
  routes: {
    SAY: route({
      input: v.object({ n: v.number(), topic: v.string() }),
      handler: ({ n, topic: name }, call) => {
        call.publish(name, said, { n })
        return { n }
      },
    }),
    ECHO: route({
      http: 'POST /echo',
      input: v.object({ text: v.pipe(v.string(), v.maxLength(1000)) }),
      output: v.object({ text: v.string() }),
      handler: ({ text }) => ({ text }),
    }),
  },
  endpoints: [
    route({
      http: { route: 'POST /uploads', body: 'stream', maxBodyBytes: 64 * 1024 * 1024 },
      handler: async (_input, call) => {
        let bytes = 0
        for await (const part of call.body) bytes += part.byteLength
        return { bytes }
      },
    }),
  ],
  events: { SAID: said },
  topics: { 'news:*': topic({ authorize: () => true, subscribe: true }) },
  broker: redisBroker({ url: String(process.env.REDIS), history: { size: 1000, ttlMs: 600_000 } }),
  environment: 'test',
  defaultAccess: 'public',
  drainSpreadMs: 0,
  log: 'error',
})
const { port } = await app.listen({ port: 0 })
console.log(JSON.stringify({ port }))
