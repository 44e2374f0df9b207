import type { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type OpenStore, openRedisStore, toCharge, toRule } from '../support/limit-store.ts'
import { expiresAt, hasRedis, redisClient, startRedis, type TestRedis } from '../support/redis.ts'

const hour = 3_600_000
const tenPerHour = toRule({ points: 10, periodMs: hour })

describe.skipIf(!(await hasRedis()))('buckets in Redis', () => {
  let redis: TestRedis
  let client: Redis
  let store: OpenStore
  let keys = 0
  /** A key that was not used before. */
  const newKey = (): string => `someone ${keys++}`

  beforeAll(async () => {
    redis = await startRedis()
    client = redisClient(redis.url)
    store = await openRedisStore({ url: redis.url, prefix: redis.prefix, commandTimeoutMs: 10_000 })
  })
  afterAll(async () => {
    await store?.close()
    client?.disconnect()
    await redis?.stop()
  })

  it('accept charges up to their capacity, and return their status', async () => {
    const charges = [toCharge(tenPerHour, newKey())]
    const results = []
    for (let i = 0; i < 11; i += 1) results.push(await store.consume(charges))
    expect(results.map(({ allowed }) => allowed)).toEqual([...Array(10).fill(true), false])
    expect(results.map(({ statuses }) => statuses[0]?.remaining)).toEqual([9, 8, 7, 6, 5, 4, 3, 2, 1, 0, 0])
    const [first, last] = [results[0]?.statuses[0], results[10]?.statuses[0]]
    expect(first).toEqual({ allowed: true, remaining: 9, retryAfterMs: 0, resetMs: hour / 10 })
    expect(last?.allowed).toBe(false)
    expect(last?.retryAfterMs).toBeGreaterThan(hour / 10 - 60_000)
    expect(last?.retryAfterMs).toBeLessThanOrEqual(hour / 10)
    expect(last?.resetMs).toBeGreaterThan(hour - 60_000)
    expect(last?.resetMs).toBeLessThanOrEqual(hour)
  })

  it('charge all or none', async () => {
    const key = newKey()
    const small = toCharge(toRule({ name: 'small', points: 2, periodMs: hour }), key)
    const large = toCharge(toRule({ name: 'large', points: 100, periodMs: hour }), key, 10)
    const address = toCharge(toRule({ name: 'address', scope: 'address', points: 100, periodMs: hour }), key)
    const results = []
    for (let i = 0; i < 4; i += 1) results.push(await store.consume([large, small, address]))
    expect(results.map(({ allowed }) => allowed)).toEqual([true, true, false, false])
    expect(results[3]?.statuses).toMatchObject([
      { allowed: true, remaining: 80 },
      { allowed: false, remaining: 0 },
      { allowed: true, remaining: 98 },
    ])
    expect(await store.peek([large, small, address])).toMatchObject([
      { allowed: true, remaining: 80 },
      { allowed: false, remaining: 0 },
      { allowed: true, remaining: 98 },
    ])
  })

  it('are separate for each rule, scope and key, whatever characters the key contains', async () => {
    const key = newKey()
    const others = [
      '{',
      '}',
      '%7B',
      '%7D',
      '%',
      '',
      'ü',
      '☃',
      'x'.repeat(129),
      'x'.repeat(130),
      `${'x'.repeat(10_000)}}{`,
    ]
    const charges = [
      ...others.map((other) => toCharge(tenPerHour, key + other)),
      toCharge({ ...tenPerHour, scope: 'address' }, key),
      toCharge({ ...tenPerHour, scope: 'custom' }, key),
      toCharge({ ...tenPerHour, scope: 'route' }, key),
      toCharge({ ...tenPerHour, name: 'other' }, key),
    ]
    for (const [i, charge] of charges.entries()) await store.consume([{ ...charge, cost: (i % 9) + 1 }])
    const statuses = await store.peek(charges)
    expect(statuses.map(({ remaining }) => remaining)).toEqual(charges.map((_, i) => 10 - ((i % 9) + 1)))
    for (const stored of await client.keys(`${redis.prefix}*`)) expect(Buffer.byteLength(stored)).toBeLessThan(400)
  })

  it('expire with their debt, and a refusal does not extend it', async () => {
    const charge = toCharge(toRule({ points: 2, periodMs: hour }), newKey())
    const before = new Set(await client.keys(`${redis.prefix}*`))
    await store.consume([charge])
    await store.consume([charge])
    const [key = ''] = (await client.keys(`${redis.prefix}*`)).filter((each) => !before.has(each))
    const ends = await expiresAt(client, key)
    const [tat] = [Number(await client.get(key))]
    expect(Math.abs(ends - tat / 1000)).toBeLessThan(60_000)
    for (let i = 0; i < 20; i += 1) expect((await store.consume([charge])).allowed).toBe(false)
    // One that counted would extend it by half an hour.
    expect(Math.abs((await expiresAt(client, key)) - ends)).toBeLessThan(60_000)
    expect(Number(await client.get(key))).toBe(tat)
    for (const each of await client.keys(`${redis.prefix}*`)) expect(await client.pttl(each)).not.toBe(-1)
  })

  it('are filled by reset', async () => {
    const charge = toCharge(tenPerHour, newKey())
    await store.consume([{ ...charge, cost: 10 }])
    await store.reset([charge])
    expect(await store.consume([{ ...charge, cost: 10 }])).toMatchObject({ allowed: true })
  })

  it('are adjusted down to empty and up to full', async () => {
    const charge = toCharge(tenPerHour, newKey(), 7)
    await store.adjust('charge', [charge])
    expect(await store.peek([charge])).toMatchObject([{ allowed: false, remaining: 3 }])
    await store.adjust('charge', [charge])
    expect(await store.peek([charge])).toMatchObject([{ allowed: false, remaining: 0 }])
    await store.adjust('refund', [charge])
    expect(await store.peek([charge])).toMatchObject([{ allowed: true, remaining: 7 }])
    await store.adjust('refund', [charge])
    expect(await store.peek([charge])).toEqual([{ allowed: true, remaining: 10, retryAfterMs: 0, resetMs: 0 }])
    const prefix = redis.prefix
    expect((await client.keys(`${prefix}*`)).some((key) => key.includes(charge.key))).toBe(false)
  })

  it.each([
    ['is further ahead than the capacity, after the clock was set back', String(4e15)],
    ['is not a number', 'nonsense'],
    ['is negative', '-5'],
  ])('refuse no caller for longer than an empty bucket when the stored time %s', async (_, stored) => {
    const charge = toCharge(tenPerHour, newKey())
    await store.consume([charge])
    const [key = ''] = (await client.keys(`${redis.prefix}*`)).filter((each) => each.includes(charge.key))
    await client.set(key, stored, 'KEEPTTL')
    const [status] = await store.peek([charge])
    expect(status?.resetMs).toBeLessThanOrEqual(hour)
    expect(status?.retryAfterMs).toBeLessThanOrEqual(hour / 10)
  })

  it('accept exactly their capacity of concurrent charges [defect 24]', async () => {
    const charge = toCharge(tenPerHour, newKey())
    const results = await Promise.all(Array.from({ length: 500 }, async () => store.consume([charge])))
    expect(results.filter(({ allowed }) => allowed)).toHaveLength(10)
  })
})
