import { BootError, createApp, route } from '@twinwire/core'
import { createTestApp, createTestLogger, memoryTransport } from '@twinwire/core/testing'
import { describe, expect, it } from 'vitest'
import { MemoryStore } from './memory/memory-store.ts'
import { type RateLimitOptions, resolveOptions } from './options.ts'
import { rateLimit } from './ratelimit-plugin.ts'
import { limit } from './steps.ts'
import type { LimitStoreFactory } from './store.ts'

/** As a configuration from JSON might have it. */
const make = (options: unknown) => () => rateLimit(options as RateLimitOptions)

const boot = async (plugins: Parameters<typeof createApp>[0]['plugins'], use = [limit('1/s')] as const) => {
  const hello = route({ http: 'GET /hello', use, handler: () => 1 })
  const options = {
    pkgIds: { HELLO: 1 },
    routes: { HELLO: hello },
    environment: 'test',
    transport: memoryTransport(),
  } as const
  const app = createApp({ ...options, log: createTestLogger(), ...(plugins === undefined ? {} : { plugins }) })
  try {
    await app.ready()
  } finally {
    await app.close()
  }
}

describe('options of rateLimit()', () => {
  it('have defaults', () => {
    expect(resolveOptions({})).toMatchObject({
      enabled: true,
      store: { name: 'memory' },
      onStoreError: 'local',
      breaker: { enabled: true, failures: 3, resetMs: 30_000 },
      http: [{ points: 60, periodMs: 60_000, burst: 10, cost: 1, key: 'identity' }],
      websocket: [{ points: 100, periodMs: 60_000, burst: 0, key: 'identity' }],
      arrive: { limit: { points: 600, periodMs: 60_000, key: 'address' }, failureCost: 20 },
      connections: { perIdentity: 5, perAddress: 100, leaseMs: 15_000 },
      closeAfter: null,
      skip: ['/health', '/metrics'],
    })
  })

  it.each([
    [{ limit: 1 }, 'unknown_option', 'Unknown option of rateLimit(): limit; known: enabled, store'],
    [null, 'bad_option', 'rateLimit() takes an object of options'],
    [{ enabled: 'no' }, 'bad_option', 'enabled must be true or false'],
    [{ store: 'redis://127.0.0.1' }, 'bad_option', 'store must be what memoryStore() or redisStore(url) makes'],
    [{ store: null }, 'bad_option', 'store must be what'],
    [{ onStoreError: 'open' }, 'bad_option', "onStoreError must be 'allow', 'deny' or 'local', not 'open'"],
    [{ http: '10/x' }, 'bad_option', "http of rateLimit(): '10/x' is no limit"],
    [{ http: ['10/m', { points: 1 }] }, 'bad_option', 'http of rateLimit(): per must be a time'],
    [{ websocket: {} }, 'bad_option', 'websocket of rateLimit(): per must be a time'],
    [{ arrive: { points: 5 } }, 'bad_option', 'failedAuthentication must be a whole number from 0 to 5, not 20'],
    [{ arrive: { key: 'identity' } }, 'unknown_option', 'Unknown option of arrive of rateLimit(): key'],
    [{ connections: { perIdentity: 0 } }, 'bad_option', 'perIdentity must be a whole number from 1, not 0'],
    [{ connections: { perUser: 3 } }, 'unknown_option', 'known: perIdentity, perAddress, leaseMs'],
    [{ connections: { leaseMs: 10 } }, 'bad_option', 'leaseMs must be a whole number from 1000'],
    [{ breaker: { failures: 0 } }, 'bad_option', 'failures must be a whole number from 1'],
    [{ breaker: { enabled: 1 } }, 'bad_option', 'breaker.enabled must be true or false'],
    [{ breaker: { timeout: 1 } }, 'unknown_option', 'known: enabled, failures, resetMs'],
    [{ closeAfter: 0 }, 'bad_option', 'closeAfter of rateLimit() must be a whole number from 1'],
    [{ skip: ['/'] }, 'bad_option', "skip must not name '/', below which everything lies"],
    [
      {
        http: [
          { points: 1, per: '1s', name: 'a' },
          { points: 1, per: '1s', name: 'a' },
        ],
      },
      'bad_option',
      "http of rateLimit() has two limits called 'a'",
    ],
    [{ skip: '/health' }, 'bad_option', 'skip must be a list of paths and names of routes'],
  ])('%j do not boot', (options, code, message) => {
    expect(make(options)).toThrow(expect.objectContaining({ code, message: expect.stringContaining(message) }))
  })

  it('skip a route that is there', async () => {
    await expect(boot([rateLimit({ skip: ['HELO'] })])).rejects.toThrow(
      new BootError(
        'bad_option',
        "skip of rateLimit() names 'HELO', which is neither a route nor a path: paths begin with /",
      ),
    )
    await boot([rateLimit({ skip: ['HELLO'] })])
  })

  it('have limits of one name only with the same figures', async () => {
    const use = [limit({ points: 1, per: '1s', name: 'http' })] as const
    await expect(boot([rateLimit()], use)).rejects.toThrow(/^Two limits are called 'http' and differ/)
  })

  it('are those of one app', async () => {
    const limits = rateLimit()
    await expect(limits.peek({ identity: 'ann' })).rejects.toThrow(
      'limits can be asked for and reset while their app runs',
    )
    const first = await createTestApp({ pkgIds: {}, routes: {}, plugins: [limits] })
    await expect(boot([limits])).rejects.toThrow(/^One rateLimit\(\) is used by two apps/)
    expect(await limits.peek({ identity: 'ann' })).toHaveLength(2)
    await first.close()
    await expect(limits.reset({ identity: 'ann' })).rejects.toThrow(BootError)
    await boot([limits])
  })
})

