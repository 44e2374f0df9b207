import * as v from 'valibot'
import { afterEach, describe, expect, it } from 'vitest'
import {
  ConflictError,
  check,
  fromFetch,
  group,
  guard,
  interceptor,
  type Next,
  PermissionDeniedError,
  route,
} from '../index.ts'
import { plugin } from '../testing/suite.fixtures.ts'
import { fakeIdentity, onTransports, UpgradeRefused } from '../testing.ts'

const mirror = (request: Request): Response => Response.json({ url: request.url })

const refuse = guard({
  name: 'refuse',
  run: () => {
    throw new PermissionDeniedError()
  },
})
const addTenant = guard({
  name: 'tenant',
  run: (call) => {
    call.replyHeaders.append('set-cookie', 'step=1')
    call.replyHeaders.set('x-step', 'guard')
    return { tenant: 'acme' }
  },
})
const checkLength = check({
  name: 'length',
  run: ({ url }: Request) => {
    if (url.endsWith('long')) throw new ConflictError()
  },
})
const addInside = interceptor({ name: 'inside', run: (_call, next: Next<{ inside: number }>) => next({ inside: 1 }) })

onTransports({ describe, afterEach }, ({ start, transport }) => {
  const serve = (...endpoints: ReturnType<typeof fromFetch>[]) => start({ pkgIds: {}, routes: {}, endpoints })

  describe('among the routes of an app', () => {
    it('gets what no route has, below its prefix and at it', async () => {
      const { request } = await start({
        pkgIds: {},
        routes: {},
        endpoints: [
          route({ http: 'GET /api/own', access: 'public', handler: () => 'route' }),
          route({
            http: 'GET /:any/param',
            access: 'public',
            input: v.object({ any: v.string() }),
            handler: () => 'param',
          }),
          route({
            http: 'GET /*',
            access: 'public',
            input: v.object({ '*': v.string() }),
            handler: () => 'wildcard',
          }),
          fromFetch('/api', () => new Response('"mount"'), { access: 'public' }),
          fromFetch('/api/inner', () => new Response('"inner"'), { access: 'public' }),
        ],
      })
      const get = async (target: string): Promise<string> => (await request(target)).text
      expect(await get('GET /api/own')).toBe('"route"')
      expect(await get('POST /api/own')).toBe('"mount"')
      expect(await get('GET /api')).toBe('"mount"')
      expect(await get('GET /api/')).toBe('"mount"')
      expect(await get('GET /api/param')).toBe('"mount"')
      expect(await get('GET /other/param')).toBe('"param"')
      expect(await get('GET /apis')).toBe('"wildcard"')
      expect(await get('GET /api/inner/x')).toBe('"inner"')
      expect(await get('GET /api/innerx')).toBe('"mount"')
      expect((await request('POST /apis')).status).toBe(405)
      expect((await request('POST /other')).status).toBe(405)
    })

    it('is not reached past the steps of another by a path that is encoded without need', async () => {
      const { request } = await start({
        pkgIds: {},
        routes: {},
        endpoints: [
          fromFetch('/', () => new Response('outer'), { access: 'public' }),
          fromFetch('/admin', () => new Response('admin'), { access: 'public', use: [refuse] }),
        ],
      })
      expect((await request('GET /admin/x')).status).toBe(403)
      expect((await request('GET /%61dmin/x')).status).toBe(400)
      expect((await request('GET /%2561dmin/x')).status).toBe(400)
      expect((await request('GET /%7Euser/x')).text).toBe('outer')
    })

    it('runs after its steps, which see the Request as its input, and has what they add', async () => {
      const { request, logs } = await start({
        pkgIds: {},
        routes: {},
        endpoints: [
          fromFetch(
            '/api',
            (_request, { call }) => {
              call.replyHeaders.set('x-step', 'handler')
              const response = Response.json({ tenant: call.tenant, inside: call.inside, route: call.route.name })
              response.headers.append('set-cookie', 'own=1')
              return response
            },
            {
              access: 'public',
              use: [addTenant, checkLength, addInside],
            },
          ),
        ],
      })
      const answer = await request('GET /api/x')
      expect(answer.json()).toEqual({ tenant: 'acme', inside: 1, route: 'ALL /api/*' })
      expect(answer.headers['set-cookie']).toContain('step=1')
      expect(answer.headers['set-cookie']).toContain('own=1')
      expect(answer.headers['x-step']).toBe('handler')
      expect((await request('GET /api/long')).status).toBe(409)
      expect(logs.filter(({ level }) => level === 'error')).toEqual([])
    })

    it('is closed by default where a plugin identifies callers, and knows who calls', async () => {
      let calls = 0
      const { request } = await start({
        pkgIds: {},
        routes: {},
        plugins: [fakeIdentity()],
        endpoints: [
          fromFetch('/me', (_request, { call }) => {
            calls++
            return Response.json(call.identity)
          }),
        ],
      })
      expect([(await request('GET /me')).status, calls]).toEqual([401, 0])
      const ann = await request('GET /me', { headers: { authorization: 'Bearer ann' } })
      expect(ann.json()).toEqual({ id: 'ann', name: 'ann' })
    })

    it('says its method to hooks, log and metrics', async () => {
      const { request } = await serve(
        fromFetch('/api', (_request, { call }) => new Response(`${call.route.method} ${call.route.path}`), {
          access: 'public',
        }),
      )
      for (const method of ['GET', 'POST', 'OPTIONS'])
        expect((await request(`${method} /api/x`)).text).toBe(`${method} /api/*`)
      expect((await request('PURGE /api/x')).text).toBe('ALL /api/*')
    })

    it('may be of a plugin, and in a group', async () => {
      const grouped = group(
        { prefix: '/v1', use: [addTenant] },
        { api: fromFetch('/api', mirror, { access: 'public' }) },
      )
      const { request } = await start({
        pkgIds: {},
        routes: {},
        endpoints: [grouped.api],
        plugins: [plugin((host) => host.endpoint(fromFetch('/plugin', mirror, { access: 'public' })))],
      })
      expect((await request('GET /plugin/x')).json()).toEqual({ url: expect.stringMatching(/\/plugin\/x$/) })
      const answer = await request('GET /v1/api/x')
      expect(answer.json()).toEqual({ url: expect.stringMatching(/\/v1\/api\/x$/) })
      expect(answer.headers['x-step']).toBe('guard')
    })

    it('leaves the upgrades of WebSockets alone', async () => {
      const ping = route({ access: 'public', handler: () => 'pong' })
      const { client, raw } = await start({
        pkgIds: { PING: 1 },
        routes: { PING: ping },
        endpoints: [fromFetch('/', ({ headers }) => Response.json([...headers.keys()]), { access: 'public' })],
      })
      expect(await (await client()).call('PING')).toBe('pong')
      const elsewhere = await raw.connect({ path: '/other' }).catch((error: unknown) => error)
      expect(elsewhere).toBeInstanceOf(UpgradeRefused)
      const { status, body } = elsewhere as UpgradeRefused
      const names: unknown = JSON.parse(Buffer.from(body).toString())
      expect(status).toBe(200)
      for (const name of ['connection', 'upgrade']) expect(names).not.toContain(name)
    })

    it('leaves CORS to core where core does it', async () => {
      const { raw } = await start({
        pkgIds: {},
        routes: {},
        http: { cors: { origins: ['https://app.example'] } },
        endpoints: [
          fromFetch(
            '/api',
            () => new Response('x', { headers: { 'access-control-allow-origin': '*', vary: 'accept' } }),
            { access: 'public' },
          ),
        ],
      })
      const answer = await raw.request({ method: 'GET', path: '/api', headers: { origin: 'https://app.example' } })
      expect(answer.headers).toMatchObject({
        'access-control-allow-origin': 'https://app.example',
        vary: 'accept, Origin',
      })
      const preflight = await raw.request({
        method: 'OPTIONS',
        path: '/api',
        headers: { origin: 'https://app.example', 'access-control-request-method': 'PUT' },
      })
      expect([preflight.status, preflight.headers['access-control-allow-methods']]).toEqual([
        204,
        'DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT',
      ])
    })

    it('replaces security headers of core', async () => {
      const { request } = await serve(
        fromFetch('/', () => new Response('x', { headers: { 'content-security-policy': 'none' } }), {
          access: 'public',
        }),
      )
      expect((await request('GET /')).headers['content-security-policy']).toBe('none')
    })

    it('is waited for by a drain', async () => {
      const { app, raw } = await serve(
        fromFetch(
          '/',
          () => {
            let left = 3
            return new Response(
              new ReadableStream({
                async pull(controller) {
                  await new Promise((resolve) => setImmediate(resolve))
                  if (left-- === 0) controller.close()
                  else controller.enqueue(new Uint8Array([left]))
                },
              }),
            )
          },
          { access: 'public' },
        ),
      )
      const answer = await raw.stream({ method: 'GET', path: '/' })
      const closed = app.close()
      const got: number[] = []
      for await (const chunk of answer.body) got.push(...chunk)
      await closed
      expect(got).toEqual([2, 1, 0])
    })
  })

  if (transport === 'memory') {
    it('is one line of the description, and not in the manifest', async () => {
      const { app } = await serve(
        fromFetch('/api/auth', () => new Response(), { access: 'public', summary: 'Sign in' }),
      )
      expect(app.describe().routes[0]).toMatchObject({ http: 'ALL /api/auth/*', access: 'public', summary: 'Sign in' })
      expect(Object.keys(app.manifest().routes)).not.toContain('ALL /api/auth/*')
    })

    it.each([
      ['/api/', 'remove the slash at its end'],
      ['/:id', "remove ':' and '*'"],
      ['/api/*', "remove ':' and '*'"],
      ['/a b', 'only letters, digits'],
    ] as const)('refuses the prefix %s', (prefix, message) => {
      expect(() => fromFetch(prefix, mirror)).toThrow(message)
    })

    it('refuses an interceptor that may run it again: its body is read once', async () => {
      const again = interceptor({ name: 'again', mayRepeat: true, run: (_call, next: Next) => next() })
      await expect(serve(fromFetch('/a', mirror, { access: 'public', use: [again] }))).rejects.toThrow(
        "Route ALL /a/* streams its body, which can be read once, and its interceptor 'again' may run the handler again",
      )
    })

    it('refuses the same prefix twice, unknown options and what is not a function', async () => {
      await expect(serve(fromFetch('/a', mirror), fromFetch('/a', mirror))).rejects.toMatchObject({
        code: 'duplicate_path',
      })
      const misspelt: object = { acces: 'public' }
      expect(() => fromFetch('/a', mirror, misspelt)).toThrow("Did you mean 'access'?")
      const app: unknown = { fetch: mirror }
      expect(() => fromFetch('/a', app as typeof mirror)).toThrow('requires a function')
    })
  }
})
