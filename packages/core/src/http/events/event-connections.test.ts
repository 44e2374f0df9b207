import * as v from 'valibot'
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import type { Instruments } from '../../base/instruments.ts'
import type { CallOutcome } from '../../call/call-outcome.ts'
import {
  type Connection,
  Disconnect,
  defineTopics,
  disconnects,
  event,
  RateLimitError,
  reply,
  route,
} from '../../index.ts'
import type { DisconnectOutcome } from '../../plugin.ts'
import { openEvents } from '../../testing/event-reader.fixtures.ts'
import { deferred, plugin, until } from '../../testing/suite.fixtures.ts'
import { createVirtualClock, fakeIdentity, onTransports } from '../../testing.ts'
import { EventCodec } from './event-codec.ts'

const tick = event({ data: v.object({ n: v.number(), pad: v.string() }) })
const topics = defineTopics({ ticks: { authorize: () => true } })
/** A source that yields nothing and ends with its call. */
async function* quiet(signal: AbortSignal): AsyncGenerator<{ data: number }> {
  yield { data: 1 }
  await new Promise((resolve) => signal.addEventListener('abort', resolve))
}
const endpoints = [
  route({ http: 'GET /ticks', handler: () => reply.events({ topic: 'ticks' }) }),
  route({ http: 'GET /quiet', handler: (_input, { signal }) => reply.events(quiet(signal)) }),
]
const given = { pkgIds: { TICK: 1 }, routes: {}, events: { TICK: tick }, topics, endpoints } as const

function watch(connections: Connection[], ends: DisconnectOutcome[], outcomes: CallOutcome[] = []) {
  return plugin((host) => {
    host.onConnect((connection) => void connections.push(connection))
    host.onDisconnect((_connection, outcome) => void ends.push(outcome))
    host.onReply((_call, outcome) => void outcomes.push(outcome))
  })
}

/** Values by their only label. */
function metric({ instruments }: { readonly instruments: Instruments }, name: string): Record<string, number> {
  const cells = instruments.families().find((family) => family.name === name)?.cells ?? []
  return Object.fromEntries(
    cells.map(({ labels, cell }) => [Object.values(labels)[0] ?? '', 'value' in cell ? cell.value : 0]),
  )
}

