// Known traffic over real sockets against the values of a scrape.
import { once } from 'node:events'
import { connect as connectTcp } from 'node:net'
import {
  AuthenticationError,
  Disconnect,
  disconnects,
  event,
  guard,
  InternalError,
  PermissionDeniedError,
  type Plugin,
  RateLimitError,
  route,
} from '@twinwire/core'
import { createTestApp, UpgradeRefused } from '@twinwire/core/testing'
import { metrics } from '@twinwire/plugin-metrics'
import { readScrape, type Scrape } from '@twinwire/plugin-metrics/testing'
import * as v from 'valibot'
import { afterEach, expect, test } from 'vitest'
import { checkMetrics, hasPromtool } from '../support/promtool.ts'

const Item = v.object({ id: v.number(), name: v.optional(v.string()) })
const ticked = event({ data: v.object({ pad: v.string() }) })

const admins = () =>
  guard({
    name: 'admins',
    identity: 'required',
    run: ({ identity }) => {
      if (identity?.id !== 'admin') throw new PermissionDeniedError()
    },
  })

const never = (): Promise<never> => new Promise(() => {})

const routes = {
  GET_ITEM: route({
    http: 'GET /items/:id',
    access: 'public',
    input: v.object({ id: v.pipe(v.number(), v.minValue(1)) }),
    output: Item,
    handler: ({ id }) => ({ id }),
  }),
  CREATE_ITEM: route({
    http: { route: 'POST /items', status: 201, maxBodyBytes: 1024 },
    access: 'public',
    input: v.object({ name: v.string() }),
    handler: ({ name }) => ({ id: 1, name }),
  }),
  FAIL: route({
    http: 'GET /fail',
    access: 'public',
    handler: () => {
      throw new InternalError()
    },
  }),
  PRIVATE: route({ http: 'GET /private', access: 'authenticated', use: [admins()], handler: () => ({ secret: true }) }),
  SLOW: route({ http: 'GET /slow', access: 'public', handler: never }),
  LATE: route({ http: 'GET /late', access: 'public', deadlineMs: 1, handler: never }),
  FOLLOW: route({
    access: 'public',
    handler: async (_input, call) => {
      await call.connection?.join('ticks')
      return null
    },
  }),
} as const
const pkgIds = { GET_ITEM: 1, CREATE_ITEM: 2, FAIL: 3, PRIVATE: 4, SLOW: 5, LATE: 6, FOLLOW: 7, TICKED: 100 } as const

/** The token is the name; `bad` is invalid. */
const tokens: Plugin = {
  name: 'tokens',
  setup(host) {
    const identityOf = (token: unknown) => {
      if (typeof token !== 'string' || token === 'bad') throw new AuthenticationError()
      return { id: token, name: token }
    }
    host.identify(({ headers: { authorization } }) => (authorization === undefined ? null : identityOf(authorization)))
    host.controlFrame('auth', ({ token }) => ({ identity: identityOf(token), reply: { type: 'auth_ok' } }), {
      timeoutMs: 1500,
      fromUpgrade: ({ headers: { authorization } }) =>
        authorization === undefined ? null : { identity: identityOf(authorization), reply: { type: 'auth_ok' } },
    })
  },
}

const limits: Plugin = {
  name: 'limits',
  setup(host) {
    host.onRequest(({ headers }) => {
      if (headers['x-over-limit'] === 'yes') throw new RateLimitError({ retryAfterMs: 1000, limit: 1, remaining: 0 })
    })
    host.onConnect(({ headers }) => {
      if (headers['x-over-limit'] === 'later') throw new Disconnect(disconnects.tooManyConnections)
    })
  },
}

/** Scrapes use a separate port, so that they are not part of the traffic. */
async function startApp() {
  const app = await createTestApp(
    {
      pkgIds,
      routes,
      events: { TICKED: ticked },
      topics: { ticks: { authorize: () => true } },
      http: { hosts: ['127.0.0.1', 'localhost'] },
      websocket: {
        origins: ['https://app.example'],
        maxMessageBytes: 2048,
        maxMalformedFrames: 3,
        maxBackpressureBytes: 64 * 1024,
      },
      plugins: [tokens, limits, metrics({ access: { port: 0 }, version: '1.2.3' })],
    },
    { transport: 'uws', leftovers: 'allow' },
  )
  open.push(app)
  const url = String(app.logs.find(({ message }) => message === 'Serving metrics')?.fields.url)
  const scrape = async (): Promise<Scrape> => readScrape(await (await fetch(url)).text())
  return { ...app, url, scrape }
}

