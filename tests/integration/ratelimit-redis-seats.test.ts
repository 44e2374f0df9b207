import type { Lease, Seat } from '@twinwire/plugin-ratelimit'
import type { Redis } from 'ioredis'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { type OpenStore, openRedisStore } from '../support/limit-store.ts'
import { hasOwnRedis, redisClient } from '../support/redis.ts'
import { type RedisServer, startRedisServer } from '../support/redis-server.ts'

const minute = 60_000
const seatOf = (key: string, max = 2): Seat => ({ scope: 'identity', key, max })
const lease = (id: string, ...seats: Seat[]): Lease => ({ id, seats })
/** Each on a seat of its own, and all on one together. */
const crowd = (count: number): Lease[] =>
  Array.from({ length: count }, (_, i) =>
    lease(`id ${i}`, seatOf(`someone ${i}`), { ...seatOf('10.0.0.1', count), scope: 'address' }),
  )

describe.skipIf(!hasOwnRedis())('seats in Redis', () => {
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

  it('are as many as there may be, and free again when they are given up', async () => {
    const ada = seatOf('ada')
    expect(await store.acquire(lease('a', ada), minute)).toBeNull()
    expect(await store.acquire(lease('b', ada), minute)).toBeNull()
    expect(await store.acquire(lease('c', ada), minute)).toEqual(ada)
    // Held already: no second seat.
    expect(await store.acquire(lease('b', ada), minute)).toBeNull()
    await store.release(lease('a', ada))
    await store.release(lease('never seen', ada))
    expect(await store.acquire(lease('c', ada), minute)).toBeNull()
    expect(await store.acquire(lease('d', ada), minute)).toEqual(ada)
  })

  it('are taken all or none', async () => {
    const [ada, grace, address] = [
      seatOf('ada'),
      seatOf('grace'),
      { ...seatOf('10.0.0.1', 1), scope: 'address' } as const,
    ]
    expect(await store.acquire(lease('a', ada, address), minute)).toBeNull()
    expect(await store.acquire(lease('b', grace, address), minute)).toEqual(address)
    expect(await client.exists('twinwire:seats:{identity:grace}')).toBe(0)
  })

  it('end when nobody renews them, and their key with them; those that are renewed never do', async () => {
    const ada = seatOf('ada')
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

  it('are not prolonged by those who are refused', async () => {
    const ada = seatOf('ada', 1)
    await store.acquire(lease('a', ada), minute)
    const key = 'twinwire:seats:{identity:ada}'
    const ends = await client.call('PEXPIRETIME', key)
    for (let i = 0; i < 20; i += 1) expect(await store.acquire(lease(`refused ${i}`, ada), 10 * minute)).toEqual(ada)
    expect(await client.call('PEXPIRETIME', key)).toBe(ends)
  })

  it('come back when Redis has lost them, over the limit too: their sockets are open', async () => {
    const ada = seatOf('ada')
    const held = [lease('a', ada), lease('b', ada)]
    for (const each of held) await store.acquire(each, minute)
    await client.flushall()
    expect(await store.acquire(lease('c', ada), minute)).toBeNull()
    await store.renew(held, minute)
    expect(await client.zcard('twinwire:seats:{identity:ada}')).toBe(3)
    expect(await store.acquire(lease('d', ada), minute)).toEqual(ada)
  })

  it('are renewed and given up by the thousand in a few commands', async () => {
    const leases = crowd(5000)
    const before = await scripts()
    await store.renew(leases, minute)
    expect(await client.zcard('twinwire:seats:{address:10.0.0.1}')).toBe(5000)
    expect((await client.keys('*')).length).toBe(5001)
    const renewed = await scripts()
    expect(renewed - before).toBeLessThanOrEqual(21)
    await Promise.all(leases.map(async (each) => store.release(each)))
    expect(await client.keys('*')).toEqual([])
    expect((await scripts()) - renewed).toBeLessThanOrEqual(21)
  })

  it('that are given up while they are renewed stay given up', async () => {
    const leases = crowd(2000)
    const renewed = store.renew(leases, minute)
    const released = leases.slice(1500).map(async (each) => store.release(each))
    await Promise.all([renewed, ...released])
    expect(await client.zcard('twinwire:seats:{address:10.0.0.1}')).toBe(1500)
    // It is forgotten that they were: the same ones may come back.
    await store.renew(leases, minute)
    expect(await client.zcard('twinwire:seats:{address:10.0.0.1}')).toBe(2000)
  })

  it('are given up before the connection is closed', async () => {
    const own = await openRedisStore({ url: `redis://127.0.0.1:${server.port}`, commandTimeoutMs: 20_000 })
    const leases = crowd(800)
    await own.renew(leases, minute)
    const released = leases.map(async (each) => own.release(each))
    await own.close()
    await Promise.all(released)
    expect(await client.keys('*')).toEqual([])
  })
})
