// The same publications through Redis: each is sent there once, comes back to this node, and is delivered to its connections.
import { createApp, event, route } from '@twinwire/core'
import { serve } from '../lib/serve.mjs'
import { createBroker } from './local-redis.mjs'
import { joinId, News, newsId, toAnswers, toNews, topic } from './news.mjs'

const published = event({ summary: 'News', data: News })

const app = createApp({
  pkgIds: { JOIN: joinId, NEWS: newsId },
  routes: {
    JOIN: route({
      summary: 'Join the topic',
      handler: async (_input, call) => {
        await call.connection?.join(topic)
        return null
      },
    }),
  },
  events: { NEWS: published },
  topics: { [topic]: { authorize: () => true } },
  broker: createBroker(),
  defaultAccess: 'public',
  http: { hosts: ['127.0.0.1'] },
  log: 'error',
})

await serve(async () => (await app.listen({ port: 0 })).port, {
  answers: toAnswers((id) => void app.hub.publish(topic, published, toNews(id))),
})
