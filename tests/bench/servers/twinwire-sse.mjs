// The same on Twinwire: readers of a topic, with positions to resume from. One that is too slow is cut, and never misses an event without being told.
import { createApp, event, reply, route } from '@twinwire/core'
import { memoryAnswers } from '../lib/memory-answers.mjs'
import { serve } from '../lib/serve.mjs'
import { joinId, News, newsId, toAnswers, toNews, topic } from './news.mjs'

const published = event({ summary: 'News', data: News })

const app = createApp({
  pkgIds: { JOIN: joinId, NEWS: newsId },
  routes: { JOIN: route({ summary: 'Nothing', handler: () => null }) },
  endpoints: [route({ http: 'GET /events', summary: 'News', handler: () => reply.events({ topic }) })],
  events: { NEWS: published },
  topics: { [topic]: { authorize: () => true } },
  defaultAccess: 'public',
  http: { hosts: ['127.0.0.1'] },
  log: 'error',
})

await serve(async () => (await app.listen({ port: 0 })).port, {
  answers: { ...toAnswers((id) => app.hub.publish(topic, published, toNews(id))), ...memoryAnswers },
})
