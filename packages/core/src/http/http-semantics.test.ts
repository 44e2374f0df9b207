import * as v from 'valibot'
import { afterEach, describe, expect, test } from 'vitest'
import { createApp } from '../app/app.ts'
import { reply } from '../call/reply.ts'
import { toHostName } from '../edge/host.ts'
import { route } from '../route/route.ts'
import { onTransports } from '../testing/on-transports.ts'
import { UpgradeRefused } from '../testing/raw-types.ts'
import { plugin, testAuth } from '../testing/suite.fixtures.ts'
import type { CorsOptions } from './cors.ts'

const Input = v.object({ id: v.number(), name: v.string() })
const read = route({ http: 'GET /things/:id', input: v.object({ id: v.number() }), handler: ({ id }) => ({ id }) })
const rename = route({ http: 'PUT /things/:id', input: Input, handler: (input) => input })
const varied = route({
  http: 'GET /varied',
  access: 'public',
  handler: () => reply(1, { headers: { vary: 'Accept', 'x-own': '1' } }),
})
const file = route({
  http: 'GET /files/*path',
  access: 'public',
  input: v.object({ path: v.string() }),
  handler: ({ path }) => ({ path }),
})
const form = route({
  http: { route: 'POST /form', maxBodyBytes: 10_000 },
  access: 'public',
  input: v.looseObject({}),
  handler: (input) => Object.keys(input).length,
})
const trace = route({ http: 'GET /trace', access: 'public', handler: (_input, call) => call.traceparent })
const base = {
  pkgIds: { READ: 1, RENAME: 2, FILE: 3, TRACE: 4 },
  routes: { READ: read, RENAME: rename, FILE: file, TRACE: trace },
  endpoints: [varied, form],
}
const page = 'https://app.example'
const from = (origin: string, headers: Record<string, string> = {}) => ({ headers: { origin, ...headers } })
const preflight = (origin: string) => from(origin, { 'access-control-request-method': 'PUT' })
const ofCors = (headers: Readonly<Record<string, string>>) =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => /^(access-control|vary)/.test(name)))