describe('a reader of server-sent events is a connection', () => {
  onTransports({ describe, afterEach }, ({ start }) => {
    it('for hooks of plugins, for the hub and for metrics', async () => {
      const connections: Connection[] = []
      const ends: DisconnectOutcome[] = []
      const outcomes: CallOutcome[] = []
      const { raw, app } = await start({ ...given, plugins: [fakeIdentity(), watch(connections, ends, outcomes)] })
      const headers = { authorization: 'Bearer ann', 'x-a': '1' }
      const client = await openEvents(raw, '/ticks?b=2', { headers })
      await expect.poll(() => app.hub.topicSize('ticks')).toBe(1)
      expect(outcomes).toMatchObject([{ httpStatus: 200, error: null, aborted: false }])
      const [connection] = connections
      expect(app.hub.ofIdentity('ann')).toEqual([connection])
      expect(app.hub.get(connection?.id ?? '')).toBe(connection)
      expect(connection).toMatchObject({
        wire: 'http',
        address: '127.0.0.1',
        identity: { id: 'ann' },
        query: { b: '2' },
        topics: ['ticks'],
        admitted: true,
        maxMessageBytes: 0,
        inFlight: 0,
      })
      expect(connection?.headers['x-a']).toBe('1')
      await expect(connection?.join('other')).rejects.toThrow('can join no other')
      connection?.sendControl({ type: 'hello', name: 'Ann' })
      await expect.poll(client.events).toEqual([{ event: 'hello', data: { name: 'Ann' } }])
      expect([metric(app, 'sse_connections_active'), metric(app, 'sse_connections_total').accepted]).toEqual([
        { '': 1 },
        1,
      ])
      client.leave()
      await until(() => ends.length > 0)
      expect(ends).toEqual([{ code: 1006, reason: 'The client has disconnected', admitted: true }])
      expect([app.hub.size, app.hub.topicSize('ticks'), metric(app, 'sse_connections_active')]).toEqual([
        0,
        0,
        { '': 0 },
      ])
      expect(metric(app, 'sse_closes_total')['1006']).toBe(1)
    })

    it.each([
      [new Disconnect(disconnects.tooManyConnections), 429],
      [new Disconnect(disconnects.unauthorized), 401],
      [new Disconnect(disconnects.internalError), 500],
      [new Disconnect({ code: 4100, reason: 'Closed account' }), 403],
      [new RateLimitError({ retryAfterMs: 1500, limit: 1, remaining: 0 }), 429],
    ])('that a hook refuses by an ordinary response: %s is %i', async (error, status) => {
      const ends: DisconnectOutcome[] = []
      const { request, app } = await start({
        ...given,
        plugins: [watch([], ends), plugin((host) => host.onConnect(() => Promise.reject(error)), 'refuses')],
      })
      for (const path of ['/ticks', '/quiet']) {
        const answer = await request(`GET ${path}`)
        expect([answer.status, answer.headers['content-type']]).toEqual([status, 'application/json'])
        if (error instanceof RateLimitError) expect(answer.headers['retry-after']).toBe('2')
      }
      expect(ends.map(({ admitted }) => admitted)).toEqual([false, false])
      expect(app.hub.size).toBe(0)
    })

    it('that hub.disconnect and a hub.refresh end', async () => {
      const ends: DisconnectOutcome[] = []
      let isAllowed = true
      const { raw, app } = await start({
        ...given,
        topics: { ticks: { authorize: () => isAllowed } },
        plugins: [fakeIdentity(), watch([], ends)],
      })
      const open = (name: string, path = '/ticks') =>
        openEvents(raw, path, { headers: { authorization: `Bearer ${name}` } })
      const [ann, quietAnn, bob] = [await open('ann'), await open('ann', '/quiet'), await open('bob')]
      await expect.poll(() => app.hub.size).toBe(3)
      await app.hub.disconnect({ identity: 'ann' }, { code: 4100, reason: 'Account closed' })
      for (const client of [ann, quietAnn]) {
        await client.ended
        expect(client.events().at(-1)).toEqual({ event: 'close', data: { code: 4100, reason: 'Account closed' } })
      }
      isAllowed = false
      await app.hub.refresh('bob')
      await bob.ended
      expect(bob.events()).toEqual([{ event: 'close', data: { code: 1008, reason: 'The topic was left' } }])
      expect(ends).toHaveLength(3)
    })

    it('whose deadline covers what is before the first byte', async () => {
      const clock = createVirtualClock()
      const asked = deferred()
      const { request, raw, app } = await start({
        ...given,
        clock,
        deadlineMs: 1000,
        topics: {
          ticks: {
            authorize: (_identity) => {
              asked.resolve()
              return new Promise<boolean>(() => {})
            },
          },
        },
      })
      const answer = request('GET /ticks')
      await asked.promise
      await clock.advance(1000)
      expect((await answer).status).toBe(504)
      expect(app.hub.size).toBe(0)
      const client = await openEvents(raw, '/quiet')
      await clock.advance(60_000)
      expect(app.hub.size).toBe(1)
      client.leave()
      await expect.poll(() => app.hub.size).toBe(0)
    })

    it('gets a comment when it was sent nothing for heartbeatMs, and not otherwise', async () => {
      const clock = createVirtualClock()
      const { raw, app } = await start({ ...given, clock })
      const client = await openEvents(raw, '/ticks')
      await expect.poll(client.text).toMatch(/id: /)
      const before = client.text().length
      await clock.advance(15_000)
      await expect.poll(() => client.text().slice(before)).toBe(':\n\n')
      for (let n = 0; n < 10; n++) {
        void app.hub.publish('ticks', tick, { n, pad: '' })
        await clock.advance(7000)
      }
      await expect.poll(client.events).toHaveLength(10)
      expect(client.text().slice(before).match(/^:$/gm)).toHaveLength(1)
    })

    it('that the end of the app tells when to come back, within the window of WebSockets', async () => {
      const ends: DisconnectOutcome[] = []
      const { raw, app } = await start({
        ...given,
        websocket: { reconnectWindowMs: 5000 },
        plugins: [watch([], ends)],
      })
      const clients = await Promise.all(
        Array.from({ length: 40 }, (_, i) => openEvents(raw, i % 2 ? '/ticks' : '/quiet')),
      )
      await expect.poll(() => app.hub.size).toBe(40)
      await app.close()
      for (const client of clients) {
        await client.ended
        expect(client.events().at(-1)).toEqual({ event: 'close', data: { code: 1012, reason: 'Service restart' } })
      }
      const waits = clients.map(({ retryMs }) => retryMs())
      expect(Math.max(...waits)).toBeLessThanOrEqual(5000)
      expect(new Set(waits).size).toBeGreaterThan(20)
      expect(ends).toHaveLength(40)
    })

    it('is cut at the first event over the limit when it does not read, and never has a gap', async () => {
      const ends: DisconnectOutcome[] = []
      const { raw, app } = await start({
        ...given,
        websocket: { maxBackpressureBytes: 64 * 1024 },
        plugins: [watch([], ends)],
      })
      const { body } = await raw.stream({ method: 'GET', path: '/ticks' })
      await expect.poll(() => app.hub.topicSize('ticks')).toBe(1)
      const pad = 'x'.repeat(16 * 1024)
      let sent = 0
      while (ends.length === 0 && sent < 20_000) {
        void app.hub.publish('ticks', tick, { n: sent++, pad })
        if (sent % 50 === 0) await new Promise((resolve) => setImmediate(resolve))
      }
      expect(ends).toEqual([{ code: 1013, reason: 'Too slow', admitted: true }])
      expect([app.hub.size, app.hub.topicSize('ticks')]).toEqual([0, 0])
      let text = ''
      for await (const chunk of body) text += Buffer.from(chunk).toString()
      const numbers = [...text.matchAll(/"n":(\d+)/g)].map(([, n]) => Number(n))
      expect(numbers).toEqual(numbers.map((_n, i) => i))
      expect(numbers.length).toBeLessThan(sent)
      expect(text).toMatch(/event: close\ndata: {"code":1013,"reason":"Too slow"}\n\n$/)
      expect(metric(app, 'sse_dropped_sends_total')).toEqual({ '': 1 })
    })
  })
})

