// A script that only publishes: its Redis is in the environment variable REDIS. It ends by itself.
import process from 'node:process'
import { redisBroker } from '@twinwire/broker-redis'
import { createPublisher, event } from '@twinwire/core'
import * as v from 'valibot'

const said = event({ data: v.object({ n: v.number() }) })
const publisher = createPublisher({
  broker: redisBroker({ url: String(process.env.REDIS) }),
  pkgIds: { SAID: 100 },
  events: { SAID: said },
  topics: { 'news:*': { authorize: () => true, subscribe: true, presence: true } },
})
for (let n = 1; n <= 100; n += 1) void publisher.publish('news:1', said, { n })
await publisher.close()
