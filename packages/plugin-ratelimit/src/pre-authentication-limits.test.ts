import {
  AuthenticationError,
  Disconnect,
  defineErrors,
  disconnects,
  type HttpWireOptions,
  type Plugin,
  reply,
  route,
} from '@twinwire/core'
import { createVirtualClock, fakeIdentity, onTransports, UpgradeRefused } from '@twinwire/core/testing'
import { afterEach, describe, expect, it } from 'vitest'
import type { RateLimitOptions } from './options.ts'
import { rateLimit } from './ratelimit-plugin.ts'

const hello = route({ http: 'GET /hello', handler: () => 'hello' })
const as = (name: string) => ({ headers: { authorization: `Bearer ${name}` } })

/** Accepts every token but `bad`, and counts how often it was called. */
function countingIdentity(): { readonly plugin: Plugin; calls: number } {
  const watch = {
    calls: 0,
    plugin: fakeIdentity(({ headers }) => {
      watch.calls++
      const name = headers.authorization?.slice('Bearer '.length)
      if (name === 'bad') throw new AuthenticationError()
      return name === undefined ? null : { id: name, name }
    }),
  }
  return watch
}

/** The status, code and headers of a refused upgrade. */
async function refusal(connecting: Promise<unknown>) {
  const error = await connecting.then(
    () => new Error('it was admitted'),
    (thrown: unknown) => thrown,
  )
  if (!(error instanceof UpgradeRefused)) throw error
  const { code } = JSON.parse(new TextDecoder().decode(error.body)).error
  return { status: error.status, code, headers: error.headers }
}

