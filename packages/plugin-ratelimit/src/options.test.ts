import { BootError, createApp, route } from '@twinwire/core'
import { createTestApp, createTestLogger, memoryTransport } from '@twinwire/core/testing'
import { describe, expect, it } from 'vitest'
import { limit } from './limit-step.ts'
import { MemoryStore } from './memory/memory-store.ts'
import { type RateLimitOptions, resolveOptions } from './options.ts'
import { rateLimit } from './ratelimit-plugin.ts'
import type { LimitStoreFactory } from './store.ts'

/** The type of a configuration that was read from JSON. */
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
      files: [{ points: 3000, periodMs: 60_000, burst: 600, cost: 1, key: 'identity' }],
      websocket: [{ points: 100, periodMs: 60_000, burst: 0, key: 'identity' }],
      preAuthentication: { limit: { points: 600, periodMs: 60_000, key: 'address' }, failureCost: 20 },
      connections: { perIdentity: 5, perAddress: 100, leaseMs: 15_000 },
      closeAfterViolations: null,
      skip: ['/health', '/metrics'],
    })
  })

  it.each([
    [{ limit: 1 }, 'unknown_option', 'rateLimit(): limit is not an option. Known options: enabled, store'],
    [null, 'bad_option', 'rateLimit(): must be an object of options, received null'],
    [{ enabled: 'no' }, 'bad_option', "rateLimit(): enabled must be true or false, received 'no'"],
    [
      { store: 'redis://127.0.0.1' },
      'bad_option',
      'store must be memoryStore(), redisStore(url) or a custom store with the same shape',
    ],
    [{ store: null }, 'bad_option', 'store must be memoryStore()'],
    [{ onStoreError: 'open' }, 'bad_option', "onStoreError must be one of 'allow', 'deny', 'local', received 'open'"],
    [{ http: '10/x' }, 'bad_option', 'rateLimit(): http must be points/unit with the unit'],
    [{ http: ['10/m', { points: 1 }] }, 'bad_option', 'rateLimit(): http[1].per is required'],
    [{ websocket: {} }, 'bad_option', 'rateLimit(): websocket.points is required'],
    [
      { preAuthentication: { points: 5 } },
      'bad_option',
      'preAuthentication.failureCost must be at most points and burst together (5), received 20',
    ],
    [
      { preAuthentication: { key: 'identity' } },
      'unknown_option',
      'rateLimit(): preAuthentication.key is not an option',
    ],
    [
      { connections: { perIdentity: 0 } },
      'bad_option',
      'connections.perIdentity must be false or an integer from 1 to 1000000, received 0',
    ],
    [{ connections: { perUser: 3 } }, 'unknown_option', 'Known options: perIdentity, perAddress, leaseMs'],
    [
      { connections: { leaseMs: 10 } },
      'bad_option',
      'connections.leaseMs must be an integer from 1000 to 3600000 (milliseconds), received 10',
    ],
    [{ breaker: { failures: 0 } }, 'bad_option', 'breaker.failures must be an integer from 1 to 1000000, received 0'],
    [{ breaker: { enabled: 1 } }, 'bad_option', 'breaker.enabled must be true or false'],
    [{ breaker: { timeout: 1 } }, 'unknown_option', 'Known options: enabled, failures, resetMs'],
    [
      { closeAfterViolations: 0 },
      'bad_option',
      'rateLimit(): closeAfterViolations must be an integer of at least 1, received 0',
    ],
    [{ skip: ['/'] }, 'bad_option', "skip[0] must be a path below '/', or the name of a route, received '/'"],
    [
      {
        http: [
          { points: 1, per: '1s', name: 'a' },
          { points: 1, per: '1s', name: 'a' },
        ],
      },
      'bad_option',
      "rateLimit(): http must have different names, received 'a'",
    ],
    [{ skip: '/health' }, 'bad_option', 'skip must be a list of paths and names of routes'],
  ])('refuse %j', (options, code, message) => {
    expect(make(options)).toThrow(expect.objectContaining({ code, message: expect.stringContaining(message) }))
  })

  it('skip an existing route', async () => {
    await expect(boot([rateLimit({ skip: ['HELO'] })])).rejects.toThrow(
      new BootError(
        'bad_option',
        "rateLimit(): skip contains 'HELO', which is not the name of a route; a path must begin with /",
      ),
    )
    await boot([rateLimit({ skip: ['HELLO'] })])
  })

  it('have limits of the same name only with the same points, per and burst', async () => {
    const use = [limit({ points: 1, per: '1s', name: 'http' })] as const
    await expect(boot([rateLimit()], use)).rejects.toThrow(/^Two limits with the name 'http' differ/)
  })

  it('belong to one application', async () => {
    const limits = rateLimit()
    await expect(limits.peek({ identity: 'ann' })).rejects.toThrow(
      'rateLimit(): reset() and peek() work only while the application is running',
    )
    const first = await createTestApp({ pkgIds: {}, routes: {}, plugins: [limits] })
    await expect(boot([limits])).rejects.toThrow(/^One rateLimit\(\) plugin is used by two running applications/)
    expect(await limits.peek({ identity: 'ann' })).toHaveLength(2)
    await first.close()
    await expect(limits.reset({ identity: 'ann' })).rejects.toThrow(BootError)
    await boot([limits])
  })
})

