import * as v from 'valibot'
import { afterEach, describe, expect, it } from 'vitest'
import { type AnyEndpoint, ConflictError, defineErrors, guard, page, pageOf, reply, route } from '../index.ts'
import { deferred, exchange, packet, testAuth } from '../testing/suite.fixtures.ts'
import { onTransports } from '../testing.ts'

const billing = defineErrors('billing', { declined: { httpStatus: 402, message: 'The card was declined' } })
const security = [
  'x-frame-options',
  'x-content-type-options',
  'x-xss-protection',
  'referrer-policy',
  'permissions-policy',
  'content-security-policy',
]
// None of these paths has a parameter, which the type of any path cannot say.
const get = (path: `/${string}`, handler: () => unknown) =>
  route({ http: `GET ${path}` as 'GET /any', access: 'public', handler })

describe('replies', () => {
  onTransports({ describe, afterEach }, ({ start }) => {
    const serve = (...endpoints: AnyEndpoint[]) => start({ pkgIds: {}, routes: {}, endpoints })

    it('have the status and headers that the handler gave', async () => {
      const { request } = await serve(
        get('/value', () =>
          reply({ a: 1 }, { status: 202, headers: { Location: '/jobs/1', 'set-cookie': ['a=1', 'b=2'] } }),
        ),
        get('/text', () => reply.text('grüße')),
        get('/html', () => reply.text('<p>', { headers: { 'content-type': 'text/html' } })),
        get('/bytes', () => reply.bytes(new Uint8Array([0, 255]))),
        get('/stream', () => reply.stream(['one ', new TextEncoder().encode('two')], { status: 203 })),
        get('/nothing', () => reply(undefined, { status: 205 })),
      )
      const value = await request('GET /value')
      expect([value.status, value.json(), value.headers.location]).toEqual([202, { a: 1 }, '/jobs/1'])
      expect(value.headers['set-cookie']).toMatch(/a=1.*b=2/)
      const text = await request('GET /text')
      expect([text.text, text.headers['content-type']]).toEqual(['grüße', 'text/plain; charset=utf-8'])
      expect((await request('GET /html')).headers['content-type']).toBe('text/html')
      const bytes = await request('GET /bytes')
      expect([[...bytes.bytes], bytes.headers['content-type']]).toEqual([[0, 255], 'application/octet-stream'])
      const stream = await request('GET /stream')
      expect([stream.status, stream.text]).toEqual([203, 'one two'])
      expect((await request('HEAD /stream')).text).toBe('')
      expect((await request('GET /nothing')).status).toBe(205)
    })

    it('that a wire of the route has no form for fail on both wires, and the log says what to change', async () => {
      const stream = { http: 'GET /stream', handler: () => reply.stream(['x']) } as const
      const routes = {
        STREAM: route(stream),
        HEADERS: route({ handler: () => reply(1, { headers: { 'x-a': '1' } }) }),
        STATUS: route({ handler: () => reply.text('x', { status: 202 }) }),
        PLAIN: route({ handler: () => reply(1) }),
        BOTH: route({ http: 'GET /both', handler: () => reply(1, { status: 202, headers: { 'x-a': '1' } }) }),
      }
      const { meta } = page([], { per_page: 2, next_cursor: null, has_more: true })
      const { client, request, logs } = await start({
        pkgIds: { STREAM: 1, HEADERS: 2, STATUS: 3, PLAIN: 4, BOTH: 5 },
        // @ts-expect-error of STREAM the types say it before
        routes,
        endpoints: [get('/meta', () => reply([], { meta }))],
      })
      const one = await client()
      for (const name of ['STREAM', 'HEADERS', 'STATUS'] as const)
        await expect(one.call(name)).rejects.toMatchObject({ code: 'internal_error' })
      expect((await request('GET /stream')).status).toBe(500)
      expect((await request('GET /meta')).status).toBe(500)
      expect([await one.call('PLAIN'), await one.call('BOTH'), (await request('GET /both')).status]).toEqual([
        1, 1, 202,
      ])
      const messages = logs.filter(({ level }) => level === 'error').map(({ fields }) => (fields.err as Error).message)
      expect(messages).toEqual([
        'Route STREAM returns a stream, which cannot be a package: move it to endpoints',
        'Route HEADERS is on WebSocket only, where a reply has no headers: remove them, or set http',
        'Route STATUS is on WebSocket only, where a reply has no status: remove it, or set http',
        'Route STREAM returns a stream, which cannot be a package: move it to endpoints',
        'Route GET /meta is on HTTP only, where a reply has no meta: use a header, or return page(…)',
      ])
    })

    it('put a meta of their own beside the data of a package, and what they say in headers on HTTP', async () => {
      const { meta } = page([], { per_page: 2, next_cursor: null, has_more: true })
      const list = route({
        http: 'GET /list',
        access: 'public',
        output: v.array(v.object({ id: v.number() })),
        handler: () => reply([{ id: 1, secret: 2 }], { meta, headers: { 'x-has-more': 'true' } }),
      })
      const { request, connect } = await start({ pkgIds: { LIST: 1 }, routes: { LIST: list } })
      const response = await request('GET /list')
      expect([response.json(), response.headers['x-has-more']]).toEqual([[{ id: 1 }], 'true'])
      expect(await exchange(await connect(), packet(1))).toMatchObject({ status_code: 0, meta, data: [{ id: 1 }] })
    })

    it('give a page as items and meta', async () => {
      const { request } = await start({
        pkgIds: { LIST: 1 },
        routes: {
          LIST: route({
            http: 'GET /list',
            output: pageOf(v.object({ id: v.number() })),
            handler: () => page([Object.assign({ id: 1 }, { secret: 'x' })], { page: 1, per_page: 1, total: 1 }),
          }),
        },
      })
      expect((await request('GET /list')).json()).toEqual({
        items: [{ id: 1 }],
        meta: { page: 1, per_page: 1, total: 1, pages: 1, next_cursor: null, has_more: false },
      })
    })

    it('whose status or header cannot be sent are internal errors', async () => {
      const { request, logs } = await serve(
        get('/status', () => reply(1, { status: 42 })),
        get('/header', () => reply(1, { headers: { 'x-a': 'a\r\nset-cookie: b' } })),
        get('/name', () => reply(1, { headers: { 'a b': 'c' } })),
      )
      for (const path of ['/status', '/header', '/name']) {
        const { status, headers, json } = await request(`GET ${path}`)
        expect([status, headers['set-cookie']]).toEqual([500, undefined])
        expect(json()).toMatchObject({ error: { code: 'internal_error', msg: 'Internal error', details: null } })
      }
      expect(logs.filter(({ level }) => level === 'error')).toHaveLength(3)
    })

    it('as a stream end when the client leaves: the source is told by its own end and by the signal', async () => {
      const begun = deferred()
      const aborted = deferred()
      const ended = deferred()
      const endpoint = route({
        http: 'GET /ticks',
        access: 'public',
        // Synchronous: the call is answered before the callback of its request has returned.
        handler: (_input, call) =>
          reply.stream(
            (async function* () {
              try {
                yield 'tick'
                begun.resolve()
                await new Promise((resolve) => call.signal.addEventListener('abort', resolve))
                aborted.resolve()
                yield 'not received'
              } finally {
                ended.resolve()
              }
            })(),
          ),
      })
      const { raw, logs } = await serve(endpoint)
      const { body } = await raw.stream({ method: 'GET', path: '/ticks' })
      for await (const _chunk of body) {
        await begun.promise
        break
      }
      await aborted.promise
      await ended.promise
      expect(logs.filter(({ level }) => level !== 'info')).toEqual([])
    })

    it('as a stream that fails cut the connection, and the failure is logged', async () => {
      const { request, logs } = await serve(
        get('/broken', () =>
          reply.stream(
            (async function* () {
              yield 'half'
              throw new Error('the disk failed')
            })(),
          ),
        ),
      )
      await expect(request('GET /broken')).rejects.toThrow()
      expect(logs.find(({ level }) => level === 'error')?.fields.err).toMatchObject({ message: 'the disk failed' })
    })

    it('carry the security headers and a correlation id, whatever they say [defect 71]', async () => {
      const failing = get('/fails', () => {
        throw new Error('secret')
      })
      const refused = route({
        http: 'GET /refused',
        access: 'authenticated',
        handler: () => null,
      })
      const { request } = await start({
        pkgIds: {},
        routes: {},
        endpoints: [failing, refused, get('/ok', () => 1), get('/stream', () => reply.stream(['x']))],
        http: { hosts: ['127.0.0.1'], maxBodyBytes: 1 },
        plugins: [testAuth()],
      })
      const targets: [string, number, Record<string, string>][] = [
        ['GET /ok', 200, {}],
        ['GET /stream', 200, {}],
        ['GET /health', 200, {}],
        ['OPTIONS /ok', 204, {}],
        ['GET /nowhere', 404, {}],
        ['POST /ok', 405, {}],
        ['GET /ws', 426, {}],
        ['GET /fails', 500, {}],
        ['GET /refused', 401, {}],
        ['GET /refused', 401, { authorization: 'bad' }],
        ['GET /ok', 400, { host: 'evil.example' }],
      ]
      for (const [target, status, headers] of targets) {
        const response = await request(target, { headers: { ...headers, 'x-correlation-id': 'order-4711' } })
        expect([target, response.status]).toEqual([target, status])
        for (const name of security) expect(response.headers[name], `${name} of ${target}`).toBeTypeOf('string')
        expect(response.headers['strict-transport-security']).toBeUndefined()
        expect(response.headers['x-correlation-id']).toBe('order-4711')
      }
      const odd = (await request('GET /ok', { headers: { 'x-correlation-id': 'x'.repeat(129) } })).headers
      expect(odd['x-correlation-id']).toMatch(/^[0-9a-f-]{36}$/)
      expect((await request('GET /refused')).headers['www-authenticate']).toBe('Bearer')
    })

    it('carry HSTS when a trusted proxy was spoken to by TLS, and the address that it names', async () => {
      const seen: string[] = []
      const endpoint = route({
        http: 'GET /who',
        handler: (_input, call) => {
          seen.push(call.address)
          return null
        },
      })
      const app = (trustedProxies: string[]) =>
        start({ pkgIds: {}, routes: {}, endpoints: [endpoint], http: { trustedProxies } })
      const headers = { 'x-forwarded-for': '6.6.6.6, 203.0.113.7', 'x-forwarded-proto': 'https' }
      const trusting = await (await app(['127.0.0.1'])).request('GET /who', { headers })
      expect(trusting.headers['strict-transport-security']).toContain('max-age=')
      const wary = await (await app([])).request('GET /who', { headers })
      expect(wary.headers['strict-transport-security']).toBeUndefined()
      expect(seen).toEqual(['203.0.113.7', '127.0.0.1'])
    })

    it('carry added headers on success and failure alike; an error stays JSON, its own headers win', async () => {
      const adding = guard({
        name: 'adding',
        run: (call) => {
          call.replyHeaders.set('X-RateLimit-Limit', '10')
          call.replyHeaders.set('content-type', 'text/csv')
          call.replyHeaders.set('retry-after', '1')
          call.replyHeaders.append('set-cookie', 'a=1')
        },
      })
      const ok = route({ http: 'GET /ok', use: [adding], handler: () => reply.text('a,b') })
      const fails = route({
        http: 'GET /fails',
        use: [adding],
        handler: (): null => {
          throw new ConflictError('Taken', { headers: { 'Retry-After': '7', 'x-own': 'yes' } })
        },
      })
      const { request } = await start({ pkgIds: {}, routes: {}, endpoints: [ok, fails] })
      const good = await request('GET /ok')
      expect(good.headers).toMatchObject({ 'x-ratelimit-limit': '10', 'content-type': 'text/csv', 'set-cookie': 'a=1' })
      const bad = await request('GET /fails')
      expect(bad.status).toBe(409)
      expect(bad.headers).toMatchObject({
        'x-ratelimit-limit': '10',
        'content-type': 'application/json',
        'set-cookie': 'a=1',
        'retry-after': '7',
        'x-own': 'yes',
      })
    })

    it('say an error in the same words on both wires [defect 75]', async () => {
      const failing = (path: `/${string}`, create: () => unknown) =>
        get(path, (): null => {
          throw create()
        })
      const routes = {
        TAKEN: failing('/r1', () => new ConflictError('Taken', { details: { name: 'x' } })),
        DECLINED: failing('/r2', () => billing.declined(undefined, { details: { reason: 'expired' } })),
        BROKEN: failing('/r3', () => new Error('secret: the password is 1234')),
        EMPTY: failing('/r4', () => undefined),
      }
      const pkgIds = { TAKEN: 1, DECLINED: 2, BROKEN: 3, EMPTY: 4 } as const
      const { request, client, logs } = await start({ pkgIds, routes })
      const one = await client()
      const statuses: [number, number][] = []
      for (const name of ['TAKEN', 'DECLINED', 'BROKEN', 'EMPTY'] as const) {
        const response = await request(`GET /r${pkgIds[name]}`)
        const { error } = response.json() as { error: { code: string; msg: string; details: unknown } }
        const thrown = await one.call(name).catch((failure: unknown) => failure)
        expect(thrown).toMatchObject(error)
        statuses.push([response.status, (thrown as { rspCode: number }).rspCode])
        expect(response.text).not.toContain('secret')
      }
      expect(statuses).toEqual([
        [409, 2],
        [402, 1],
        [500, 1],
        [500, 1],
      ])
      expect(logs.filter(({ level }) => level === 'error').map(({ fields }) => (fields.err as Error).message)).toEqual([
        'secret: the password is 1234',
        'secret: the password is 1234',
        'Thrown was undefined',
        'Thrown was undefined',
      ])
    })
  })
})
