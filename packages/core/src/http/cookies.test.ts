import { sign } from 'cookie-signature'
import fc from 'fast-check'
import * as v from 'valibot'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { type AnyEndpoint, ConflictError, fromFetch, guard, reply, route, stream } from '../index.ts'
import { exchange, packet } from '../testing/suite.fixtures.ts'
import { createTestApp, onTransports } from '../testing.ts'

vi.setConfig({ testTimeout: 60_000 })

const secret = 'a secret of more than thirty-two bytes'
const former = 'another secret of more than thirty-two'
const http = { cookies: { secrets: [secret, former] } }
const plain = 'Path=/; HttpOnly; SameSite=Lax'

const read = (names: readonly string[]) =>
  route({
    http: 'GET /read',
    access: 'public',
    handler: (_input, { cookies }) => names.map((name) => [cookies.get(name), cookies.signed(name)]),
  })

describe('cookies', () => {
  onTransports({ describe, afterEach }, ({ start }) => {
    const serve = (...endpoints: AnyEndpoint[]) => start({ pkgIds: {}, routes: {}, endpoints, http })

    it('of a request are read by both wires, plain and signed', async () => {
      const signed = (name: string, value: string, by: string) =>
        `${name}=${encodeURIComponent(sign(`${name}=${value}`, by).slice(name.length + 1))}`
      const cookie = [
        'plain=one%20two',
        signed('now', 'Ursula', secret),
        signed('before', 'x.y=z', former),
        signed('foreign', 'x', 'a secret that this app does not have'),
        `moved=${signed('now', 'Ursula', secret).slice(4)}`,
      ].join('; ')
      const READ = read(['plain', 'now', 'before', 'foreign', 'moved', 'none'])
      const { request, client } = await start({ pkgIds: { READ: 1 }, routes: { READ }, http })
      const [, now, before, foreign, moved] = cookie.split('; ').map((each) => decodeURIComponent(each))
      const expected = [
        ['one two', null],
        [now?.slice(4), 'Ursula'],
        [before?.slice(7), 'x.y=z'],
        [foreign?.slice(8), null],
        // Valid for the name `now` only.
        [moved?.slice(6), null],
        [null, null],
      ]
      expect((await request('GET /read', { headers: { cookie } })).json()).toEqual(expected)
      const socket = await client({ headers: { cookie } })
      expect(await socket.call('READ')).toEqual(expected)
      expect(await socket.call('READ')).toEqual(expected)
    })

    it('that are hostile are read as they are', async () => {
      const names = ['__proto__', 'constructor', 'twice', 'broken', 'quoted', 'toString', '', 'noequals', 'c99']
      const { request } = await serve(read(names))
      const many = Array.from({ length: 1000 }, (_, i) => `c${i}=${i}`)
      const cookie = [
        '__proto__=1; constructor=2; twice=a; twice=b; broken=%E0%A4%A; quoted="x y"; =empty; noequals; ;;= ;',
        ...many,
      ].join('; ')
      expect(cookie.length).toBeGreaterThan(8192)
      const answer = await request('GET /read', { headers: { cookie } })
      const values = [['1'], ['2'], ['a'], ['%E0%A4%A'], ['"x y"'], [null], ['empty'], [null], ['99']]
      expect([answer.status, answer.json()]).toEqual([200, values.map(([value]) => [value, null])])
    })

    it('come with every kind of reply, and after those that steps have set', async () => {
      const step = guard({ name: 'step', run: (call) => call.cookies.set('step', '1') })
      const cookies = { a: 'b c', b: { value: 'x', httpOnly: false, maxAgeSeconds: 60 }, old: null }
      const get = (path: `/${string}`, handler: () => unknown) =>
        route({ http: `GET ${path}` as 'GET /any', access: 'public', use: [step], handler })
      const { request } = await serve(
        get('/value', () => reply({ a: 1 }, { cookies })),
        get('/text', () => reply.text('a', { cookies })),
        get('/bytes', () => reply.bytes(new Uint8Array(2), { cookies })),
        get('/stream', () => reply.stream(['a', 'b'], { cookies })),
        get('/moved', () => reply(undefined, { status: 303, headers: { location: '/' }, cookies })),
        get('/events', () => reply.events([{ event: 'a', data: 1 }], { cookies })),
        route({
          http: 'GET /items',
          access: 'public',
          use: [step],
          output: stream(v.number()),
          handler: () => reply([1, 2], { cookies }),
        }),
      )
      const expected = [
        `step=1; ${plain}`,
        `a=b%20c; ${plain}`,
        'b=x; Max-Age=60; Path=/; SameSite=Lax',
        `old=; Max-Age=0; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT; HttpOnly; SameSite=Lax`,
      ]
      for (const path of ['value', 'text', 'bytes', 'stream', 'moved', 'events', 'items'])
        expect([path, (await request(`GET /${path}`)).setCookies]).toEqual([path, expected])
    })

    it('of a fetch handler are sent with those of steps', async () => {
      const step = guard({ name: 'step', run: ({ cookies }) => cookies.set('step', '1') })
      const handler = () =>
        new Response('x', {
          headers: [
            ['set-cookie', 'a=1'],
            ['set-cookie', 'b=2'],
          ],
        })
      const { request } = await serve(fromFetch('/app', handler, { access: 'public', use: [step] }))
      expect((await request('GET /app/x')).setCookies).toEqual(['a=1', 'b=2', `step=1; ${plain}`])
    })

    it('are sent with a failure too, and one of a name, domain and path', async () => {
      const { request } = await serve(
        route({
          http: 'POST /fail',
          access: 'public',
          handler: (_input, { cookies }) => {
            cookies.set('a', '1')
            cookies.set('b', '2', { path: '/x' })
            cookies.set('a', '3', { maxAgeSeconds: 0 })
            cookies.set('b', '4')
            cookies.delete('c', { domain: 'example.com', path: '/' })
            cookies.set('c', '5')
            throw new ConflictError('It exists', { headers: { 'set-cookie': 'error=1' } })
          },
        }),
      )
      const { status, setCookies } = await request('POST /fail')
      expect([status, setCookies]).toEqual([
        409,
        [
          'b=2; Path=/x; HttpOnly; SameSite=Lax',
          'a=3; Max-Age=0; Path=/; HttpOnly; SameSite=Lax',
          `b=4; ${plain}`,
          'c=; Max-Age=0; Domain=example.com; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT; HttpOnly; SameSite=Lax',
          `c=5; ${plain}`,
          'error=1',
        ],
      ])
    })

    it('are without effect on WebSocket, and of a reply an error where the route has no HTTP', async () => {
      const routes = {
        STEP: route({ handler: (_input, { cookies }) => cookies.set('a', '1') }),
        BOTH: route({ http: 'GET /both', handler: () => reply(1, { cookies: { a: '1' } }) }),
        ONLY: route({ handler: () => reply(1, { cookies: { a: '1' } }) }),
      }
      const app = await start({ pkgIds: { STEP: 1, BOTH: 2, ONLY: 3 }, routes, defaultAccess: 'public', http })
      const socket = await app.connect()
      expect(await exchange(socket, packet(1))).toMatchObject({ status_code: 0 })
      expect(await exchange(socket, packet(2))).toMatchObject({ status_code: 0, data: 1 })
      expect(await exchange(socket, packet(3))).toMatchObject({ data: { code: 'internal_error' } })
      expect(app.logs.map(causeOf)).toContain(
        'Route ONLY is on WebSocket only, where a reply has no cookies: remove them, or set http',
      )
    })

    it('that browsers would not keep are an internal error, whose cause is logged', async () => {
      const { request, logs } = await serve(
        route({
          http: 'GET /bad',
          access: 'public',
          handler: () => reply(1, { cookies: { big: 'x'.repeat(5000) } }),
        }),
      )
      const { status, setCookies, text } = await request('GET /bad')
      expect([status, setCookies]).toEqual([500, []])
      expect(text).not.toContain('xxx')
      expect(logs.map(causeOf)).toContain(
        "Cookie 'big': name and value take 5003 bytes as they are sent, and browsers drop what is longer than 4096: store the value on the server, and send its id",
      )
    })

    it('are secure when the client used TLS', async () => {
      const set = route({
        http: 'GET /set',
        access: 'public',
        handler: () => reply(1, { cookies: { a: '1', b: { value: '2', secure: false } } }),
      })
      const options = { pkgIds: {}, routes: {}, endpoints: [set], http: { trustedProxies: ['127.0.0.1'] } }
      const { request } = await start(options)
      const overTls = await request('GET /set', { headers: { 'x-forwarded-proto': 'https' } })
      expect(overTls.setCookies).toEqual([
        'a=1; Path=/; HttpOnly; Secure; SameSite=Lax',
        'b=2; Path=/; HttpOnly; SameSite=Lax',
      ])
      expect((await request('GET /set')).setCookies[0]).toBe(`a=1; ${plain}`)
    })

    it('are secure in production', async () => {
      const set = route({ http: 'GET /set', access: 'public', handler: () => reply(1, { cookies: { a: '1' } }) })
      const options = { pkgIds: {}, routes: {}, endpoints: [set], http: { hosts: ['*'] }, log: 'silent' } as const
      const { request } = await start({ ...options, environment: 'production', defaultAccess: 'public' })
      expect((await request('GET /set')).setCookies).toEqual(['a=1; Path=/; HttpOnly; Secure; SameSite=Lax'])
    })

    it('that are signed need a secret', async () => {
      const endpoints = [
        route({ http: 'GET /set', access: 'public', handler: (_i, c) => c.cookies.set('a', '1', { signed: true }) }),
        route({ http: 'GET /get', access: 'public', handler: (_i, c) => c.cookies.signed('a') }),
      ]
      const { request, logs } = await start({ pkgIds: {}, routes: {}, endpoints })
      for (const path of ['set', 'get']) expect((await request(`GET /${path}`)).status).toBe(500)
      const messages = logs.map(causeOf).filter((each) => each !== '')
      expect(messages.length).toBe(2)
      for (const each of messages)
        expect(each).toContain("Cookie 'a' is signed, but the app has no secret: set createApp")
    })
  })
})