describe('a reader that takes nothing', () => {
  onTransports({ describe, afterEach }, ({ start }) => {
    it('is cut after 30 s, though its source waits for it', async () => {
      const clock = createVirtualClock()
      const ends: DisconnectOutcome[] = []
      const ended = deferred()
      const pad = 'x'.repeat(16 * 1024)
      function* endless() {
        try {
          for (;;) yield { data: pad }
        } finally {
          ended.resolve()
        }
      }
      const { raw, app } = await start({
        clock,
        pkgIds: {},
        routes: {},
        endpoints: [route({ http: 'GET /endless', handler: () => reply.events(endless()) })],
        plugins: [watch([], ends)],
      })
      const { body } = await raw.stream({ method: 'GET', path: '/endless' })
      // The system takes some megabytes before anything waits.
      await expect.poll(() => metric(app, 'sse_buffered_bytes')[''], { timeout: 15_000 }).toBeGreaterThan(0)
      await clock.advance(30_000)
      expect(ends).toEqual([])
      await clock.advance(15_000)
      expect(ends).toEqual([{ code: 1013, reason: 'Too slow', admitted: true }])
      await ended.promise
      await expect(
        (async () => {
          for await (const _chunk of body);
        })(),
      ).rejects.toThrow()
    })
  })
})

describe('the publications of a topic', () => {
  onTransports({ describe, afterEach }, ({ start }) => {
    it('are encoded once for all readers of it', async () => {
      const { raw, app } = await start(given)
      const clients = await Promise.all(Array.from({ length: 8 }, () => openEvents(raw, '/ticks')))
      await expect.poll(() => app.hub.topicSize('ticks')).toBe(8)
      const encode = vi.spyOn(EventCodec.prototype, 'encodeEvent')
      onTestFinished(() => encode.mockRestore())
      await app.hub.publish('ticks', tick, { n: 1, pad: '' })
      for (const { events } of clients) await expect.poll(events).toHaveLength(1)
      expect(encode).toHaveBeenCalledTimes(1)
    })

    it('are the newest of each key for a slow reader, where the topic says so', async () => {
      const price = event({
        data: v.object({ key: v.string(), n: v.number(), pad: v.string() }),
        key: ({ key }) => key,
      })
      const { raw, app } = await start({
        ...given,
        events: { TICK: price },
        topics: { ticks: { history: false, slow: 'latest', authorize: () => true } },
        websocket: { maxBackpressureBytes: 256 * 1024 },
      })
      const { body } = await raw.stream({ method: 'GET', path: '/ticks' })
      await expect.poll(() => app.hub.topicSize('ticks')).toBe(1)
      const pad = 'x'.repeat(16 * 1024)
      const total = 2000
      for (let n = 1; n <= total; n++) {
        void app.hub.publish('ticks', price, { key: n % 2 === 0 ? 'a' : 'b', n, pad })
        if (n % 50 === 0) await new Promise((resolve) => setImmediate(resolve))
      }
      expect(app.hub.size).toBe(1)
      let text = ''
      const numbers = () => [...text.matchAll(/"n":(\d+)/g)].map(([, n]) => Number(n))
      for await (const chunk of body) {
        text += Buffer.from(chunk).toString().replaceAll('x', '')
        if (numbers().includes(total) && numbers().includes(total - 1)) break
      }
      expect(numbers().length).toBeLessThan(total)
      expect(numbers()).toEqual([...numbers()].sort((a, b) => a - b))
    })
  })
})

