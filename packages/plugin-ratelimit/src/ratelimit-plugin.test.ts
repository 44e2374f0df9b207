import { type Call, guard, PermissionDeniedError, route } from '@twinwire/core'
import { CallError, createVirtualClock, fakeIdentity, onTransports } from '@twinwire/core/testing'
import { afterEach, describe, expect, it } from 'vitest'
import { limit } from './limit-step.ts'
import { memoryStore } from './memory/memory-store.ts'
import type { RateLimitOptions } from './options.ts'
import { rateLimit } from './ratelimit-plugin.ts'
import type { LimitStoreFactory } from './store.ts'

const pkgIds = { HELLO: 1, OTHER: 2 } as const
const hello = route({ http: 'GET /hello', handler: () => 'hello' })
const other = route({ http: 'GET /other', handler: () => 'other' })
const as = (name: string) => ({ headers: { authorization: `Bearer ${name}` } })
/** Each test enables the limits that it needs. */
const off = { http: false, websocket: false, preAuthentication: false, connections: false } as const

/** A refused call's code and details. */
async function refusal(call: Promise<unknown>): Promise<{ code: string; details: unknown; httpStatus: number }> {
  const error = await call.then(
    () => new Error('it was accepted'),
    (thrown: unknown) => thrown,
  )
  if (!(error instanceof CallError)) throw error
  return { code: error.code, details: error.details, httpStatus: error.httpStatus }
}