it('refuses short secrets at boot, without showing them', async () => {
  const start = (secrets: readonly string[]) =>
    createTestApp({ pkgIds: {}, routes: {}, http: { cookies: { secrets } } })
  await expect(start([secret, 'short one'])).rejects.toThrow(
    'createApp(): http.cookies.secrets[1] must be a string of at least 32 characters',
  )
  await expect(start([secret, 'short one'])).rejects.not.toThrow('short one')
})

it('keeps secrets out of the manifest', async () => {
  const { app, close } = await createTestApp({ pkgIds: {}, routes: {}, http })
  expect(JSON.stringify(app.manifest())).not.toContain(secret)
  await close()
})

it('reads back what it has signed, whatever the value, and nothing that was changed', async () => {
  const jar = new Map<string, string>()
  const endpoints = [
    route({
      http: { route: 'POST /set', status: 204 },
      access: 'public',
      input: v.object({ value: v.string() }),
      handler: ({ value }, { cookies }) => cookies.set('a', value, { signed: true }),
    }),
    route({ http: 'GET /get', access: 'public', handler: (_input, { cookies }) => ({ value: cookies.signed('a') }) }),
  ]
  const { request, close } = await createTestApp({ pkgIds: {}, routes: {}, endpoints, http })
  const value = fc.string({ maxLength: 300, unit: 'grapheme' })
  const get = async (sent: string) => (await request('GET /get', { headers: { cookie: `a=${sent}` } })).json()
  await fc.assert(
    fc.asyncProperty(value, fc.nat(), fc.constantFrom('x', 'A', '.', '%'), async (text, at, other) => {
      const { setCookies, status } = await request('POST /set', { json: { value: text } })
      expect(status).toBe(204)
      const sent = /^a=([^;]*)/.exec(setCookies[0] ?? '')?.[1] ?? ''
      jar.set(text, sent)
      expect(await get(sent)).toEqual({ value: text })
      const index = at % sent.length
      const changed = `${sent.slice(0, index)}${other}${sent.slice(index + 1)}`
      if (decode(changed) !== decode(sent)) expect(await get(changed)).toEqual({ value: null })
    }),
    { numRuns: 300 },
  )
  expect(new Set(jar.values()).size).toBe(jar.size)
  await close()
})

function causeOf({ fields }: { readonly fields: Readonly<Record<string, unknown>> }): string {
  return fields.err instanceof Error ? fields.err.message : ''
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
