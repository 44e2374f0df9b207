import type { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type OpenStore, openRedisStore, toRule, toTake } from '../support/limit-store.ts'
import { hasRedis, redisClient, startRedis, type TestRedis } from '../support/redis.ts'

const hour = 3_600_000
const tenPerHour = toRule({ points: 10, periodMs: hour })

describe.skipIf(!(await hasRedis()))('buckets in Redis', () => {
  let redis: TestRedis
  let client: Redis
  let store: OpenStore
  let keys = 0
  /** Never used before. */
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

  it('let pass what fits, and say how they stand', async () => {
    const takes = [toTake(tenPerHour, newKey())]
    const verdicts = []
    for (let i = 0; i < 11; i += 1) verdicts.push(await store.consume(takes))
    expect(verdicts.map(({ allowed }) => allowed)).toEqual([...Array(10).fill(true), false])
    expect(verdicts.map(({ standings }) => standings[0]?.remaining)).toEqual([9, 8, 7, 6, 5, 4, 3, 2, 1, 0, 0])
    const [first, last] = [verdicts[0]?.standings[0], verdicts[10]?.standings[0]]
    expect(first).toEqual({ allowed: true, remaining: 9, retryAfterMs: 0, resetMs: hour / 10 })
    expect(last?.allowed).toBe(false)
    expect(last?.retryAfterMs).toBeGreaterThan(hour / 10 - 60_000)
    expect(last?.retryAfterMs).toBeLessThanOrEqual(hour / 10)
    expect(last?.resetMs).toBeGreaterThan(hour - 60_000)
    expect(last?.resetMs).toBeLessThanOrEqual(hour)
  })

  it('take from all or from none', async () => {
    const key = newKey()
    const small = toTake(toRule({ name: 'small', points: 2, periodMs: hour }), key)
    const large = toTake(toRule({ name: 'large', points: 100, periodMs: hour }), key, 10)
    const address = toTake(toRule({ name: 'address', scope: 'address', points: 100, periodMs: hour }), key)
    const verdicts = []
    for (let i = 0; i < 4; i += 1) verdicts.push(await store.consume([large, small, address]))
    expect(verdicts.map(({ allowed }) => allowed)).toEqual([true, true, false, false])
    expect(verdicts[3]?.standings).toMatchObject([
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

  it('are of one rule, one scope and one key, whatever the key holds', async () => {
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
    const takes = [
      ...others.map((other) => toTake(tenPerHour, key + other)),
      toTake({ ...tenPerHour, scope: 'address' }, key),
      toTake({ ...tenPerHour, scope: 'custom' }, key),
      toTake({ ...tenPerHour, scope: 'route' }, key),
      toTake({ ...tenPerHour, name: 'other' }, key),
    ]
    for (const [i, take] of takes.entries()) await store.consume([{ ...take, cost: (i % 9) + 1 }])
    const standings = await store.peek(takes)
    expect(standings.map(({ remaining }) => remaining)).toEqual(takes.map((_, i) => 10 - ((i % 9) + 1)))
    for (const stored of await client.keys(`${redis.prefix}*`)) expect(Buffer.byteLength(stored)).toBeLessThan(400)
  })

  it('leave no key behind that does not end with its debt, and a refusal does not prolong it', async () => {
    const take = toTake(toRule({ points: 2, periodMs: hour }), newKey())
    const before = new Set(await client.keys(`${redis.prefix}*`))
    await store.consume([take])
    await store.consume([take])
    const [key = ''] = (await client.keys(`${redis.prefix}*`)).filter((each) => !before.has(each))
    const ends = await client.call('PEXPIRETIME', key)
    const [tat] = [Number(await client.get(key))]
    expect(ends).toBe(Math.ceil(tat / 1000))
    for (let i = 0; i < 20; i += 1) expect((await store.consume([take])).allowed).toBe(false)
    expect(await client.call('PEXPIRETIME', key)).toBe(ends)
    expect(Number(await client.get(key))).toBe(tat)
    for (const each of await client.keys(`${redis.prefix}*`)) expect(await client.pttl(each)).not.toBe(-1)
  })

  it('are filled by reset', async () => {
    const take = toTake(tenPerHour, newKey())
    await store.consume([{ ...take, cost: 10 }])
    await store.reset([take])
    expect(await store.consume([{ ...take, cost: 10 }])).toMatchObject({ allowed: true })
  })

  it('are taken from without asking, down to nothing, and given back, up to the full', async () => {
    const take = toTake(tenPerHour, newKey(), 7)
    await store.adjust('take', [take])
    expect(await store.peek([take])).toMatchObject([{ allowed: false, remaining: 3 }])
    await store.adjust('take', [take])
    expect(await store.peek([take])).toMatchObject([{ allowed: false, remaining: 0 }])
    await store.adjust('give back', [take])
    expect(await store.peek([take])).toMatchObject([{ allowed: true, remaining: 7 }])
    await store.adjust('give back', [take])
    expect(await store.peek([take])).toEqual([{ allowed: true, remaining: 10, retryAfterMs: 0, resetMs: 0 }])
    const prefix = redis.prefix
    expect((await client.keys(`${prefix}*`)).some((key) => key.includes(take.key))).toBe(false)
  })

  it.each([
    ['lies further ahead than the bucket is large, after the clock went back', String(4e15)],
    ['is no number', 'nonsense'],
    ['is negative', '-5'],
  ])('lock nobody out whose stored time %s', async (_, stored) => {
    const take = toTake(tenPerHour, newKey())
    await store.consume([take])
    const [key = ''] = (await client.keys(`${redis.prefix}*`)).filter((each) => each.includes(take.key))
    await client.set(key, stored, 'KEEPTTL')
    const [standing] = await store.peek([take])
    expect(standing?.resetMs).toBeLessThanOrEqual(hour)
    expect(standing?.retryAfterMs).toBeLessThanOrEqual(hour / 10)
  })

  it('let pass exactly what fits, of many callers at once', async () => {
    const take = toTake(tenPerHour, newKey())
    const verdicts = await Promise.all(Array.from({ length: 500 }, async () => store.consume([take])))
    expect(verdicts.filter(({ allowed }) => allowed)).toHaveLength(10)
  })
})
