import * as v from 'valibot'
import { afterEach, describe, expect, it } from 'vitest'
import { HistogramCell } from '../base/cells.ts'
import { brokerOf } from '../hub/broker.fixtures.ts'
import { memoryBroker } from '../hub/memory-broker.ts'
import { type App, Disconnect, disconnects, event, RateLimitError, route } from '../index.ts'
import { auth, deferred, nextJson, packet, plugin, testAuth, until } from '../testing/suite.fixtures.ts'
import { createVirtualClock, onTransports } from '../testing.ts'

/** Every series of one instrument that is not zero. */
function read(app: Pick<App, 'instruments'>, name: string): Record<string, number> {
  const family = app.instruments.families().find((each) => each.name === name)
  return Object.fromEntries(
    (family?.cells ?? [])
      .map(({ labels, cell }) => [
        Object.values(labels).join(' '),
        cell instanceof HistogramCell ? cell.count : cell.value,
      ])
      .filter(([, value]) => value !== 0),
  )
}

const echo = route({
  http: 'POST /echo',
  access: 'public',
  input: v.object({ text: v.string() }),
  handler: ({ text }) => ({ text }),
})
const strict = event({ data: v.object({ at: v.pipe(v.string(), v.minLength(3)) }) })

describe('what core counts', () => {
  onTransports({ describe, afterEach }, ({ start }) => {
    it('each attempt to connect is counted once, however it ends', async () => {
      const clock = createVirtualClock()
      const limit = plugin((host) => {
        host.onRequest(({ wire, query }) => {
          if (wire === 'ws' && query.full === '1') throw new RateLimitError({ retryAfterMs: 1, limit: 1, remaining: 0 })
        })
        host.onConnect(({ query }) => {
          if (query.many === '1') throw new Disconnect(disconnects.tooManyConnections)
          if (query.over === 'token') throw new Disconnect(disconnects.tokenExpired)
          if (query.over === 'session') throw new Disconnect(disconnects.sessionRevoked)
        })
      }, 'limit')
      const { app, connect, client } = await start({
        clock,
        pkgIds: { ECHO: 1 },
        routes: { ECHO: echo },
        websocket: { origins: ['https://app.example'] },
        plugins: [testAuth({ fromUpgrade: () => null }), limit],
      })
      await client({ handshake: { type: 'auth', token: 'ann' } })
      const refused = (path: `/ws${string}`, headers = {}) => expect(connect({ path, headers })).rejects.toThrow()
      await refused('/ws', { origin: 'https://evil.example' })
      await refused('/ws?full=1')
      await refused('/ws?format=morse')
      const bad = await connect()
      bad.send(auth('bad'))
      await bad.closed
      const many = await connect({ path: '/ws?many=1' })
      many.send(auth('ann'))
      await many.closed
      for (const over of ['token', 'session'] as const) {
        const late = await connect({ path: `/ws?over=${over}` })
        late.send(auth('ann'))
        await late.closed
      }
      const left = await connect()
      left.terminate()
      await until(() => (read(app, 'ws_connections_total').rejected_other ?? 0) === 2)
      const silent = await connect()
      await clock.advance(5000)
      expect((await silent.closed).code).toBe(4002)
      expect(read(app, 'ws_connections_total')).toEqual({
        accepted: 1,
        rejected_auth: 3,
        rejected_auth_timeout: 1,
        rejected_limit: 2,
        rejected_origin: 1,
        rejected_other: 2,
      })
      expect(read(app, 'ws_connections_active')).toEqual({ '': 1 })
    })

    it('each close is counted once, by the code that ended the socket', async () => {
      const ends = plugin((host) => {
        host.onConnect(({ query }) => {
          if (query.fault === '1') throw new Error('a server error')
          const row = Object.values(disconnects).find(({ code }) => String(code) === query.code)
          if (row !== undefined) throw new Disconnect(row)
        })
      })
      const { app, connect } = await start({ pkgIds: { ECHO: 1 }, routes: { ECHO: echo }, plugins: [ends] })
      const own = [...new Set(Object.values(disconnects).map(({ code }) => code))]
      for (const code of own) expect((await (await connect({ path: `/ws?code=${code}` })).closed).code).toBe(code)
      expect((await (await connect({ path: '/ws?fault=1' })).closed).code).toBe(1011)
      const [left, cut, foreign] = [await connect(), await connect(), await connect()]
      left.close(1001)
      cut.terminate()
      foreign.close(4321)
      await until(() => read(app, 'ws_connections_active')[''] === undefined)
      const stays = await connect()
      await until(() => app.hub.size === 1)
      const closing = app.close()
      expect((await stays.closed).code).toBe(1012)
      await closing
      expect(read(app, 'ws_closes_total')).toEqual({
        ...Object.fromEntries(own.map((code) => [code, 1])),
        1001: 1,
        1006: 1,
        1011: 2,
        1012: 2,
        unmatched: 1,
      })
    })

    it('what is under way is seen while it is, on both wires', async () => {
      const go = deferred()
      const slow = route({
        http: 'GET /slow/:id',
        access: 'public',
        input: v.object({ id: v.optional(v.string()) }),
        handler: () => go.promise,
      })
      const { app, request, connect } = await start({ pkgIds: { SLOW: 1 }, routes: { SLOW: slow } })
      const socket = await connect()
      const requests = [request('GET /slow/1'), request('GET /slow/2')]
      socket.send(packet(1))
      await until(() => (read(app, 'http_requests_in_progress')['GET /slow/:id'] ?? 0) === 2)
      await until(() => read(app, 'ws_messages_in_progress')[''] === 1)
      go.resolve()
      await Promise.all(requests)
      await nextJson(socket)
      expect(read(app, 'http_requests_in_progress')).toEqual({})
      expect(read(app, 'ws_messages_in_progress')).toEqual({})
      expect(read(app, 'http_requests_total')).toEqual({ 'GET /slow/:id 204': 2 })
    })

    it('messages are counted both ways, and their bytes as they go over the wire', async () => {
      const { app, connect } = await start({ pkgIds: { ECHO: 1 }, routes: { ECHO: echo } })
      const socket = await connect()
      const sent = packet(1, { text: 'Zoë 🚲' })
      socket.send(sent)
      const { data } = await socket.next()
      expect(read(app, 'ws_messages_received_total')).toEqual({ '': 1 })
      expect(read(app, 'ws_messages_sent_total')).toEqual({ '': 1 })
      expect(read(app, 'ws_received_bytes_total')).toEqual({ '': Buffer.byteLength(sent) })
      expect(read(app, 'ws_sent_bytes_total')).toEqual({ '': Buffer.byteLength(String(data)) })
    })

    it('frames that become no call are errors of the wire', async () => {
      const { app, connect } = await start({
        pkgIds: { ECHO: 1 },
        routes: { ECHO: echo },
        websocket: { maxMessageBytes: 1024 },
      })
      const socket = await connect()
      for (const frame of ['{', packet(1, { text: 'x'.repeat(2000) }), packet(9), packet(1, { text: 1 })]) {
        socket.send(frame)
        await socket.next()
      }
      expect(read(app, 'app_errors_total')).toEqual({
        'malformed_request websocket': 1,
        'payload_too_large websocket': 1,
        'not_found websocket': 1,
        'validation_error websocket': 1,
      })
      expect(read(app, 'ws_malformed_frames_total')).toEqual({ '': 1 })
      expect(read(app, 'ws_message_processing_duration_seconds')).toEqual({ unmatched: 1, 1: 1 })
    })

    it('a request whose client leaves while a hook holds it is a 499, also where no route is', async () => {
      const go = deferred()
      let held = 0
      const gate = plugin((host) =>
        host.onRequest(async ({ path }) => {
          held++
          if (path === '/nowhere') await go.promise
        }),
      )
      const { app, request } = await start({ pkgIds: { ECHO: 1 }, routes: { ECHO: echo }, plugins: [gate] })
      const leave = new AbortController()
      const lost = request('GET /nowhere', { signal: leave.signal }).catch(() => 'cut')
      await until(() => held === 1)
      leave.abort()
      expect(await lost).toBe('cut')
      // By then the server has heard of it: it answers in the order in which things happened.
      expect((await request('GET /elsewhere')).status).toBe(404)
      go.resolve()
      await until(() => Object.keys(read(app, 'http_requests_total')).length > 1)
      expect(read(app, 'http_requests_total')).toEqual({ 'GET unmatched 404': 1, 'GET unmatched 499': 1 })
      expect(read(app, 'app_errors_total')).toEqual({ 'not_found unmatched': 1 })
    })

    it('an event that cannot be made or carried is an error, once', async () => {
      let fails = false
      const { app } = await start({
        pkgIds: { ECHO: 1, STRICT: 100 },
        routes: { ECHO: echo },
        events: { STRICT: strict },
        broker: brokerOf({
          publish: () => {
            if (fails) throw new Error('no broker')
            return null
          },
        }),
      })
      void app.hub.broadcast(strict, { at: 'now' })
      expect(read(app, 'ws_broadcast_errors_total')).toEqual({})
      expect(() => app.hub.broadcast(strict, { at: '' })).toThrow()
      fails = true
      expect(() => app.hub.broadcast(strict, { at: 'now' })).toThrow('no broker')
      expect(read(app, 'ws_broadcast_errors_total')).toEqual({ '': 2 })
    })

    it('an event that fails on its way to the sockets is an error, once', async () => {
      const { app, connect } = await start({
        broker: memoryBroker(),
        pkgIds: { ECHO: 1, STRICT: 100 },
        routes: { ECHO: echo },
        events: { STRICT: strict },
        codecs: [
          {
            name: 'broken',
            binary: false,
            decode: () => {
              throw new Error('not asked for')
            },
            encodeReply: () => '',
            encodeEvent: () => {
              throw new Error('no form')
            },
          },
        ],
      })
      await connect()
      await until(() => app.hub.size === 1)
      expect(() => app.hub.broadcast(strict, { at: 'now' })).toThrow('no form')
      expect(read(app, 'ws_broadcast_errors_total')).toEqual({ '': 1 })
    })
  })
})