const open: { close(options?: { abandon: boolean }): Promise<void> }[] = []
afterEach(async () => {
  for (const app of open.splice(0)) await app.close({ abandon: true })
})

/** Every series of `name` that is not zero, by its ordered labels. */
function nonZero({ samples }: Scrape, name: string): Record<string, number> {
  return Object.fromEntries(
    samples
      .filter((sample) => sample.name === name && sample.value !== 0)
      .map(({ labels, value }) => [Object.values(labels).join(' '), value]),
  )
}

/** Scrapes until `isSo` is true: the server handles what a client has done a little later. */
async function settled(scrape: () => Promise<Scrape>, isSo: (page: Scrape) => boolean): Promise<Scrape> {
  for (;;) {
    const page = await scrape()
    if (isSo(page)) return page
  }
}

async function times<T>(count: number, work: () => Promise<T>): Promise<void> {
  for (let i = 0; i < count; i++) await work()
}

test('requests: each outcome of each route, once [defect 61]', async () => {
  const { request, scrape } = await startApp()
  const expectStatus = async (status: number, count: number, target: string, options: object = {}): Promise<void> => {
    await times(count, async () => expect((await request(target, options)).status).toBe(status))
  }
  const json = { 'content-type': 'application/json' }
  await expectStatus(200, 7, 'GET /items/12')
  await expectStatus(422, 3, 'GET /items/0')
  await expectStatus(201, 5, 'POST /items', { json: { name: 'a' } })
  await expectStatus(400, 2, 'POST /items', { headers: json, body: '{' })
  await expectStatus(413, 4, 'POST /items', { headers: json, body: `{"name":"${'x'.repeat(2000)}"}` })
  await expectStatus(415, 1, 'POST /items', { headers: { 'content-type': 'text/csv' }, body: 'a,b' })
  await expectStatus(500, 2, 'GET /fail')
  await expectStatus(401, 3, 'GET /private')
  await expectStatus(401, 1, 'GET /private', { headers: { authorization: 'bad' } })
  await expectStatus(403, 2, 'GET /private', { headers: { authorization: 'ann' } })
  await expectStatus(200, 1, 'GET /private', { headers: { authorization: 'admin' } })
  await expectStatus(504, 2, 'GET /late')
  await expectStatus(404, 6, 'GET /nowhere')
  await expectStatus(404, 2, 'PROPFIND /nowhere')
  await expectStatus(405, 2, 'PUT /items/12')
  await expectStatus(204, 1, 'OPTIONS /items')
  await expectStatus(426, 1, 'GET /ws')
  await expectStatus(429, 3, 'GET /items/12', { headers: { 'x-over-limit': 'yes' } })
  await expectStatus(400, 2, 'GET /items/12', { headers: { host: 'evil.example' } })
  for (let i = 1; i <= 4; i++) {
    const leave = new AbortController()
    const lost = request('GET /slow', { signal: leave.signal }).catch(() => 'cut')
    await settled(scrape, (page) => page.value('http_requests_in_progress', { endpoint: '/slow' }) === 1)
    leave.abort()
    expect(await lost).toBe('cut')
    await settled(scrape, (page) => page.value('http_requests_total', { status_code: '499' }) === i)
  }
  const page = await scrape()
  expect(nonZero(page, 'http_requests_total')).toEqual({
    'GET /items/:id 200': 7,
    'GET /items/:id 422': 3,
    'POST /items 201': 5,
    'POST /items 400': 2,
    'POST /items 413': 4,
    'POST /items 415': 1,
    'GET /fail 500': 2,
    'GET /private 401': 4,
    'GET /private 403': 2,
    'GET /private 200': 1,
    'GET /late 504': 2,
    'GET /slow 499': 4,
    'GET unmatched 404': 6,
    'GET unmatched 426': 1,
    'GET unmatched 429': 3,
    'GET unmatched 400': 2,
    'PUT unmatched 405': 2,
    'OPTIONS unmatched 204': 1,
    'unmatched unmatched 404': 2,
  })
  expect(nonZero(page, 'http_request_duration_seconds_count')).toEqual({
    'GET /items/:id': 10,
    'POST /items': 12,
    'GET /fail': 2,
    'GET /private': 7,
    'GET /late': 2,
    'GET /slow': 4,
    'GET unmatched': 12,
    'PUT unmatched': 2,
    'OPTIONS unmatched': 1,
    'unmatched unmatched': 2,
  })
  expect(nonZero(page, 'app_errors_total')).toEqual({
    'validation_error /items/:id': 3,
    'malformed_request /items': 2,
    'payload_too_large /items': 4,
    'unsupported_media_type /items': 1,
    'internal_error /fail': 2,
    'authentication_failed /private': 4,
    'permission_denied /private': 2,
    'deadline_exceeded /late': 2,
    'not_found unmatched': 8,
    'upgrade_required unmatched': 1,
    'rate_limit_exceeded unmatched': 3,
    'malformed_request unmatched': 2,
    'method_not_allowed unmatched': 2,
  })
  expect(nonZero(page, 'http_requests_in_progress')).toEqual({})
})

