// A node of its own process: its Redis is in the environment variable REDIS.
import process from 'node:process'
import { redisBroker } from '@twinwire/broker-redis'
import { createApp, event, route } from '@twinwire/core'
import * as v from 'valibot'

const said = event({ data: v.object({ n: v.number() }) })
const say = route({
  input: v.object({ n: v.number() }),
  handler: ({ n }, call) => {
    call.publish('news:1', said, { n })
    return { n }
  },
})

const app = createApp({
  pkgIds: { SAY: 1, SAID: 100 },
  routes: { SAY: say },
  events: { SAID: said },
  topics: { 'news:*': { authorize: () => true, subscribe: true, presence: true } },
  broker: redisBroker({ url: String(process.env.REDIS), history: { size: 1000, ttlMs: 600_000 } }),
  environment: 'test',
  defaultAccess: 'public',
  drainSpreadMs: 0,
})
const { port } = await app.listen({ port: 0 })
console.log(JSON.stringify({ port }))
