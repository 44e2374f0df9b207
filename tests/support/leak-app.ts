// An app that does a bit of everything, and tells what it still holds: for leaks.test.ts.
import { setTimeout } from 'node:timers/promises'
import { queryObjects } from 'node:v8'
import * as v from 'valibot'
import { type App, createApp } from '../../packages/core/src/app/app.ts'
import { ActiveCall } from '../../packages/core/src/call/active-call.ts'
import { event } from '../../packages/core/src/call/event.ts'
import { ConflictError } from '../../packages/core/src/errors/app-error.ts'
import { HttpRequest } from '../../packages/core/src/http/http-request.ts'
import { route } from '../../packages/core/src/route/route.ts'
import { WebSocketConnection } from '../../packages/core/src/websocket/connection.ts'

const modes = ['sync', 'async', 'refuse', 'crash', 'slow', 'join', 'publish', 'stream'] as const
const Work = v.object({ mode: v.picklist(modes), topic: v.optional(v.string()) })

const told = event({ data: v.object({ text: v.string() }) })
let calls = 0

const work = route({
  http: 'POST /work',
  input: Work,
  deadlineMs: 15,
  handler: async ({ mode, topic = 'a' }, call) => {
    if (mode === 'sync') return 1
    if (mode === 'refuse') throw new ConflictError('taken')
    if (mode === 'crash') throw new Error('boom')
    if (mode === 'join') await call.connection?.join(topic)
    if (mode === 'publish') call.publish(topic, told, { text: 'x' })
    call.afterCommit(() => {})
    // Longer than the deadline allows, and aborted by its signal: the listener belongs to the signal and is freed with it.
    await setTimeout(mode === 'slow' ? 60_000 : Math.random() * 5, undefined, { signal: call.signal })
    return 2
  },
})
const quick = route({ http: 'GET /quick/:n', input: v.object({ n: v.number() }), handler: ({ n }) => ({ n }) })

const stats = route({
  http: 'GET /stats',
  handler: () => {
    // With `format: 'count'` it is a number, which its types do not tell.
    const count = (of: Function): number => queryObjects(of as never, { format: 'count' }) as unknown as number
    const live = { calls: count(ActiveCall), requests: count(HttpRequest), connections: count(WebSocketConnection) }
    globalThis.gc?.()
    globalThis.gc?.()
    const resources = process.getActiveResourcesInfo()
    return {
      served: calls,
      ...live,
      signals: count(AbortSignal),
      hub: app.hub.size,
      topic: app.hub.topicSize('a') + app.hub.topicSize('b'),
      timers: resources.filter((each) => each === 'Timeout' || each === 'Immediate').length,
      heap: process.memoryUsage().heapUsed,
    }
  },
})

const app: App = createApp({
  pkgIds: { WORK: 1, QUICK: 2, TOLD: 100 },
  routes: { WORK: work, QUICK: quick },
  events: { TOLD: told },
  endpoints: [stats],
  topics: { '*': { authorize: () => true } },
  environment: 'production',
  defaultAccess: 'public',
  http: { hosts: ['*'] },
  log: { level: 'fatal', access: 'all' },
  asyncContext: true,
  plugins: [
    {
      name: 'count',
      setup: (host) => {
        host.onCall(() => {
          calls++
        })
      },
    },
  ],
})
const { port } = await app.listen({ port: 0 })
console.log(JSON.stringify({ port }))