test('connections: each attempt and each close, once; messages and their bytes both ways', async () => {
  const { connect, scrape } = await startApp()
  const refused = (options: object): Promise<void> =>
    expect(connect(options)).rejects.toThrow(expect.any(UpgradeRefused))
  const admitted = async () => {
    const socket = await connect({ headers: { authorization: 'ann' } })
    await socket.next()
    return socket
  }
  await times(3, () => refused({ headers: { origin: 'https://evil.example' } }))
  await times(2, () => refused({ headers: { authorization: 'bad' } }))
  await times(2, () => refused({ headers: { 'x-over-limit': 'yes' } }))
  await times(1, () => refused({ path: '/ws?format=morse' }))
  await times(2, () => refused({ headers: { host: 'evil.example' } }))
  const full = await connect({ headers: { authorization: 'ann', 'x-over-limit': 'later' } })
  expect((await full.closed).code).toBe(1008)
  const silent = await connect()
  expect((await silent.closed).code).toBe(4002)
  await times(2, async () => {
    const socket = await connect()
    socket.send('{"type":"auth","token":"bad"}')
    expect((await socket.closed).code).toBe(4001)
  })
  const lost = await connect()
  lost.terminate()

  const caller = await admitted()
  let received = 0
  let sent = Buffer.byteLength('{"type":"auth_ok"}')
  const ask = async (frame: string): Promise<void> => {
    caller.send(frame)
    received += Buffer.byteLength(frame)
    sent += Buffer.byteLength(String((await caller.next()).data))
  }
  const id = '3f2a9c41-7be0-4d5c-8a16-000000000001'
  const call = (pkg_id: number, data: unknown): Promise<void> => ask(JSON.stringify({ pkg_id, req_id: id, data }))
  await times(9, () => call(1, { id: 4 }))
  await times(2, () => call(1, { id: 'ü' }))
  await times(3, () => call(3, {}))
  await times(2, () => call(4, {}))
  await times(1, () => call(6, {}))
  await times(4, () => call(99, {}))
  await times(2, () => ask('{'))
  await times(1, () => call(2, { name: 'x'.repeat(3000) }))
  const calls = await scrape()
  expect(nonZero(calls, 'ws_message_processing_duration_seconds_count')).toEqual({
    1: 11,
    3: 3,
    4: 2,
    6: 1,
    unmatched: 4,
  })
  expect(nonZero(calls, 'app_errors_total')).toEqual({
    'validation_error websocket': 2,
    'internal_error websocket': 3,
    'permission_denied websocket': 2,
    'deadline_exceeded websocket': 1,
    'not_found websocket': 4,
    'malformed_request websocket': 2,
    'payload_too_large websocket': 1,
  })
  expect(calls.value('ws_malformed_frames_total')).toBe(2)
  // Two bad first frames, and 24 of the caller.
  expect(calls.value('ws_messages_received_total')).toBe(26)
  expect(calls.value('ws_received_bytes_total')).toBe(received + 2 * Buffer.byteLength('{"type":"auth","token":"bad"}'))
  expect(calls.value('ws_messages_sent_total')).toBe(25)
  expect(calls.value('ws_sent_bytes_total')).toBe(sent)

  caller.close(1000)
  const [gone, cut, own, flood] = [await admitted(), await admitted(), await admitted(), await admitted()]
  gone.close()
  cut.terminate()
  own.close(4242)
  for (let i = 0; i < 3; i++) flood.send('{')
  expect((await flood.closed).code).toBe(1008)
  const page = await settled(scrape, (each) => each.value('ws_connections_active') === 0)
  expect(nonZero(page, 'ws_connections_total')).toEqual({
    accepted: 5,
    rejected_auth: 4,
    rejected_auth_timeout: 1,
    rejected_limit: 3,
    rejected_origin: 3,
    rejected_other: 4,
  })
  expect(nonZero(page, 'ws_closes_total')).toEqual({
    1000: 1,
    1005: 1,
    // The one that disconnected before it was admitted, and the one that was cut.
    1006: 2,
    1008: 2,
    4001: 2,
    4002: 1,
    unmatched: 1,
  })
})

