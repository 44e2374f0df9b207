import * as v from 'valibot'
import { afterEach, describe, expect, it } from 'vitest'
import { ConflictError, defineTopics, event, reply, route } from '../../index.ts'
import { openEvents } from '../../testing/event-reader.fixtures.ts'
import { deferred, plugin } from '../../testing/suite.fixtures.ts'
import { onTransports } from '../../testing.ts'

const app = { pkgIds: {}, routes: {} }

describe('server-sent events of an iterable', () => {
  onTransports({ describe, afterEach }, ({ start }) => {
    it('are sent as they are yielded, with ids, types and lines, and end with an event', async () => {
      const { request } = await start({
        ...app,
        endpoints: [
          route({
            http: 'GET /events',
            handler: () =>
              reply.events(
                [
                  { data: { n: 1 } },
                  { id: '7', event: 'tick', data: 'one\r\ntwo\rthree\n' },
                  { event: '', data: [1n, new Date(0)] },
                  { id: '', data: null },
                ],
                { retryMs: 5, headers: { 'x-own': 'yes', 'content-type': 'text/plain' } },
              ),
          }),
        ],
      })
      const { status, headers, text } = await request('GET /events')
      expect([status, text]).toEqual([
        200,
        'retry: 5\n\ndata: {"n":1}\n\nid: 7\nevent: tick\ndata: one\ndata: two\ndata: three\ndata: \n\n' +
          'data: ["1","1970-01-01T00:00:00.000Z"]\n\nid: \ndata: null\n\nevent: end\ndata: null\n\n',
      ])
      expect(headers).toMatchObject({
        'content-type': 'text/event-stream',
        'cache-control': 'no-store',
        'x-accel-buffering': 'no',
        'x-content-type-options': 'nosniff',
        'x-own': 'yes',
      })
    })

    it('arrive at once, before the source has yielded, and each as it comes', async () => {
      const go = deferred()
      const { raw } = await start({
        ...app,
        endpoints: [
          route({
            http: 'GET /events',
            handler: () =>
              reply.events(
                (async function* () {
                  await go.promise
                  yield { data: 1 }
                })(),
              ),
          }),
        ],
      })
      const client = await openEvents(raw, '/events')
      await expect.poll(client.text).toBe('retry: 3000\n\n')
      go.resolve()
      await client.ended
      expect(client.events()).toEqual([
        { event: 'message', data: 1 },
        { event: 'end', data: null },
      ])
    })

    it('end with the error of a source that fails, and an id with a line break is one', async () => {
      const { request, logs } = await start({
        ...app,
        endpoints: [
          route({
            http: 'GET /fails',
            handler: () =>
              reply.events(
                (async function* () {
                  yield { data: 1 }
                  throw new ConflictError('It has changed')
                })(),
              ),
          }),
          route({ http: 'GET /breaks', handler: () => reply.events([{ id: 'a\nb', data: 1 }]) }),
        ],
      })
      const error = (code: string, msg: string) =>
        `event: error\ndata: {"error":{"code":"${code}","msg":"${msg}","details":null}}\n\n`
      expect((await request('GET /fails')).text).toBe(
        `retry: 3000\n\ndata: 1\n\n${error('conflict', 'It has changed')}`,
      )
      expect(logs.filter(({ level }) => level === 'error')).toEqual([])
      expect((await request('GET /breaks')).text).toMatch(
        /^retry: 3000\n\nevent: error\ndata: {"error":{"code":"internal_error"/,
      )
      expect(logs.find(({ level }) => level === 'error')?.fields.err).toMatchObject({
        message: 'The id of a server-sent event must not have NUL, CR or LF, which "a\\nb" has: replace them',
      })
    })

    it.each([null, undefined, 7])('end with the error of a value that is not an event: %s', async (value) => {
      const { request, logs } = await start({
        ...app,
        endpoints: [
          route({
            http: 'GET /events',
            handler: () =>
              reply.events(
                (function* () {
                  yield { data: 1 }
                  yield value as never
                })(),
              ),
          }),
        ],
      })
      expect((await request('GET /events')).text).toMatch(
        /^retry: 3000\n\ndata: 1\n\nevent: error\ndata: {"error":{"code":"internal_error"[^\n]*\n\n$/,
      )
      expect(logs.find(({ level }) => level === 'error')?.fields.err).toMatchObject({
        message: 'The data of a server-sent event must be a string or have a JSON form, not undefined',
      })
    })

    it('end their source when the client leaves, and abort the signal of the call', async () => {
      const ended = deferred<string>()
      const { raw, app: running } = await start({
        ...app,
        endpoints: [
          route({
            http: 'GET /events',
            handler: (_input, { signal }) =>
              reply.events(
                (async function* () {
                  try {
                    yield { data: 1 }
                    await new Promise((_resolve, reject) =>
                      signal.addEventListener('abort', () => reject(signal.reason)),
                    )
                  } finally {
                    ended.resolve(signal.aborted ? 'aborted' : 'not aborted')
                  }
                })(),
              ),
          }),
        ],
      })
      const client = await openEvents(raw, '/events')
      await expect.poll(client.events).toHaveLength(1)
      expect(running.hub.size).toBe(1)
      client.leave()
      expect(await ended.promise).toBe('aborted')
      await expect.poll(() => running.hub.size).toBe(0)
    })

    it('are not read on HEAD, which closes the source', async () => {
      const ended = deferred()
      const source = {
        [Symbol.asyncIterator]: () => ({
          next: () => Promise.reject(new Error('It is read')),
          return: async () => {
            ended.resolve()
            return { done: true as const, value: undefined }
          },
        }),
      }
      const { request } = await start({
        ...app,
        endpoints: [route({ http: 'GET /events', handler: () => reply.events(source) })],
        plugins: [plugin((host) => host.onConnect(() => Promise.reject(new Error('HEAD opens no connection'))))],
      })
      const head = await request('HEAD /events')
      expect([head.status, head.text, head.headers['content-type']]).toEqual([200, '', 'text/event-stream'])
      await ended.promise
    })

    it('are an internal error in a route that is on both wires', async () => {
      const { request, logs } = await start({
        pkgIds: { EVENTS: 1 },
        // @ts-expect-error server-sent events cannot be a package
        routes: { EVENTS: route({ http: 'GET /events', handler: () => reply.events([]) }) },
      })
      expect((await request('GET /events')).status).toBe(500)
      expect(logs.find(({ level }) => level === 'error')?.fields.err).toMatchObject({
        message: 'Route EVENTS returns server-sent events, which cannot be a package: move it to endpoints',
      })
    })
  })
})

const sold = event({ summary: 'Sold', data: v.object({ id: v.number() }) })

describe('server-sent events of a topic', () => {
  onTransports({ describe, afterEach }, ({ start }) => {
    const topics = defineTopics({
      'ticket:{id}': {
        history: { size: 3, ttl: '10m' },
        authorize: (_identity, topic) => topic !== 'ticket:secret',
      },
    })
    const tickets = {
      pkgIds: { SOLD: 1 },
      routes: {},
      events: { SOLD: sold },
      topics,
      endpoints: [
        route({
          http: 'GET /tickets/:id/events',
          input: v.object({ id: v.string() }),
          handler: ({ id }) => reply.events({ topic: `ticket:${id}` }),
        }),
      ],
    }

    it('are its publications, with the position as the id', async () => {
      const { raw, app } = await start(tickets)
      const one = await openEvents(raw, '/tickets/7/events')
      const other = await openEvents(raw, '/tickets/8/events')
      await expect.poll(() => [app.hub.topicSize('ticket:7'), app.hub.topicSize('ticket:8')]).toEqual([1, 1])
      await app.hub.publish('ticket:7', sold, { id: 1 })
      await app.hub.broadcast(sold, { id: 99 })
      await app.hub.publish('ticket:7', sold, { id: 2 })
      await expect.poll(one.events).toEqual([
        { id: expect.stringMatching(/^[^:]+:1$/), event: 'SOLD', data: { id: 1 } },
        { id: expect.stringMatching(/^[^:]+:2$/), event: 'SOLD', data: { id: 2 } },
      ])
      expect(other.events()).toEqual([])
    })

    it('go on after the Last-Event-ID, also of a client that got none, and tell a gap', async () => {
      const { raw, app } = await start(tickets)
      const first = await openEvents(raw, '/tickets/7/events')
      await expect.poll(first.text).toMatch(/^id: .*:0\n\n/m)
      const start0 = /^id: (.*)$/m.exec(first.text())?.[1] ?? ''
      first.leave()
      await expect.poll(() => app.hub.size).toBe(0)
      for (const id of [1, 2]) await app.hub.publish('ticket:7', sold, { id })
      const back = await openEvents(raw, '/tickets/7/events', { headers: { 'last-event-id': start0 } })
      await expect.poll(back.events).toMatchObject([{ data: { id: 1 } }, { data: { id: 2 } }])
      await app.hub.publish('ticket:7', sold, { id: 3 })
      await expect.poll(back.events).toHaveLength(3)
      const lastId = back.events()[2]?.id ?? ''
      for (const id of [4, 5, 6, 7]) await app.hub.publish('ticket:7', sold, { id })
      const [epoch] = lastId.split(':')
      for (const since of [lastId, `${epoch}x:3`, 'anything', `${epoch}:99`]) {
        const late = await openEvents(raw, '/tickets/7/events', { headers: { 'last-event-id': since } })
        await expect
          .poll(late.events)
          .toEqual([{ id: `${epoch}:7`, event: 'gap', data: { topic: 'ticket:7', epoch, offset: 7 } }])
      }
    })

    it('ask the rule of the topic, also on HEAD, before the first byte', async () => {
      const { request, app } = await start(tickets)
      for (const method of ['GET', 'HEAD']) expect((await request(`${method} /tickets/secret/events`)).status).toBe(403)
      const { status, headers } = await request('HEAD /tickets/7/events')
      expect([status, headers['content-type']]).toEqual([200, 'text/event-stream'])
      expect(app.hub.size).toBe(0)
    })
  })
})