it('limit() without the plugin does not boot', async () => {
  await expect(boot([])).rejects.toThrow("Route HELLO: the step 'rateLimit.limit(1/s)' needs the plugin 'rateLimit'")
})

it('limit() needs a limit, and no two of one name', () => {
  expect(() => limit()).toThrow("limit() needs a limit, such as limit('100/m')")
  const named = { points: 1, per: '1s', name: 'a' } as const
  expect(() => limit(named, named)).toThrow("limit() has two limits called 'a'")
})

describe('a store elsewhere that is away', () => {
  const away: LimitStoreFactory = {
    name: 'The store',
    remote: true,
    service: 'redis',
    open: ({ clock }) =>
      Object.assign(new MemoryStore(clock, 10), {
        consume: () => Promise.reject(new Error('away')),
        acquire: () => Promise.reject(new Error('away')),
        ping: () => Promise.reject(new Error('away')),
      }),
  }
  const start = (onStoreError: 'allow' | 'deny' | 'local') =>
    createTestApp({
      pkgIds: { HELLO: 1 },
      routes: { HELLO: route({ http: 'GET /hello', handler: () => 'hello' }) },
      plugins: [rateLimit({ store: away, onStoreError })],
    })

  it('with deny answers unavailable, refuses connections as a fault of ours, and says so to probes', async () => {
    const { request, connect, close } = await start('deny')
    const refused = await request('GET /hello')
    expect([refused.status, refused.json()]).toMatchObject([503, { error: { code: 'unavailable' } }])
    await expect(connect()).rejects.toMatchObject({ status: 503 })
    const health = await request('GET /health')
    expect([health.status, health.json()]).toMatchObject([503, { status: 'unhealthy', redis: 'unhealthy' }])
    await close()
  })

  it('with deny costs no line for each package that leads nowhere', async () => {
    const { connect, logs, close } = await createTestApp({
      pkgIds: {},
      routes: {},
      plugins: [rateLimit({ store: away, onStoreError: 'deny', arrive: false, connections: false })],
    })
    const socket = await connect()
    for (let i = 0; i < 10; i++) {
      socket.send(JSON.stringify({ pkg_id: 99, req_id: '00000000-0000-4000-8000-000000000000' }))
      expect(String((await socket.next()).data)).toContain('not_found')
    }
    expect(logs.filter(({ message }) => message.includes('hook'))).toEqual([])
    await close()
  })

  it('is not asked about packages that lead nowhere where packages have no limit', async () => {
    let asked = 0
    const watched: LimitStoreFactory = {
      ...away,
      open: ({ clock }) =>
        Object.assign(new MemoryStore(clock, 10), {
          consume: () => {
            asked++
            return Promise.reject(new Error('away'))
          },
        }),
    }
    const { connect, close } = await createTestApp({
      pkgIds: {},
      routes: {},
      plugins: [rateLimit({ store: watched, websocket: false, arrive: false, connections: false })],
    })
    const socket = await connect()
    socket.send(JSON.stringify({ pkg_id: 99, req_id: '00000000-0000-4000-8000-000000000000' }))
    await socket.next()
    expect(asked).toBe(0)
    await close()
  })

  it.each(['allow', 'local'] as const)('with %s answers, and stays in service', async (onStoreError) => {
    const { request, client, app, close } = await start(onStoreError)
    expect((await request('GET /hello')).status).toBe(200)
    expect(await (await client()).call('HELLO')).toBe('hello')
    expect((await request('GET /health/ready')).status).toBe(200)
    const health = await request('GET /health')
    expect([health.status, health.json()]).toMatchObject([200, { status: 'healthy', redis: 'unhealthy' }])
    const { findings } = await app.doctor()
    expect(findings.find(({ check }) => check === 'rate limit store')).toMatchObject({ level: 'warn' })
    await close()
  })
})