describe('pre-authentication limits', () => {
  onTransports({ describe, afterEach }, ({ start }) => {
    const open = async (
      preAuthentication: RateLimitOptions['preAuthentication'],
      identity: Plugin = fakeIdentity(),
      http: HttpWireOptions = {},
    ) => {
      const clock = createVirtualClock()
      const limits = rateLimit({ http: false, websocket: false, connections: false, preAuthentication })
      const plugins = [identity, limits]
      const app = await start({ pkgIds: { HELLO: 1 }, routes: { HELLO: hello }, clock, http, plugins })
      const left = async () => (await limits.peek({ address: '127.0.0.1' }))[0]?.remaining
      return { ...app, clock, limits, left }
    }

    it('requests and handshakes of an address share one limit, above which no token is checked', async () => {
      const watch = countingIdentity()
      const { request, connect } = await open({ points: 3, failureCost: 0 }, watch.plugin)
      expect((await request('GET /hello', as('ann'))).status).toBe(200)
      await connect(as('ann'))
      expect((await request('GET /nowhere')).status).toBe(404)
      const { calls } = watch
      const refused = await request('GET /hello', as('ann'))
      expect([refused.status, refused.headers['retry-after']]).toEqual([429, '20'])
      expect(refused.json()).toMatchObject({
        error: { code: 'rate_limit_exceeded', details: { limit: 3, remaining: 0 } },
      })
      const { status, code, headers } = await refusal(connect(as('ann')))
      expect([status, code]).toEqual([429, 'rate_limit_exceeded'])
      for (const each of [refused.headers, headers])
        expect(each).toMatchObject({
          ratelimit: '"preAuthentication";r=0;t=60',
          'ratelimit-policy': '"preAuthentication";q=3;w=60',
          'x-ratelimit-limit': '3',
          'x-ratelimit-remaining': '0',
          'x-ratelimit-reset': '60',
          'retry-after': '20',
        })
      expect(watch.calls).toBe(calls)
    })

    it('their status is on every response: of a call, of an unknown path, of a caller without an identity', async () => {
      const { request } = await open({ points: 100, failureCost: 0 })
      for (const [target, options, status, remaining] of [
        ['GET /hello', as('ann'), 200, '99'],
        ['GET /nowhere', {}, 404, '98'],
        ['GET /hello', {}, 401, '97'],
        ['POST /hello', {}, 405, '96'],
      ] as const) {
        const { status: got, headers } = await request(target, options)
        expect([
          got,
          headers['x-ratelimit-remaining'],
          headers.ratelimit?.startsWith(`"preAuthentication";r=${remaining};`),
        ]).toEqual([status, remaining, true])
      }
    })

    it('failed credentials cost extra: 401 over HTTP, 401 of an upgrade, a connection closed with 4001 [defect 8]', async () => {
      const { request, connect, left } = await open({ points: 100, failureCost: 20 }, countingIdentity().plugin)
      expect((await request('GET /hello', as('bad'))).status).toBe(401)
      expect(await left()).toBe(79)
      expect((await refusal(connect(as('bad')))).status).toBe(401)
      expect(await left()).toBe(58)
      const socket = await connect()
      socket.send(JSON.stringify({ type: 'auth', token: 'Bearer bad' }))
      expect((await socket.closed).code).toBe(4001)
      // The server handles the disconnect a moment later.
      while ((await left()) === 57) await new Promise((resolve) => setImmediate(resolve))
      expect(await left()).toBe(37)
      // Good credentials cost no extra.
      expect((await request('GET /hello', as('ann'))).status).toBe(200)
      expect(await left()).toBe(36)
      expect((await request('GET /hello')).status).toBe(401)
      // Charges what is left, and no more.
      expect((await request('GET /hello')).status).toBe(401)
      expect(await left()).toBe(0)
      expect((await request('GET /hello', as('ann'))).status).toBe(429)
      expect((await refusal(connect(as('ann')))).status).toBe(429)
    })

    it('every 401 counts as failed credentials, whatever its code or body', async () => {
      const errors = defineErrors('app', { wrong_password: { httpStatus: 401, message: 'Wrong' } })
      const login = route({
        http: 'POST /login',
        access: 'public',
        handler: () => {
          throw errors.wrong_password()
        },
      })
      const form = route({ http: 'POST /form', access: 'public', handler: () => reply('no', { status: 401 }) })
      const limits = rateLimit({
        http: false,
        websocket: false,
        connections: false,
        preAuthentication: { points: 100 },
      })
      const { request } = await start({
        pkgIds: { LOGIN: 1, FORM: 2 },
        routes: { LOGIN: login, FORM: form },
        clock: createVirtualClock(),
        plugins: [fakeIdentity(), limits],
      })
      const left = async () => (await limits.peek({ address: '127.0.0.1' }))[0]?.remaining
      expect((await request('POST /login')).status).toBe(401)
      expect(await left()).toBe(79)
      expect((await request('POST /form')).status).toBe(401)
      expect(await left()).toBe(58)
    })

    it('failed credentials cost extra on skipped paths too, and requests without credentials are accepted there', async () => {
      const secret = route({ http: 'GET /metrics/secret', handler: () => 'secret' })
      const limits = rateLimit({ http: false, websocket: false, connections: false, preAuthentication: { points: 42 } })
      const { request } = await start({
        pkgIds: { SECRET: 1 },
        routes: { SECRET: secret },
        clock: createVirtualClock(),
        plugins: [countingIdentity().plugin, limits],
      })
      for (let i = 0; i < 50; i++) expect((await request('GET /metrics/secret', as('ann'))).status).toBe(200)
      for (let i = 0; i < 3; i++) expect((await request('GET /metrics/secret', as('bad'))).status).toBe(401)
      const refused = await request('GET /metrics/secret', as('bad'))
      expect([refused.status, refused.headers['retry-after']]).toEqual([429, '2'])
      expect((await request('GET /metrics/secret', { headers: { cookie: 'session=guess' } })).status).toBe(429)
      for (let i = 0; i < 50; i++) expect((await request('GET /health/live')).status).toBe(200)
    })

    it('other errors and other disconnects cost no extra', async () => {
      const { request, connect, left } = await open({ points: 100, failureCost: 20 }, countingIdentity().plugin)
      expect((await request('GET /hello?x=%', as('ann'))).status).toBe(400)
      const socket = await connect(as('ann'))
      socket.close()
      await socket.closed
      expect(await left()).toBe(98)
    })

    it('addresses of one IPv6 /64 share a limit', async () => {
      const proxy = { trustedProxies: ['127.0.0.1'] }
      const { request } = await open({ points: 2, failureCost: 0 }, fakeIdentity(), proxy)
      const from = async (address: string) =>
        (await request('GET /hello', { headers: { ...as('ann').headers, 'x-forwarded-for': address } })).status
      expect(await from('2001:db8:0:1::1')).toBe(200)
      expect(await from('2001:db8:0:1:ffff::2')).toBe(200)
      expect(await from('2001:db8:0:1::3')).toBe(429)
      expect(await from('2001:db8:0:2::1')).toBe(200)
      expect(await from('203.0.113.7')).toBe(200)
      expect(await from('::ffff:203.0.113.7')).toBe(200)
      expect(await from('203.0.113.7')).toBe(429)
    })

    it('warns once when the clients behind a proxy share the limit of its address', async () => {
      const { request, logs } = await open({ points: 1, failureCost: 0 })
      const forwarded = { headers: { 'x-forwarded-for': '203.0.113.7' } }
      for (let i = 0; i < 4; i++) await request('GET /nowhere', forwarded)
      expect(logs.filter(({ message }) => message.includes('http.trustedProxies'))).toHaveLength(1)
    })

    it('a Disconnect with 4001 by another plugin counts as failed credentials', async () => {
      const strict: Plugin = {
        name: 'strict',
        setup: (host) =>
          host.onConnect(() => {
            throw new Disconnect(disconnects.unauthorized)
          }),
      }
      const clock = createVirtualClock()
      const limits = rateLimit({ http: false, websocket: false, preAuthentication: { points: 50, failureCost: 10 } })
      const { connect } = await start({
        pkgIds: { HELLO: 1 },
        routes: { HELLO: hello },
        clock,
        plugins: [fakeIdentity(), strict, limits],
      })
      const left = async () => (await limits.peek({ address: '127.0.0.1' }))[0]?.remaining
      expect((await (await connect(as('ann'))).closed).code).toBe(4001)
      while ((await left()) === 49) await new Promise((resolve) => setImmediate(resolve))
      expect(await left()).toBe(39)
    })
  })
})