describe('a reader on its way to its topic', () => {
  onTransports({ describe, afterEach }, ({ start }) => {
    async function startAsking() {
      const asked = deferred()
      const answer = deferred<boolean>()
      const ends: DisconnectOutcome[] = []
      const app = await start({
        ...given,
        topics: {
          ticks: {
            authorize: () => {
              asked.resolve()
              return answer.promise
            },
          },
        },
        plugins: [fakeIdentity(), watch([], ends)],
      })
      const abort = new AbortController()
      const headers = { authorization: 'Bearer ann' }
      const opening = app.raw
        .request({ method: 'GET', path: '/ticks', headers, signal: abort.signal })
        .catch(() => null)
      await asked.promise
      return { ...app, answer, ends, abort, opening }
    }

    it('is answered with the reason when it is disconnected', async () => {
      const { app, opening, ends, answer } = await startAsking()
      await app.hub.disconnect({ identity: 'ann' }, { code: 4004, reason: 'Session revoked' })
      expect((await opening)?.status).toBe(401)
      answer.resolve(true)
      await until(() => app.hub.size === 0)
      expect(ends).toEqual([{ code: 4004, reason: 'Session revoked', admitted: true }])
    })

    it('leaves nothing behind when it disconnects', async () => {
      const { app, opening, ends, abort, answer } = await startAsking()
      abort.abort(new Error('left'))
      await opening
      await until(() => ends.length > 0)
      answer.resolve(true)
      await expect.poll(() => [app.hub.size, app.hub.topicSize('ticks')]).toEqual([0, 0])
      expect(ends).toEqual([{ code: 1006, reason: 'The client has disconnected', admitted: true }])
    })

    it.each([
      ['sync', 'onConnect'],
      ['sync', 'authorize'],
      ['async', 'onConnect'],
      ['async', 'authorize'],
    ])('is counted once when its client leaves: a handler that is %s, in %s', async (kind, place) => {
      const waits = deferred()
      const goOn = deferred()
      const wait = (where: string) => {
        if (where !== place) return undefined
        waits.resolve()
        return goOn.promise
      }
      const ends: DisconnectOutcome[] = []
      const outcomes: CallOutcome[] = []
      const signals: AbortSignal[] = []
      const answer = () => reply.events({ topic: 'ticks' })
      const { raw, app } = await start({
        ...given,
        topics: { ticks: { authorize: async () => (await wait('authorize')) === undefined } },
        endpoints: [
          route({
            http: 'GET /ticks',
            handler: (_input, { signal }) => {
              signals.push(signal)
              return kind === 'sync' ? answer() : Promise.resolve().then(answer)
            },
          }),
        ],
        plugins: [watch([], ends, outcomes), plugin((host) => host.onConnect(() => wait('onConnect')), 'waits')],
      })
      const abort = new AbortController()
      const opening = raw.request({ method: 'GET', path: '/ticks', signal: abort.signal }).catch(() => null)
      await waits.promise
      abort.abort(new Error('left'))
      await opening
      await until(() => ends.length > 0 && outcomes.length > 0)
      goOn.resolve()
      await expect.poll(() => [app.hub.size, app.hub.topicSize('ticks')]).toEqual([0, 0])
      expect(outcomes).toMatchObject([{ httpStatus: 499, aborted: true, error: null }])
      expect(ends).toMatchObject([{ code: 1006, admitted: place === 'authorize' }])
      expect(signals[0]?.aborted).toBe(true)
      const counted = { accepted: 0, rejected_auth: 0, rejected_limit: 0, rejected_other: 1 }
      expect(metric(app, 'sse_connections_total')).toEqual(counted)
    })

    it('is refused after 10 s of a hook that does not end', async () => {
      const clock = createVirtualClock()
      const called = deferred()
      const { raw, app } = await start({
        ...given,
        clock,
        deadlineMs: 0,
        plugins: [
          plugin((host) =>
            host.onConnect(() => {
              called.resolve()
              return new Promise<void>(() => {})
            }),
          ),
        ],
      })
      const opening = raw.request({ method: 'GET', path: '/ticks' })
      await called.promise
      await clock.advance(10_000)
      expect((await opening).status).toBe(504)
      expect(app.hub.size).toBe(0)
    })
  })
})