describe('rateLimit', () => {
  onTransports({ describe, afterEach }, ({ start }) => {
    const open = (options: RateLimitOptions, routes = { HELLO: hello, OTHER: other }) => {
      const clock = createVirtualClock()
      const limits = rateLimit({ ...off, ...options })
      return start({ pkgIds, routes, clock, plugins: [fakeIdentity(), limits] }).then((app) => ({
        ...app,
        clock,
        limits,
      }))
    }

    it('continues when a custom store fails where no caller waits', async () => {
      const memory = memoryStore()
      const failing = async (): Promise<never> => Promise.reject(new Error('no store'))
      const calls: string[] = []
      const store: LimitStoreFactory = {
        ...memory,
        async open(services) {
          const opened = await memory.open(services)
          const fails = (name: string) => () => {
            calls.push(name)
            return failing()
          }
          return Object.assign(opened, { adjust: fails('adjust'), release: fails('release') })
        },
      }
      const { client, request, logs } = await open({
        store,
        websocket: '100/m',
        http: '100/m',
        preAuthentication: { points: 1000, failureCost: 5 },
        connections: { perIdentity: 5 },
      })
      const one = await client(as('ann'))
      one.close()
      await one.closed
      expect((await request('GET /hello', { headers: { authorization: 'Bearer bad token' } })).status).toBe(401)
      await expect.poll(() => logs.filter(({ message }) => message === 'The limit store failed')).toHaveLength(2)
      expect(calls.toSorted()).toEqual(['adjust', 'release'])
    })

    it('over HTTP sends the quota status with every response, and refuses with 429 and Retry-After [defect 25] [defect 26]', async () => {
      const { request, clock } = await open({ http: { points: 2, per: '1m', burst: 1 } })
      const first = await request('GET /hello', as('ann'))
      expect([first.status, first.text]).toEqual([200, '"hello"'])
      expect(first.headers).toMatchObject({
        ratelimit: '"http";r=2;t=30',
        'ratelimit-policy': '"http";q=3;w=90',
        'x-ratelimit-limit': '3',
        'x-ratelimit-remaining': '2',
        'x-ratelimit-reset': '30',
      })
      expect(first.headers['retry-after']).toBeUndefined()
      await request('GET /other', as('ann'))
      await request('GET /hello', as('ann'))
      await clock.advance(500)
      const refused = await request('GET /hello', as('ann'))
      expect(refused.status).toBe(429)
      expect(refused.json()).toEqual({
        error: {
          code: 'rate_limit_exceeded',
          msg: 'Rate limit exceeded',
          details: { retry_after_ms: 29_500, limit: 3, remaining: 0 },
        },
      })
      expect(refused.headers).toMatchObject({
        'retry-after': '30',
        ratelimit: '"http";r=0;t=90',
        'ratelimit-policy': '"http";q=3;w=90',
        'x-ratelimit-limit': '3',
        'x-ratelimit-remaining': '0',
        'x-ratelimit-reset': '90',
      })
      await clock.advance(29_500)
      expect((await request('GET /hello', as('ann'))).status).toBe(200)
    })

    it('sends the quota status with error responses', async () => {
      const broken = route({
        http: 'GET /hello',
        handler: () => {
          throw new PermissionDeniedError()
        },
      })
      const { request } = await open({ http: '10/m' }, { HELLO: broken, OTHER: other })
      const { status, headers } = await request('GET /hello', as('ann'))
      expect([status, headers['x-ratelimit-remaining'], headers.ratelimit]).toEqual([403, '9', '"http";r=9;t=6'])
    })

    it('counts each identity separately, and callers without one by address', async () => {
      const open_ = route({ http: 'GET /hello', access: 'public', handler: () => 'hello' })
      const { request } = await open({ http: '1/m' }, { HELLO: open_, OTHER: other })
      const status = async (target: string, options = {}) => (await request(target, options)).status
      expect(await status('GET /other', as('ann'))).toBe(200)
      expect(await status('GET /other', as('ann'))).toBe(429)
      expect(await status('GET /other', as('bob'))).toBe(200)
      expect(await status('GET /hello')).toBe(200)
      expect(await status('GET /hello')).toBe(429)
    })

    it('over WebSocket answers rate_limit_exceeded, over all connections of an identity, and leaves them open [defect 28]', async () => {
      const { client, clock, app } = await open({ websocket: '2/m' })
      const [one, two] = [await client(as('ann')), await client(as('ann'))]
      await one.call('HELLO')
      await two.call('OTHER')
      for (const each of [one, two])
        expect(await refusal(each.call('HELLO'))).toEqual({
          code: 'rate_limit_exceeded',
          httpStatus: 429,
          details: { retry_after_ms: 30_000, limit: 2, remaining: 0 },
        })
      expect(await (await client(as('bob'))).call('HELLO')).toBe('hello')
      await clock.advance(30_000)
      expect(await one.call('HELLO')).toBe('hello')
      expect(app.hub.size).toBe(3)
    })

    it('has separate limits for the two wires', async () => {
      const { client, request } = await open({ websocket: '1/m', http: '1/m' })
      const ann = await client(as('ann'))
      await ann.call('HELLO')
      expect((await request('GET /hello', as('ann'))).status).toBe(200)
      expect((await request('GET /hello', as('ann'))).status).toBe(429)
      expect((await refusal(ann.call('HELLO'))).code).toBe('rate_limit_exceeded')
    })

    it('closes a connection with 1008 after closeAfterViolations consecutive violations', async () => {
      const { client, clock, app } = await open({ websocket: '1/m', closeAfterViolations: 3 })
      const ann = await client(as('ann'))
      await ann.call('HELLO')
      for (let i = 0; i < 2; i++) await refusal(ann.call('HELLO'))
      await clock.advance(60_000)
      // Not consecutive: the count starts again.
      await ann.call('HELLO')
      for (let i = 0; i < 3; i++) expect((await refusal(ann.call('HELLO'))).code).toBe('rate_limit_exceeded')
      expect(await ann.closed).toEqual({ code: 1008, reason: 'Message rate limit exceeded' })
      expect(app.hub.size).toBe(0)
    })

    it('closes it for violations of the limit of a route too, although other limits accept the call', async () => {
      const limited = route({ http: 'GET /hello', use: [limit('1/h')], handler: () => 'hello' })
      const { client } = await open({ websocket: '100/m', closeAfterViolations: 3 }, { HELLO: limited, OTHER: other })
      const ann = await client(as('ann'))
      await ann.call('HELLO')
      for (let i = 0; i < 2; i++) await refusal(ann.call('HELLO'))
      // Not consecutive: the count starts again.
      await ann.call('OTHER')
      for (let i = 0; i < 3; i++) expect((await refusal(ann.call('HELLO'))).code).toBe('rate_limit_exceeded')
      expect(await ann.closed).toEqual({ code: 1008, reason: 'Message rate limit exceeded' })
    })

    it('counts packages that are refused because too many are in flight', async () => {
      const waiting: ((text: string) => void)[] = []
      const slow = route({ http: 'GET /hello', handler: () => new Promise<string>((go) => waiting.push(go)) })
      const { client } = await open({ websocket: '70/m' }, { HELLO: slow, OTHER: other })
      const ann = await client(as('ann'))
      const running = Array.from({ length: 64 }, () => ann.call('HELLO'))
      for (let i = 0; i < 6; i++) expect((await refusal(ann.call('OTHER'))).code).toBe('too_many_in_flight')
      for (const go of waiting) go('done')
      await Promise.all(running)
      expect((await refusal(ann.call('OTHER'))).code).toBe('rate_limit_exceeded')
    })

    it('counts packages with an unknown PkgID', async () => {
      const { connect, client } = await open({ websocket: '3/m', closeAfterViolations: 2 })
      const socket = await connect(as('ann'))
      const send = () => socket.send(JSON.stringify({ pkg_id: 99, req_id: '00000000-0000-4000-8000-000000000000' }))
      for (let i = 0; i < 3; i++) {
        send()
        expect(String((await socket.next()).data)).toContain('not_found')
      }
      expect((await refusal((await client(as('ann'))).call('HELLO'))).code).toBe('rate_limit_exceeded')
      send()
      send()
      expect(await socket.closed).toEqual({ code: 1008, reason: 'Message rate limit exceeded' })
    })

    it('limits a route over both wires together', async () => {
      const limited = route({ http: 'GET /hello', use: [limit('2/h')], handler: () => 'hello' })
      const { client, request } = await open({}, { HELLO: limited, OTHER: other })
      const ann = await client(as('ann'))
      await ann.call('HELLO')
      expect((await request('GET /hello', as('ann'))).headers.ratelimit).toBe('"HELLO";r=0;t=3600')
      expect((await refusal(ann.call('HELLO'))).details).toMatchObject({ limit: 2, remaining: 0 })
      expect((await request('GET /hello', as('ann'))).status).toBe(429)
      expect(await ann.call('OTHER')).toBe('other')
      expect((await request('GET /hello', as('bob'))).status).toBe(200)
    })

    it('charges no limit for a call that another limit refuses, and shows it in the headers', async () => {
      const limited = route({
        http: 'GET /hello',
        use: [limit('5/h'), limit({ points: 9, per: '1h', cost: 3, name: 'a' }, { points: 2, per: '1h', name: 'b' })],
        handler: () => 'hello',
      })
      const { request, limits } = await open({ http: '10/h' }, { HELLO: limited, OTHER: other })
      const left = async () => (await limits.peek({ identity: 'ann' })).map(({ rule, remaining }) => [rule, remaining])
      await request('GET /hello', as('ann'))
      const passed = await request('GET /hello', as('ann'))
      const after = [
        ['http', 8],
        ['HELLO', 3],
        ['a', 3],
        ['b', 0],
      ]
      expect(await left()).toEqual(after)
      expect(passed.headers.ratelimit).toBe('"http";r=8;t=720, "HELLO";r=3;t=1440, "a";r=3;t=2400, "b";r=0;t=3600')
      expect(passed.headers['ratelimit-policy']).toBe(
        '"http";q=10;w=3600, "HELLO";q=5;w=3600, "a";q=9;w=3600, "b";q=2;w=3600',
      )
      for (let i = 0; i < 3; i++) {
        const refused = await request('GET /hello', as('ann'))
        expect(refused.status).toBe(429)
        expect(refused.headers.ratelimit).toBe(passed.headers.ratelimit)
        expect(refused.headers).toMatchObject({
          'x-ratelimit-limit': '2',
          'x-ratelimit-remaining': '0',
          'retry-after': '1800',
        })
      }
      expect(await left()).toEqual(after)
    })

    it('does not refund what has refilled during the call', async () => {
      const waiting: (() => void)[] = []
      const slow = guard({ name: 'slow', run: () => new Promise<void>((resolve) => waiting.push(resolve)) })
      const limited = route({ http: 'GET /hello', use: [limit('2/s'), slow, limit('1/d')], handler: () => 'hello' })
      const { client, clock, limits } = await open({}, { HELLO: limited, OTHER: other })
      const left = async () => (await limits.peek({ identity: 'ann', rule: 'HELLO' }))[0]?.remaining
      const ann = await client(as('ann'))
      const begin = async (count: number) => {
        const before = waiting.length
        const calls = Array.from({ length: count }, () => refusal(ann.call('HELLO')).catch(() => null))
        while (waiting.length < before + count) await new Promise((resolve) => setImmediate(resolve))
        return calls
      }
      const first = await begin(2)
      await clock.advance(1000)
      const second = await begin(2)
      expect(await left()).toBe(0)
      for (const go of waiting.splice(0, 2)) go()
      await Promise.all(first)
      // Without the first two calls the bucket would be as empty.
      expect(await left()).toBe(0)
      await clock.advance(499)
      for (const go of waiting.splice(0)) go()
      await Promise.all(second)
      expect(await left()).toBe(2)
    })

    it('has limits by address, by route, or by a function of the call, which sees what earlier steps have added', async () => {
      const tenant = () => guard({ name: 'tenant', run: ({ headers }) => ({ tenant: headers['x-tenant'] ?? null }) })
      const byTenant = limit({ points: 1, per: '1h', key: (call: Call & { tenant: string | null }) => call.tenant })
      const limited = route({ http: 'GET /hello', access: 'public', use: [tenant(), byTenant], handler: () => 'one' })
      const shared = route({
        http: 'GET /other',
        access: 'public',
        use: [limit({ points: 2, per: '1h', key: 'route' }, { points: 9, per: '1h', key: 'address' })],
        handler: () => 'one',
      })
      const { request, limits } = await open({}, { HELLO: limited, OTHER: shared })
      const status = async (target: string, headers = {}) => (await request(target, { headers })).status
      expect(await status('GET /hello', { 'x-tenant': 'red' })).toBe(200)
      expect(await status('GET /hello', { 'x-tenant': 'red' })).toBe(429)
      expect(await status('GET /hello', { 'x-tenant': 'blue' })).toBe(200)
      // Null: the limit does not apply.
      for (let i = 0; i < 3; i++) expect(await status('GET /hello')).toBe(200)
      expect(await status('GET /other')).toBe(200)
      expect(await status('GET /other')).toBe(200)
      expect(await status('GET /other')).toBe(429)
      expect(await limits.peek({ address: '127.0.0.1' })).toMatchObject([{ rule: 'OTHER 2', limit: 9, remaining: 7 }])
      await limits.reset({ route: 'OTHER' })
      await limits.reset({ key: 'red' })
      expect(await status('GET /other')).toBe(200)
      expect(await status('GET /hello', { 'x-tenant': 'red' })).toBe(200)
    })

    it('shares the buckets of limits with the same name', async () => {
      const exports = limit({ points: 2, per: '1h', name: 'exports' })
      const one = route({ http: 'GET /hello', use: [exports], handler: () => 'one' })
      const two = route({
        http: 'GET /other',
        use: [limit({ points: 2, per: '1h', name: 'exports' })],
        handler: () => 'one',
      })
      const { request } = await open({}, { HELLO: one, OTHER: two })
      expect((await request('GET /hello', as('ann'))).status).toBe(200)
      expect((await request('GET /other', as('ann'))).headers.ratelimit).toBe('"exports";r=0;t=3600')
      expect((await request('GET /hello', as('ann'))).status).toBe(429)
    })

    it('fills buckets on reset, of one limit or of all limits of a subject', async () => {
      const limited = route({ http: 'GET /hello', use: [limit('1/h')], handler: () => 'hello' })
      const { request, limits } = await open({ http: '2/h' }, { HELLO: limited, OTHER: other })
      const status = async (target: string) => (await request(target, as('ann'))).status
      expect([await status('GET /hello'), await status('GET /hello'), await status('GET /other')]).toEqual([
        200, 429, 200,
      ])
      await limits.reset({ identity: 'ann', rule: 'HELLO' })
      expect([await status('GET /hello'), await status('GET /other')]).toEqual([429, 429])
      await limits.reset({ identity: 'ann' })
      expect(await limits.peek({ identity: 'ann' })).toEqual([
        { rule: 'http', limit: 2, remaining: 2, retryAfterMs: 0, resetMs: 0 },
        { rule: 'HELLO', limit: 1, remaining: 1, retryAfterMs: 0, resetMs: 0 },
      ])
      expect(await status('GET /hello')).toBe(200)
    })

    it('does not limit skipped paths, the paths below them, and skipped routes', async () => {
      const { request, client } = await open({
        http: '1/m',
        websocket: '1/m',
        preAuthentication: { points: 2, failureCost: 0 },
        skip: ['/health', '/other', 'HELLO'],
      })
      for (let i = 0; i < 3; i++) {
        expect((await request('GET /health/live')).status).toBe(200)
        expect((await request('GET /other', as('ann'))).status).toBe(200)
      }
      const { headers } = await request('GET /other', as('ann'))
      expect(headers['x-ratelimit-limit']).toBeUndefined()
      const ann = await client(as('ann'))
      for (let i = 0; i < 3; i++) expect(await ann.call('HELLO')).toBe('hello')
      expect((await request('GET /otherwise')).status).toBe(404)
      expect((await request('GET /otherwise')).status).toBe(429)
    })

    it('counts refused calls by limit_type', async () => {
      const { request, client, app } = await open({
        http: ['1/m', { points: 3, per: '1m', key: 'address' }],
        websocket: '1/m',
      })
      const ann = await client(as('ann'))
      await ann.call('HELLO')
      await refusal(ann.call('HELLO'))
      for (const name of ['ann', 'ann', 'bob', 'eve', 'joe']) await request('GET /hello', as(name))
      const hits = app.instruments.families().find(({ name }) => name === 'rate_limit_hits_total')
      const countOf = (cell: object): unknown => ('value' in cell ? cell.value : null)
      expect(
        Object.fromEntries((hits?.cells ?? []).map(({ labels, cell }) => [labels.limit_type, countOf(cell)])),
      ).toEqual({
        per_user: 1,
        per_ip: 1,
        websocket: 1,
      })
    })

    it('does nothing when it is disabled', async () => {
      const limited = route({ http: 'GET /hello', use: [limit('1/h')], handler: () => 'hello' })
      const { request, limits, client } = await open(
        { enabled: false, http: '1/h', preAuthentication: {} },
        { HELLO: limited, OTHER: other },
      )
      for (let i = 0; i < 3; i++) {
        const { status, headers } = await request('GET /hello', as('ann'))
        expect([status, headers.ratelimit]).toEqual([200, undefined])
      }
      expect(await (await client(as('ann'))).call('HELLO')).toBe('hello')
      expect(await limits.peek({ identity: 'ann' })).toEqual([])
      await limits.reset({ identity: 'ann' })
    })
  })
})
