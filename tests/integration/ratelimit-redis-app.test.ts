import { route } from '@twinwire/core'
import { CallError, networkRawClient, onTransports, type RawSocket } from '@twinwire/core/testing'
import { limit, type RateLimitOptions, type RedisStoreOptions, rateLimit, redisStore } from '@twinwire/plugin-ratelimit'
import type { Redis } from 'ioredis'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { admit } from '../support/admit.ts'
import { startChildApp } from '../support/child-app.ts'
import { hasOwnRedis, redisClient } from '../support/redis.ts'
import { type RedisServer, startRedisServer } from '../support/redis-server.ts'

const pkgIds = { HELLO: 1 } as const
const routes = { HELLO: route({ http: 'GET /hello', use: [limit('10/h')], handler: () => 'hello' }) }
/** Each test enables the limits that it needs. */
const off = { http: false, websocket: false, preAuthentication: false, connections: false } as const
const asAnn = { headers: { authorization: 'Bearer ann' } }
const tooMany = { code: 1008, reason: 'Maximum concurrent connections exceeded' }
const eventually = (check: () => Promise<void> | void): Promise<void> =>
  vi.waitFor(check, { timeout: 25_000, interval: 20 })

describe.skipIf(!hasOwnRedis())('an application with its limits in Redis', () => {
  let server: RedisServer
  let url: string
  let client: Redis

  beforeAll(async () => {
    server = await startRedisServer()
    url = `redis://127.0.0.1:${server.port}`
  })
  beforeEach(async () => {
    await server.restart()
    client = redisClient(url)
  })
  afterEach(() => {
    client.disconnect()
  })
  afterAll(() => server?.stop())

  /** How many scripts Redis has run. */
  const scripts = async (): Promise<number> => {
    const stats = await client.info('commandstats')
    return [...stats.matchAll(/cmdstat_eval(?:sha)?:calls=(\d+)/g)].reduce((sum, [, calls]) => sum + Number(calls), 0)
  }

  onTransports({ describe, afterEach }, ({ start }) => {
    const open = (options: RateLimitOptions = {}, store: Partial<RedisStoreOptions> = {}) =>
      start({
        pkgIds,
        routes,
        plugins: [
          admit,
          rateLimit({ ...off, store: redisStore({ url, commandTimeoutMs: 10_000, ...store }), ...options }),
        ],
      })
    type Opened = Awaited<ReturnType<typeof open>>
    const status = async ({ request }: Opened): Promise<number> => (await request('GET /hello', asAnn)).status
    const logged = ({ logs }: Opened): readonly string[] =>
      logs.filter(({ level }) => level === 'warn' || level === 'error').map(({ message }) => message)
    const login = async ({ connect }: Opened, token: string): Promise<RawSocket> => {
      const socket = await connect()
      socket.send(JSON.stringify({ type: 'auth', token }))
      return socket
    }
    const codeOf = (call: Promise<unknown>): Promise<string> =>
      call.then(
        () => 'passed',
        (error: unknown) => (error instanceof CallError ? error.code : String(error)),
      )

    it('counts both wires of all its processes together', async () => {
      const [one, two] = [await open(), await open()]
      const ann = await one.client({ handshake: { type: 'auth', token: 'ann' } })
      const statuses: unknown[] = []
      for (let i = 0; i < 4; i += 1) {
        statuses.push(await status(one), await status(two), await codeOf(ann.call('HELLO')))
      }
      expect(statuses).toEqual([
        ...[200, 200, 'passed'],
        ...[200, 200, 'passed'],
        ...[200, 200, 'passed'],
        ...[200, 429, 'rate_limit_exceeded'],
      ])
      const { headers } = await two.request('GET /hello', asAnn)
      expect(headers).toMatchObject({ 'x-ratelimit-limit': '10', 'x-ratelimit-remaining': '0' })
      expect(Number(headers['retry-after'])).toBeGreaterThan(300)
    })

    it('calls Redis only a few times when one caller is refused 10,000 times', async () => {
      const app = await open()
      const ann = await app.client({ handshake: { type: 'auth', token: 'ann' } })
      for (let i = 0; i < 10; i += 1) await ann.call('HELLO')
      expect(await codeOf(ann.call('HELLO'))).toBe('rate_limit_exceeded')
      const before = await scripts()
      const codes = new Map<string, number>()
      for (let i = 0; i < 10_000; i += 50) {
        for (const code of await Promise.all(Array.from({ length: 50 }, () => codeOf(ann.call('HELLO'))))) {
          codes.set(code, (codes.get(code) ?? 0) + 1)
        }
      }
      expect([...codes]).toEqual([['rate_limit_exceeded', 10_000]])
      expect((await scripts()) - before).toBeLessThanOrEqual(5)
    }, 120_000)

    it('limits in its process while Redis is unreachable, logs it once, and uses Redis again', async () => {
      const app = await open({ breaker: { failures: 3, resetMs: 50 } })
      expect(await status(app)).toBe(200)
      await server.crash()
      await eventually(async () => {
        await status(app)
        expect(logged(app).some((line) => line.includes('each process applies its limits on its own'))).toBe(true)
      })
      const statuses = []
      for (let i = 0; i < 30; i += 1) statuses.push(await status(app))
      expect(statuses.slice(-5)).toEqual([429, 429, 429, 429, 429])
      await server.restart()
      // Redis does not know what the process has counted meanwhile.
      await eventually(async () => expect(await status(app)).toBe(200))
      await eventually(async () => expect(await client.keys('twinwire:limit:*')).toHaveLength(1))
      const lines = logged(app)
      expect(lines.filter((line) => line.includes('was lost'))).toHaveLength(1)
      expect(lines.filter((line) => line.includes('each process applies its limits on its own'))).toHaveLength(1)
      expect(lines.filter((line) => line.includes('is available again'))).toHaveLength(1)
    })

    it('answers every call while Redis is slow, and does not call Redis after the third [defect 16]', async () => {
      const app = await open({ breaker: { failures: 3, resetMs: 600_000 } }, { commandTimeoutMs: 50 })
      await client.call('CLIENT', 'PAUSE', 600_000, 'WRITE')
      const ann = await app.client({ handshake: { type: 'auth', token: 'ann' } })
      const codes = []
      for (let i = 0; i < 15; i += 1) codes.push(await codeOf(ann.call('HELLO')))
      expect(codes).toEqual([...Array(10).fill('passed'), ...Array(5).fill('rate_limit_exceeded')])
      await client.call('CLIENT', 'UNPAUSE')
      await eventually(async () => expect(await scripts()).toBe(3))
    })

    it.each([
      ['allow', 200, 'passed'],
      ['deny', 503, 'unavailable'],
    ] as const)(
      "with onStoreError '%s' answers %s while Redis is unreachable, also when it never was reachable [defect 18]",
      async (onStoreError, expected, code) => {
        await server.crash()
        const app = await open({ onStoreError })
        for (let i = 0; i < 12; i += 1) expect(await status(app)).toBe(expected)
        const ann = await app.client({ handshake: { type: 'auth', token: 'ann' } })
        expect(await codeOf(ann.call('HELLO'))).toBe(code)
        const health = await app.request('GET /health')
        expect(health.status).toBe(onStoreError === 'deny' ? 503 : 200)
        expect(health.json()).toMatchObject({ redis: 'unhealthy' })
      },
    )

    it('limits connections over all its processes, and restores its leases after Redis has lost them', async () => {
      const connections = { perIdentity: 3, leaseMs: 3000 }
      const [one, two] = [await open({ connections }), await open({ connections })]
      const sockets = [await login(one, 'ann'), await login(two, 'ann'), await login(one, 'ann')]
      for (const socket of sockets) expect((await socket.next()).data).toContain('auth_ok')
      expect(await (await login(two, 'ann')).closed).toEqual(tooMany)
      await client.flushall()
      const slots = 'twinwire:connections:{identity:ann}'
      await eventually(async () => expect(await client.zcard(slots)).toBe(3))
      expect(await (await login(two, 'ann')).closed).toEqual(tooMany)
      sockets[0]?.close()
      await sockets[0]?.closed
      await eventually(async () => expect(await client.zcard(slots)).toBe(2))
      expect((await (await login(two, 'ann')).next()).data).toContain('auth_ok')
    })

    it('answers every concurrent call, whatever happens to Redis meanwhile', async () => {
      const app = await open({ breaker: { failures: 3, resetMs: 20 } }, { commandTimeoutMs: 100, socketTimeoutMs: 200 })
      const codes = new Map<string, number>()
      let isRunning = true
      const count = (code: string): void => void codes.set(code, (codes.get(code) ?? 0) + 1)
      const callers = Array.from({ length: 8 }, async (_, i) => {
        const token = `caller ${i}`
        const socket = await app.client({ handshake: { type: 'auth', token } })
        const headers = { authorization: `Bearer caller${i}` }
        while (isRunning) {
          const calls = Array.from({ length: 8 }, async () => count(await codeOf(socket.call('HELLO'))))
          await Promise.all([
            ...calls,
            app.request('GET /hello', { headers }).then(({ status }) => count(String(status))),
          ])
        }
      })
      /** Waits for this many further answers. */
      const more = (answers: number): Promise<void> => {
        const total = (): number => [...codes.values()].reduce((sum, each) => sum + each, 0)
        const until = total() + answers
        return eventually(() => expect(total()).toBeGreaterThanOrEqual(until))
      }
      await more(300)
      await server.crash()
      await more(300)
      await server.restart()
      await more(300)
      const operator = redisClient(url)
      for (const fault of [
        () => operator.flushall(),
        () => operator.script('FLUSH'),
        () => operator.call('CLIENT', 'PAUSE', 600_000, 'WRITE'),
        () => operator.call('CLIENT', 'UNPAUSE'),
        () => operator.call('REPLICAOF', '127.0.0.1', '1'),
        () => operator.call('REPLICAOF', 'NO', 'ONE'),
        () => operator.config('SET', 'maxmemory', '1'),
        () => operator.config('SET', 'maxmemory', '0'),
      ]) {
        await fault()
        await more(300)
      }
      server.freeze()
      await more(300)
      server.thaw()
      await more(300)
      isRunning = false
      await Promise.all(callers)
      operator.disconnect()
      expect([...codes.keys()].sort()).toEqual(['200', '429', 'passed', 'rate_limit_exceeded'])
    }, 120_000)

    it('releases every slot when it closes', async () => {
      const app = await open({ connections: { perIdentity: 100, leaseMs: 600_000 } })
      for (let i = 0; i < 20; i += 1) await (await login(app, 'ann')).next()
      expect(await client.zcard('twinwire:connections:{identity:ann}')).toBe(20)
      await app.close()
      expect(await client.keys('twinwire:connections:*')).toEqual([])
    })
  })

  it('frees the slots of a process that was killed', async () => {
    const [killed, other] = await Promise.all(
      ['a', 'b'].map(() => startChildApp('limited-app.ts', { LIMITS_URL: url })),
    )
    if (killed === undefined || other === undefined) throw new Error('Two were started')
    try {
      const [there, here] = [killed, other].map(({ port }) => networkRawClient({ port, defaultPath: '/ws' }))
      if (there === undefined || here === undefined) throw new Error('Two were made')
      const login = async (to: typeof here): Promise<RawSocket> => {
        const socket = await to.connect()
        socket.send(JSON.stringify({ type: 'auth', token: 'ann' }))
        return socket
      }
      for (let i = 0; i < 5; i += 1) expect((await (await login(there)).next()).data).toContain('auth_ok')
      expect(await (await login(here)).closed).toEqual(tooMany)
      killed.kill('SIGKILL')
      await killed.ended
      await eventually(async () => {
        const frame = await (await login(here)).next()
        expect(frame.data).toContain('auth_ok')
      })
      await Promise.all([there.close(), here.close()])
    } finally {
      for (const app of [killed, other]) {
        app.kill('SIGKILL')
        await app.ended
      }
    }
  })
})