test('a slow client: buffered bytes, one dropped send, one close', async () => {
  const { app, connect, scrape } = await startApp()
  const slow = await connect({ headers: { authorization: 'ann' } })
  await slow.next()
  slow.send(JSON.stringify({ pkg_id: 7, req_id: '3f2a9c41-7be0-4d5c-8a16-000000000001' }))
  await slow.next()
  slow.pause()
  const pad = 'x'.repeat(16 * 1024)
  let buffered = 0
  while (app.hub.size > 0) {
    void app.hub.publish('ticks', ticked, { pad })
    await new Promise((resolve) => setImmediate(resolve))
    if (buffered > 0 || app.hub.size === 0) continue
    buffered = (await scrape()).value('ws_buffered_bytes') ?? 0
  }
  expect(buffered).toBeGreaterThan(0)
  slow.resume()
  await slow.closed
  const page = await settled(scrape, (each) => each.value('ws_connections_active') === 0)
  expect(page.value('ws_dropped_sends_total')).toBe(1)
  expect(nonZero(page, 'ws_closes_total')).toEqual({ 1013: 1 })
  expect([page.value('ws_buffered_bytes'), page.value('ws_buffered_bytes_max')]).toEqual([0, 0])
})

test('100,000 unknown paths, methods and PkgIDs add no series [defect 61]', async () => {
  const { address, connect, scrape } = await startApp()
  const each = 50_000
  await pipeline(address.port, 1, (i) => `${['GET', 'BREW'][i % 2]} /scan-${i}`)
  const socket = await connect({ headers: { authorization: 'ann' } })
  await socket.next()
  const ask = (i: number): void =>
    socket.send(JSON.stringify({ pkg_id: 1000 + i, req_id: '3f2a9c41-7be0-4d5c-8a16-000000000001' }))
  ask(-1)
  await socket.next()
  await pipeline(address.port, 1, () => 'BREW /tea')
  const before = await scrape()
  await pipeline(address.port, each, (i) => `${i % 2 === 0 ? 'GET' : `M${i}`} /scan-${i}`)
  for (let done = 0; done < each; done += 1000) {
    for (let i = 0; i < 1000; i++) ask(done + i)
    for (let i = 0; i < 1000; i++) await socket.next(30_000)
  }
  const after = await scrape()
  // The types of open handles of a process change.
  const keys = ({ samples }: Scrape): readonly string[] =>
    samples
      .filter(({ name }) => !name.startsWith('nodejs_active_'))
      .map(({ name, labels }) => JSON.stringify([name, labels]))
      .sort()
  expect(keys(after)).toEqual(keys(before))
  expect(after.value('http_requests_total', { endpoint: 'unmatched' })).toBe(each + 2)
  expect(after.value('ws_message_processing_duration_seconds_count', { pkg_id: 'unmatched' })).toBe(each + 1)
}, 180_000)

/** Sends requests over one connection, a hundred at a time, and waits for all responses. */
async function pipeline(port: number, count: number, target: (i: number) => string): Promise<void> {
  const socket = connectTcp(port, '127.0.0.1')
  await once(socket, 'connect')
  let answered = 0
  let tail = ''
  let enough = (): void => {}
  socket.on('data', (chunk) => {
    const text = tail + chunk.toString('latin1')
    answered += text.split('HTTP/1.1 404').length - 1
    // May be the beginning of the next status line.
    tail = text.slice(-('HTTP/1.1 404'.length - 1))
    enough()
  })
  for (let sent = 0; sent < count; ) {
    const batch = Math.min(100, count - sent)
    const lines = Array.from({ length: batch }, (_, i) => `${target(sent + i)} HTTP/1.1\r\nhost: localhost\r\n\r\n`)
    sent += batch
    const all = new Promise<void>((resolve) => {
      enough = () => {
        if (answered === sent) resolve()
      }
    })
    socket.write(lines.join(''))
    await all
  }
  socket.destroy()
}

test.skipIf(!hasPromtool())('promtool finds nothing in a scrape under load but the names of prom-client', async () => {
  const { request, connect, url } = await startApp()
  let stop = false
  const load = async (): Promise<void> => {
    while (!stop) await Promise.all([request('GET /items/1'), request('GET /fail'), request('GET /nowhere')])
  }
  const running = load()
  const socket = await connect({ headers: { authorization: 'ann' } })
  await socket.next()
  const text = await (await fetch(url)).text()
  stop = true
  await running
  const own = text.replaceAll(/^.*\bnodejs_active_(?:handles|requests|resources)_total\b.*\n/gm, '')
  expect(checkMetrics(own)).toEqual({ code: 0, output: '' })
  expect(checkMetrics(text).code).toBe(3)
  expect(checkMetrics('a{b="c} 1\n').code).toBe(1)
})
