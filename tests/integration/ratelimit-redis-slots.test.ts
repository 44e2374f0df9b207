import type { ConnectionSlot, Lease } from '@twinwire/plugin-ratelimit'
import type { Redis } from 'ioredis'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { type OpenStore, openRedisStore } from '../support/limit-store.ts'
import { expiresAt, hasOwnRedis, redisClient } from '../support/redis.ts'
import { type RedisServer, startRedisServer } from '../support/redis-server.ts'

const minute = 60_000
const slotOf = (key: string, max = 2): ConnectionSlot => ({ scope: 'identity', key, max })
const lease = (id: string, ...slots: ConnectionSlot[]): Lease => ({ id, slots })
/** Leases with one slot each of a different identity, and one of the same address. */
const manyLeases = (count: number): Lease[] =>
  Array.from({ length: count }, (_, i) =>
    lease(`id ${i}`, slotOf(`someone ${i}`), { ...slotOf('10.0.0.1', count), scope: 'address' }),
  )

describe.skipIf(!hasOwnRedis())('connection slots in Redis', () => {
  let server: RedisServer
  let client: Redis
  let store: OpenStore

  beforeAll(async () => {
    server = await startRedisServer()
    const url = `redis://127.0.0.1:${server.port}`
    client = redisClient(url)
    store = await openRedisStore({ url, commandTimeoutMs: 20_000 })
  })
  afterEach(async () => {
    await client.flushall()
  })
  afterAll(async () => {
    await store?.close()
    client?.disconnect()
    await server?.stop()
  })

  const scripts = async (): Promise<number> => {
    const stats = await client.info('commandstats')
    return Number(/cmdstat_evalsha:calls=(\d+)/.exec(stats)?.[1] ?? 0)
  }

  it('are limited, and free again when they are released', async () => {
    const ada = slotOf('ada')
    expect(await store.acquire(lease('a', ada), minute)).toBeNull()
    expect(await store.acquire(lease('b', ada), minute)).toBeNull()
    expect(await store.acquire(lease('c', ada), minute)).toEqual(ada)
    // Held already: renewed.
    expect(await store.acquire(lease('b', ada), minute)).toBeNull()
    await store.release(lease('a', ada))
    await store.release(lease('never seen', ada))
    expect(await store.acquire(lease('c', ada), minute)).toBeNull()
    expect(await store.acquire(lease('d', ada), minute)).toEqual(ada)
  })

  it('are acquired all or none', async () => {
    const [ada, grace, address] = [
      slotOf('ada'),
      slotOf('grace'),
      { ...slotOf('10.0.0.1', 1), scope: 'address' } as const,
    ]
    expect(await store.acquire(lease('a', ada, address), minute)).toBeNull()
    expect(await store.acquire(lease('b', grace, address), minute)).toEqual(address)
    expect(await client.exists('twinwire:connections:{identity:grace}')).toBe(0)
  })

  it('expire with their key unless they are renewed [defect 27]', async () => {
    const ada = slotOf('ada')
    await store.acquire(lease('renewed', ada), 1)
    await store.renew([lease('renewed', ada)], minute)
    await store.acquire(lease('forgotten', ada), 1)
    await vi.waitFor(async () => expect(await store.acquire(lease('next', ada), minute)).toBeNull(), {
      timeout: 20_000,
    })
    expect(await store.acquire(lease('one more', ada), minute)).toEqual(ada)
    const [key = '', ...others] = await client.keys('*')
    expect(others).toEqual([])
    expect(await client.zrange(key, 0, -1)).toEqual(expect.arrayContaining(['renewed', 'next']))
    const left = await client.pttl(key)
    expect(left).toBeGreaterThan(0)
    expect(left).toBeLessThanOrEqual(minute)

    await client.flushall()
    await store.acquire(lease('short', ada), 1)
    await vi.waitFor(async () => expect(await client.keys('*')).toEqual([]), { timeout: 20_000 })
  })

  it('are not extended by refused leases', async () => {
    const ada = slotOf('ada', 1)
    await store.acquire(lease('a', ada), minute)
    const key = 'twinwire:connections:{identity:ada}'
    const ends = await expiresAt(client, key)
    for (let i = 0; i < 20; i += 1) expect(await store.acquire(lease(`refused ${i}`, ada), 10 * minute)).toEqual(ada)
    // They asked for nine minutes more.
    expect(Math.abs((await expiresAt(client, key)) - ends)).toBeLessThan(minute)
  })

  it('are restored by a renewal when Redis has lost them, even above the limit', async () => {
    const ada = slotOf('ada')
    const held = [lease('a', ada), lease('b', ada)]
    for (const each of held) await store.acquire(each, minute)
    await client.flushall()
    expect(await store.acquire(lease('c', ada), minute)).toBeNull()
    await store.renew(held, minute)
    expect(await client.zcard('twinwire:connections:{identity:ada}')).toBe(3)
    expect(await store.acquire(lease('d', ada), minute)).toEqual(ada)
  })

  it('are renewed and released by the thousand in a few commands', async () => {
    const leases = manyLeases(5000)
    const before = await scripts()
    await store.renew(leases, minute)
    expect(await client.zcard('twinwire:connections:{address:10.0.0.1}')).toBe(5000)
    expect((await client.keys('*')).length).toBe(5001)
    const renewed = await scripts()
    expect(renewed - before).toBeLessThanOrEqual(21)
    await Promise.all(leases.map(async (each) => store.release(each)))
    expect(await client.keys('*')).toEqual([])
    expect((await scripts()) - renewed).toBeLessThanOrEqual(21)
  })

  it('that are released during a renewal stay released', async () => {
    const leases = manyLeases(2000)
    const renewed = store.renew(leases, minute)
    const released = leases.slice(1500).map(async (each) => store.release(each))
    await Promise.all([renewed, ...released])
    expect(await client.zcard('twinwire:connections:{address:10.0.0.1}')).toBe(1500)
    // A later renewal may add the same leases again.
    await store.renew(leases, minute)
    expect(await client.zcard('twinwire:connections:{address:10.0.0.1}')).toBe(2000)
  })

  it('are released before the connection is closed', async () => {
    const own = await openRedisStore({ url: `redis://127.0.0.1:${server.port}`, commandTimeoutMs: 20_000 })
    const leases = manyLeases(800)
    await own.renew(leases, minute)
    const released = leases.map(async (each) => own.release(each))
    await own.close()
    await Promise.all(released)
    expect(await client.keys('*')).toEqual([])
  })
})