onTransports({ describe, afterEach }, ({ start }) => {
  const boot = (cors: CorsOptions) => start({ ...base, plugins: [testAuth()], http: { cors } })

  describe('CORS', () => {
    test('off: no word of it', async () => {
      const { request } = await start(base)
      expect(ofCors((await request('GET /things/1', from(page))).headers)).toEqual({})
      const answer = await request('OPTIONS /things/1', preflight(page))
      expect([answer.status, answer.headers.allow, ofCors(answer.headers)]).toEqual([
        204,
        'GET, HEAD, OPTIONS, PUT',
        {},
      ])
    })

    test('an answer, an error and a failure say who may read them', async () => {
      const { request } = await boot({ origins: [page, 'https://other.example'], credentials: true })
      const told = {
        vary: 'Origin',
        'access-control-allow-origin': page,
        'access-control-allow-credentials': 'true',
        'access-control-expose-headers': 'x-correlation-id',
      }
      const answers = [
        await request('GET /things/1', from(page, { authorization: 'ann' })),
        await request('GET /things/1', from(page)),
        await request('GET /nowhere', from(page)),
        await request('POST /things/1', from(page)),
        await request('POST /form', { ...from(page), body: 'x'.repeat(20_000) }),
      ]
      expect(answers.map(({ status }) => status)).toEqual([200, 401, 404, 405, 413])
      for (const { headers } of answers) expect(ofCors(headers)).toEqual(told)
    })

    test('others are answered without permission', async () => {
      const { request } = await boot({ origins: [page] })
      for (const origin of ['https://evil.example', 'https://app.example.evil.com', 'http://app.example', 'null', '']) {
        const { status, headers } = await request('GET /varied', from(origin))
        expect([status, headers['access-control-allow-origin']]).toEqual([200, undefined])
        expect(ofCors((await request('OPTIONS /varied', preflight(origin))).headers)).toEqual({ vary: 'Origin' })
      }
    })

    test("a handler's Vary is kept in addition to core's", async () => {
      const { request } = await boot({ origins: [page] })
      const { headers } = await request('GET /varied', from(page))
      expect(headers.vary?.split(', ').sort()).toEqual(['Accept', 'Origin'])
      expect(headers['x-own']).toBe('1')
    })

    test('a preflight is answered before authentication', async () => {
      const { request } = await boot({ origins: [page], maxAgeSeconds: 60 })
      const answer = await request('OPTIONS /things/1', preflight(page))
      expect([answer.status, answer.text]).toEqual([204, ''])
      expect(ofCors(answer.headers)).toEqual({
        vary: 'Origin',
        'access-control-allow-origin': page,
        'access-control-allow-methods': 'GET, HEAD, OPTIONS, PUT',
        'access-control-allow-headers': 'content-type, authorization, x-correlation-id, traceparent, idempotency-key',
        'access-control-max-age': '60',
      })
      expect(answer.headers['x-content-type-options']).toBe('nosniff')
      expect((await request('OPTIONS /nowhere', preflight(page))).status).toBe(204)
      // Not a preflight: no method is requested.
      expect((await request('OPTIONS /nowhere', from(page))).status).toBe(404)
    })

    test('any origin, and one that is null', async () => {
      const any = await boot({ origins: ['*'], exposedHeaders: [] })
      const { headers } = await any.request('GET /varied', from('null'))
      expect(ofCors(headers)).toEqual({ vary: 'Accept', 'access-control-allow-origin': '*' })
      const named = await boot({ origins: ['null'], methods: ['PUT'], headers: ['x-a'] })
      expect(ofCors((await named.request('OPTIONS /varied', preflight('null'))).headers)).toMatchObject({
        'access-control-allow-origin': 'null',
        'access-control-allow-methods': 'PUT',
        'access-control-allow-headers': 'x-a',
      })
    })

    test('hooks on arrival may still refuse, and a page may read why', async () => {
      const { request } = await start({
        ...base,
        http: { cors: { origins: [page] } },
        plugins: [
          plugin((host) =>
            host.onRequest(async () => {
              throw new Error('no')
            }),
          ),
        ],
      })
      const { status, headers } = await request('OPTIONS /things/1', preflight(page))
      expect([status, headers['access-control-allow-origin']]).toEqual([500, page])
    })
  })

  test('allowed hosts, whatever their letters, port or form, on both wires', async () => {
    const { request, connect } = await start({
      ...base,
      http: { hosts: ['Api.Example.com', '::1', '[2001:DB8:0:0::2]'] },
    })
    const ask = async (host: string) => (await request('GET /things/1', { headers: { host } })).status
    const open = async (host: string) => {
      try {
        ;(await connect({ headers: { host } })).terminate()
        return 200
      } catch (error) {
        return error instanceof UpgradeRefused ? error.status : error
      }
    }
    for (const host of [
      'api.example.com',
      'API.example.COM:8000',
      'api.example.com.',
      '[::1]',
      '[::1]:8000',
      '[2001:db8::2]:1',
    ])
      expect([host, await ask(host), await open(host)]).toEqual([host, 200, 200])
    for (const host of [
      'example.com',
      'evil.com',
      'api.example.com.evil.com',
      'api.example.com:x',
      '::1',
      '[::1',
      '[::1]x',
      '[::2]:80',
      '127.0.0.1',
    ])
      expect([host, await ask(host), await open(host)]).toEqual([host, 400, 400])
  })

  test('a wildcard of a path is a key of the input, and of the package', async () => {
    const { request, client } = await start(base)
    expect((await request('GET /files/a/b%20c.txt')).json()).toEqual({ path: 'a/b c.txt' })
    expect(await (await client()).call('FILE', { path: 'a/b c.txt' })).toEqual({ path: 'a/b c.txt' })
    const refused = await request('GET /files/a%2f..%2f..%2fsecret')
    expect([refused.status, refused.json()]).toMatchObject([400, { error: { code: 'malformed_request' } }])
    expect((await request('GET /files/')).status).toBe(404)
  })

  test('urlencoded bodies have their limits', async () => {
    const { request } = await start(base)
    const headers = { 'content-type': 'application/x-www-form-urlencoded' }
    const pairs = (count: number) => Array.from({ length: count }, (_, i) => `k${i}=`).join('&')
    expect((await request('POST /form', { headers, body: pairs(1000) })).json()).toBe(1000)
    expect((await request('POST /form', { headers, body: pairs(1001) })).status).toBe(422)
    expect((await request('POST /form', { headers, body: `a=${'x'.repeat(10_000)}` })).status).toBe(413)
    expect((await request('POST /form', { headers, body: 'a=%zz' })).status).toBe(400)
    expect((await request('POST /form', { headers, body: 'constructor=1' })).status).toBe(422)
  })

  test('traceparent is carried on both wires, and what is none is not', async () => {
    const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'
    const { request, client } = await start(base)
    expect((await request('GET /trace', { headers: { traceparent } })).json()).toBe(traceparent)
    expect((await request('GET /trace', { headers: { traceparent: 'x' } })).json()).toBeNull()
    // Of two it is not known which is the caller's: a new trace begins (W3C Trace Context).
    expect((await request('GET /trace', { headers: { traceparent: [traceparent, traceparent] } })).json()).toBeNull()
    expect((await request('GET /trace')).json()).toBeNull()
    expect(await (await client({ headers: { traceparent } })).call('TRACE')).toBe(traceparent)
    expect(await (await client()).call('TRACE')).toBeNull()
    const { headers } = await request('GET /trace', { headers: { traceparent } })
    expect(headers.traceparent).toBeUndefined()
  })
})

test.each([
  [{ origins: [] }, 'origins must name'],
  [{ origins: ['*'], credentials: true }, "origins must not be '*' with credentials"],
  [{ origins: ['*', page] }, "must not have '*', which means all of them, beside others"],
  [{ origins: ['https://app.example/'] }, 'must be an origin'],
  [{ origins: ['app.example'] }, 'must be an origin'],
  [{ origins: [page], methods: ['*'] }, 'methods[0] must be a name'],
  [{ origins: [page], headers: ['a b'] }, 'headers[0] must be a name'],
  [{ origins: [page], exposedHeaders: ['*'] }, 'exposedHeaders[0] must be a name'],
  [{ origins: [page], maxAgeSeconds: -1 }, 'maxAgeSeconds'],
  [{ origins: [page], origin: page }, 'origin'],
])('refuses cors: %j', (cors, reason) => {
  expect(() => createApp({ ...base, http: { cors } })).toThrow(reason)
})

test.each([
  'api.example.com:8000',
  'https://api.example.com',
  'api.example.com/x',
  '[::1]:80',
  '',
  '*.example.com',
  'a b',
])('refuses the host %j', (host) => {
  expect(() => createApp({ ...base, http: { hosts: [host] } })).toThrow('must be a host name')
})

test('a host of one spelling', () => {
  expect(['A.b:1', '[::1]:1', 'a.', ''].map(toHostName)).toEqual(['a.b', '::1', 'a', ''])
})
