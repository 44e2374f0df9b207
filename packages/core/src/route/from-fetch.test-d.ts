import { expectTypeOf, test } from 'vitest'
import { type Call, check, createApp, fromFetch, guard, interceptor, type Next, route } from '../index.ts'

const tenant = guard({ name: 'tenant', run: () => ({ tenant: 'acme' }) })
const inside = interceptor({ name: 'inside', run: (_call, next: Next<{ inside: number }>) => next({ inside: 1 }) })
const ofRequest = check({ name: 'ofRequest', run: (_request: Request) => {} })
const ofName = check({ name: 'ofName', run: (_input: { name: string }) => {} })
const ok = (): Response => new Response()

test('the handler gets a Request, and a call with what its steps add', () => {
  fromFetch('/a', (request, { call }) => {
    expectTypeOf(request).toEqualTypeOf<Request>()
    expectTypeOf(call).toEqualTypeOf<Call>()
    return new Response()
  })
  fromFetch(
    '/a',
    async (_request, { call }) => {
      expectTypeOf(call.tenant).toEqualTypeOf<string>()
      expectTypeOf(call.inside).toEqualTypeOf<number>()
      return new Response()
    },
    { use: [tenant, ofRequest, inside] },
  )
})

test('it returns a Response, and may take fewer or optional arguments', () => {
  const hono = (
    _request: Request,
    _env?: object,
    _context?: { waitUntil(promise: Promise<unknown>): void },
  ): Response => new Response()
  fromFetch('/a', hono)
  fromFetch('/a', ok)
  // @ts-expect-error not a Response
  fromFetch('/a', () => ({ status: 200 }))
  // @ts-expect-error not a function
  fromFetch('/a', { fetch: ok })
})

test('prefix, options and steps are checked', () => {
  // @ts-expect-error a prefix begins with a slash
  fromFetch('a', ok)
  // @ts-expect-error no such option
  fromFetch('/a', ok, { acces: 'public' })
  // @ts-expect-error the check takes another input than a Request
  fromFetch('/a', ok, { use: [ofName] })
  // @ts-expect-error guards come first
  fromFetch('/a', ok, { use: [inside, tenant] })
})

test('it is an endpoint, and cannot be a package', () => {
  createApp({ pkgIds: {}, routes: {}, endpoints: [fromFetch('/a', ok), route({ http: 'GET /b', handler: () => 1 })] })
  // @ts-expect-error it cannot be a package
  createApp({ pkgIds: { A: 1 }, routes: { A: fromFetch('/a', ok) } })
})
