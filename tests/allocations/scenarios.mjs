import { createApp, event, route } from '@twinwire/core'
import { systemClock } from '@twinwire/core/plugin'
import { auth, requireRoles } from '@twinwire/plugin-auth'
import { createTestIssuer } from '@twinwire/plugin-auth/testing'
import { metrics } from '@twinwire/plugin-metrics'
import { rateLimit } from '@twinwire/plugin-ratelimit'
import * as v from 'valibot'
import { createFakeTransport, FakeExchange } from './fake-transport.mjs'

const Input = v.object({
  name: v.pipe(v.string(), v.minLength(1), v.maxLength(100)),
  page: v.pipe(v.number(), v.integer(), v.minValue(1)),
})
const Output = v.object({ id: v.number(), name: v.string() })
const noted = event({ data: Output })
const common = {
  environment: 'production',
  http: { hosts: ['localhost'] },
  log: 'error',
}

const getAuthor = {
  access: 'public',
  summary: 'An author',
  http: 'GET /authors/:id',
  input: v.object({ id: v.pipe(v.number(), v.integer(), v.minValue(1)) }),
  output: Output,
  handler: ({ id }) => ({ id, name: 'Ursula K. Le Guin' }),
}
const createAuthor = {
  access: 'public',
  summary: 'An author',
  http: 'POST /authors',
  input: Input,
  output: Output,
  handler: ({ name, page }) => ({ id: page, name }),
}

const text = JSON.stringify({
  pkg_id: 1,
  req_id: '3f2a9c41-7be0-4d5c-8a16-00000a000003',
  method: '',
  data: { name: 'Ursula K. Le Guin', page: 7 },
})
const reply =
  '{"pkg_id":1,"req_id":"3f2a9c41-7be0-4d5c-8a16-00000a000003","status_code":0,"meta":null,"data":{"id":7,"name":"Ursula K. Le Guin"}}'

// A copy: the buffer of an encoder may be longer than what it has written.
const toFrame = (data) => new TextEncoder().encode(data).slice().buffer

/** Its readings do not depend on the machine: how long a call takes could change what it allocates. */
const startedMs = Date.now()
let readings = 0
const clock = {
  ...systemClock,
  now: () => startedMs,
  monotonic: () => ++readings / 4,
}

async function start(options) {
  const network = createFakeTransport()
  const app = createApp({
    ...common,
    ...(options.plugins === undefined && { defaultAccess: 'public' }),
    pkgIds: {},
    routes: {},
    ...options,
    transport: network.transport,
    clock,
  })
  await app.listen({ port: 1 })
  return { app, network }
}

/** @param create makes the connection */
async function socketCall({ network }, headers) {
  const { socket, listener } = await network.connect(headers)
  const bytes = toFrame(text)
  return {
    run: () => listener.message(bytes, false),
    check: () => expectSame(socket.last, reply),
    count: () => socket.sent,
  }
}

function httpCall({ network }, exchange, answer) {
  return {
    run: () => network.request(exchange),
    check: () => expectSame(`${exchange.status} ${exchange.answer}`, answer),
    count: () => exchange.answered,
  }
}

function expectSame(found, wanted) {
  if (found !== wanted) throw new Error(`Wrong answer: ${found}`)
}

/** What is counted: each resolves with one call, how to check its answer, and how many answers there were. */
export const scenarios = {
  'WebSocket call': async () => {
    const app = await start({ pkgIds: { CREATE_AUTHOR: 1 }, routes: { CREATE_AUTHOR: route(createAuthor) } })
    return socketCall(app)
  },

  'WebSocket call, everything on': async () => {
    const issuer = await createTestIssuer({ clientId: 'count', lifetimeMs: 3_600_000 })
    const app = await start({
      pkgIds: { CREATE_AUTHOR: 1 },
      routes: {
        CREATE_AUTHOR: route({
          ...createAuthor,
          access: 'authenticated',
          use: [requireRoles('author')],
          deadlineMs: 5000,
        }),
      },
      plugins: [
        auth({ issuer: issuer.issuer, audience: 'count', clientId: 'count', allowInsecureIssuer: true }),
        rateLimit({ websocket: { points: 1_000_000_000, per: '366d' }, preAuthentication: false, connections: false }),
        metrics({ access: { port: 0 } }),
      ],
    })
    const token = issuer.token({ username: 'ada', roles: ['author'] })
    return socketCall(app, { authorization: `Bearer ${token}` })
  },

  'HTTP GET': async () => {
    const app = await start({ endpoints: [route(getAuthor)] })
    return httpCall(app, new FakeExchange('GET', '/authors/7', {}), '200 {"id":7,"name":"Ursula K. Le Guin"}')
  },

  'HTTP POST': async () => {
    const app = await start({ endpoints: [route(createAuthor)] })
    const body = new TextEncoder().encode('{"name":"Ursula K. Le Guin","page":7}')
    const headers = { 'content-type': 'application/json', 'content-length': String(body.byteLength) }
    return httpCall(app, new FakeExchange('POST', '/authors', headers, body), '200 {"id":7,"name":"Ursula K. Le Guin"}')
  },

  'publication to 10 connections': async () => {
    const join = route({
      access: 'public',
      handler: async (_input, { connection }) => {
        await connection.join('authors')
        return 'joined'
      },
    })
    const app = await start({
      pkgIds: { JOIN: 1, NOTED: 2 },
      routes: { JOIN: join },
      events: { NOTED: noted },
      topics: { authors: { authorize: () => true } },
    })
    const bytes = toFrame(text)
    const sockets = []
    for (let i = 0; i < 10; i++) {
      const { socket, listener } = await app.network.connect()
      listener.message(bytes, false)
      while (socket.sent === 0) await new Promise((resolve) => setImmediate(resolve))
      sockets.push(socket)
    }
    const data = { id: 7, name: 'Ursula K. Le Guin' }
    return {
      run: () => app.app.hub.publish('authors', noted, data),
      check() {
        const frame =
          '{"pkg_id":2,"req_id":"00000000-0000-0000-0000-000000000000","data":{"id":7,"name":"Ursula K. Le Guin"}}'
        // Text, or the bytes of it.
        for (const { last } of sockets) expectSame(String(last), frame)
      },
      count: () => sockets[9].sent,
    }
  },
}
