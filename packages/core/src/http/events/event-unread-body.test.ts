import { once } from 'node:events'
import { connect } from 'node:net'
import * as v from 'valibot'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { defineTopics, event, fromFetch, memoryBroker, reply, route } from '../../index.ts'
import { until } from '../../testing/suite.fixtures.ts'
import { createTestApp } from '../../testing.ts'

const open: { end(): unknown }[] = []

afterEach(async () => {
  vi.useRealTimers()
  for (const one of open.splice(0).reverse()) await one.end()
})

/** It begins to send a body of 200,000 bytes, and leaves at the first byte of the answer. */
async function leave(port: number, head: string): Promise<void> {
  const socket = connect({ port, host: '127.0.0.1' })
  open.push({ end: () => socket.destroy() })
  socket.write(`${head} HTTP/1.1\r\nhost: test\r\ncontent-length: 200000\r\n\r\n${'x'.repeat(150_000)}`)
  await once(socket, 'data')
  socket.destroy()
}

describe('a client that leaves while its answer is a stream, and whose body is not read', () => {
  it.each(['GET /topic', 'POST /begun', 'GET /source', 'GET /stream', 'GET /fetch'])(
    'of %s is noticed at once, though it is over what is held',
    async (head) => {
      const ended: string[] = []
      const untilAborted = (signal: AbortSignal): Promise<void> =>
        new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
      async function* source<T>(signal: AbortSignal, first: T) {
        try {
          yield first
          await untilAborted(signal)
        } finally {
          ended.push('source')
        }
      }
      const app = await createTestApp(
        {
          pkgIds: {},
          routes: {},
          topics: defineTopics({ 'news:{name}': { authorize: () => true } }),
          endpoints: [
            route({
              http: { route: 'POST /begun', body: 'stream', maxBodyBytes: 1_000_000 },
              access: 'public',
              handler: async (_input, { body }) => {
                for await (const _piece of body) break
                return reply.events({ topic: 'news:1' }, { heartbeatMs: 0 })
              },
            }),
            route({
              http: 'GET /topic',
              access: 'public',
              handler: () => reply.events({ topic: 'news:1' }, { heartbeatMs: 0 }),
            }),
            route({
              http: 'GET /source',
              access: 'public',
              handler: (_input, { signal }) => reply.events(source(signal, { data: 1 }), { heartbeatMs: 0 }),
            }),
            route({
              http: 'GET /stream',
              access: 'public',
              handler: (_input, { signal }) => reply.stream(source(signal, 'x')),
            }),
            fromFetch(
              '/fetch',
              () =>
                new Response(
                  new ReadableStream({
                    start: (controller) => controller.enqueue(Buffer.from('x')),
                    cancel: () => void ended.push('source'),
                  }),
                ),
              { access: 'public' },
            ),
          ],
        },
        { transport: 'uws' },
      )
      open.push({ end: () => app.close() })
      const { hub, instruments } = app.app
      const hasSource = head !== 'GET /topic' && head !== 'POST /begun'
      await leave(app.address.port, head)
      await until(() => hub.size === 0 && ended.length === (hasSource ? 1 : 0))
      expect(hub.topicSize('news:1')).toBe(0)
      const active = instruments.families().find(({ name }) => name === 'sse_connections_active')
      expect(active?.cells[0]?.cell ?? { value: 0 }).toMatchObject({ value: 0 })
    },
  )

  it('of a streamed route is noticed once it has taken no event for 30 s', async () => {
    const tick = event({ data: v.object({ n: v.number() }) })
    const app = await createTestApp(
      {
        // The time below is not that of a server.
        broker: memoryBroker(),
        pkgIds: { TICK: 1 },
        routes: {},
        events: { TICK: tick },
        topics: defineTopics({ 'news:{name}': { authorize: () => true } }),
        endpoints: [
          route({
            http: { route: 'POST /unread', body: 'stream', maxBodyBytes: 1_000_000 },
            access: 'public',
            handler: () => reply.events({ topic: 'news:1' }, { heartbeatMs: 0 }),
          }),
        ],
      },
      { transport: 'uws' },
    )
    open.push({ end: () => app.close() })
    const { hub } = app.app
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    await leave(app.address.port, 'POST /unread')
    expect(hub.size).toBe(1)
    await until(() => {
      void hub.publish('news:1', tick, { n: 1 })
      vi.advanceTimersByTime(100)
      return hub.size === 0
    })
    expect(hub.topicSize('news:1')).toBe(0)
  })
})