it('limit() without the plugin does not boot', async () => {
  await expect(boot([])).rejects.toThrow("Route HELLO: the step 'rateLimit.limit(1/s)' requires the plugin 'rateLimit'")
})

it('limit() needs at least one limit, and different names', () => {
  expect(() => limit()).toThrow("limit() needs at least one limit, such as limit('100/m')")
  const named = { points: 1, per: '1s', name: 'a' } as const
  expect(() => limit(named, named)).toThrow("limit(): the limits must have different names, received 'a'")
})

describe('a remote store that is unreachable', () => {
  const unreachable: LimitStoreFactory = {
    name: 'The store',
    remote: true,
    service: 'redis',
    open: ({ clock }) =>
      Object.assign(new MemoryStore(clock, 10), {
        consume: () => Promise.reject(new Error('unreachable')),
        acquire: () => Promise.reject(new Error('unreachable')),
        ping: () => Promise.reject(new Error('unreachable')),
      }),
  }
  const start = (onStoreError: 'allow' | 'deny' | 'local') =>
    createTestApp({
      pkgIds: { HELLO: 1 },
      routes: { HELLO: route({ http: 'GET /hello', handler: () => 'hello' }) },
      plugins: [rateLimit({ store: unreachable, onStoreError })],
    })

  it('with deny answers unavailable, refuses connections with 503, and fails health checks [defect 18]', async () => {
    const { request, connect, close } = await start('deny')
    const refused = await request('GET /hello')
    expect([refused.status, refused.json()]).toMatchObject([503, { error: { code: 'unavailable' } }])
    await expect(connect()).rejects.toMatchObject({ status: 503 })
    const health = await request('GET /health')
    expect([health.status, health.json()]).toMatchObject([503, { status: 'unhealthy', redis: 'unhealthy' }])
    await close()
  })

  it('with deny does not log a line for each package with an unknown PkgID', async () => {
    const { connect, logs, close } = await createTestApp({
      pkgIds: {},
      routes: {},
      plugins: [rateLimit({ store: unreachable, onStoreError: 'deny', preAuthentication: false, connections: false })],
    })
    const socket = await connect()
    for (let i = 0; i < 10; i++) {
      socket.send(JSON.stringify({ pkg_id: 99, req_id: '00000000-0000-4000-8000-000000000000' }))
      expect(String((await socket.next()).data)).toContain('not_found')
    }
    expect(logs.filter(({ message }) => message.includes('hook'))).toEqual([])
    await close()
  })

  it('is not called for unknown PkgIDs when packages have no limit', async () => {
    let calls = 0
    const counting: LimitStoreFactory = {
      ...unreachable,
      open: ({ clock }) =>
        Object.assign(new MemoryStore(clock, 10), {
          consume: () => {
            calls++
            return Promise.reject(new Error('unreachable'))
          },
        }),
    }
    const { connect, close } = await createTestApp({
      pkgIds: {},
      routes: {},
      plugins: [rateLimit({ store: counting, websocket: false, preAuthentication: false, connections: false })],
    })
    const socket = await connect()
    socket.send(JSON.stringify({ pkg_id: 99, req_id: '00000000-0000-4000-8000-000000000000' }))
    await socket.next()
    expect(calls).toBe(0)
    await close()
  })

  it.each(['allow', 'local'] as const)('with %s answers, and stays ready', async (onStoreError) => {
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
