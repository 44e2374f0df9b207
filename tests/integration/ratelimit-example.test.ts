// The example with its limits in Redis, which is stopped while the example runs.
import type { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { type Example, startExample } from '../support/example.ts'
import { httpCall } from '../support/http-call.ts'
import { PackageClient } from '../support/package-client.ts'
import { hasOwnRedis, redisClient } from '../support/redis.ts'
import { type RedisServer, startRedisServer } from '../support/redis-server.ts'

const getAuthors = 1
const eventually = (check: () => Promise<void>): Promise<void> => vi.waitFor(check, { timeout: 25_000, interval: 50 })

describe.skipIf(!hasOwnRedis())('the example with REDIS_URL', () => {
  let server: RedisServer
  let client: Redis
  let example: Example

  beforeAll(async () => {
    server = await startRedisServer()
    client = redisClient(`redis://127.0.0.1:${server.port}/1`)
    await client.ping()
    example = await startExample({
      databaseUrl: 'pglite://memory',
      env: {
        RATE_LIMIT_ENABLED: 'true',
        RATE_LIMIT_PER_MINUTE: '20',
        RATE_LIMIT_BURST: '0',
        // The variables of the reference system, which uses database 1.
        REDIS_IP: '127.0.0.1',
        REDIS_PORT: String(server.port),
        REDIS_COMMAND_TIMEOUT: '10s',
        REDIS_CIRCUIT_BREAKER_TIMEOUT: '1s',
        LOG_CONSOLE_FORMAT: 'json',
      },
    })
  })
  afterAll(async () => {
    await example?.stop('SIGKILL')
    client?.disconnect()
    await server?.stop()
  })

  it('limits in Redis, in its process while Redis is down, and in Redis again, and answers on both wires all the time', async () => {
    const token = example.tokens?.reader ?? ''
    const status = async (): Promise<number> =>
      (await httpCall(`${example.url}/authors`, 'GET', undefined, token)).status
    const packages = await PackageClient.connect(example.socketUrl, token)
    const passes = async (): Promise<void> =>
      expect(await packages.call(getAuthors, {})).toMatchObject({ status_code: 0 })

    const first = await httpCall(`${example.url}/authors`, 'GET', undefined, token)
    expect([first.status, first.headers.get('x-ratelimit-limit'), first.headers.get('x-ratelimit-remaining')]).toEqual([
      200,
      '20',
      '19',
    ])
    // A bucket exists until it is full: for less than a second after one call.
    await eventually(async () => {
      await status()
      await passes()
      expect(await client.keys('twinwire:limit:{identity:*}:*')).toHaveLength(2)
    })
    expect(await client.keys('twinwire:connections:{identity:*}')).toHaveLength(1)

    await server.crash()
    await passes()
    const statuses = []
    for (let i = 0; i < 40; i += 1) statuses.push(await status())
    expect(statuses.filter((each) => each === 200).length).toBeGreaterThanOrEqual(20)
    expect(statuses.at(-1)).toBe(429)
    expect(new Set(statuses)).toEqual(new Set([200, 429]))
    await passes()
    // It serves without Redis, and is not ready: it receives no publications of others.
    const away = { status: 'unhealthy', database: 'healthy', redis: 'unhealthy', broker: 'unhealthy' }
    await eventually(async () =>
      expect(await httpCall(`${example.url}/health`)).toMatchObject({ status: 503, body: away }),
    )

    await server.restart()
    client.disconnect()
    client = redisClient(`redis://127.0.0.1:${server.port}/1`)
    // Redis does not know what the process has counted meanwhile.
    await eventually(async () => {
      expect(await status()).toBe(200)
      await passes()
      // The status alone proves nothing: a point may have refilled in the process. The keys show that Redis counts.
      expect(await client.keys('twinwire:limit:{identity:*}:*')).toHaveLength(2)
    })
    // Its lease is restored by the next renewal, and released when it stops.
    await eventually(async () => expect(await client.keys('twinwire:connections:{identity:*}')).toHaveLength(1))
    expect(await example.stop()).toEqual({ code: 0, signal: null })
    expect(await client.keys('twinwire:connections:*')).toEqual([])
    expect(await packages.closed).toBe(1012)
  }, 120_000)
})
