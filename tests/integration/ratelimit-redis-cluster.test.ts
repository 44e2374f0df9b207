import type { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { type OpenStore, openRedisStore, toRule, toTake } from '../support/limit-store.ts'
import { hasOwnRedis, redisClient } from '../support/redis.ts'
import { type RedisCluster, startRedisCluster } from '../support/redis-cluster.ts'

const hour = 3_600_000
const perIdentity = toRule({ name: 'identity', points: 10, periodMs: hour })
const perIdentityToo = toRule({ name: 'other', points: 1000, periodMs: 100 * hour })
const perAddress = toRule({ name: 'address', scope: 'address', points: 200, periodMs: hour })
const perRoute = toRule({ name: 'route', scope: 'route', points: 5000, periodMs: 100 * hour })

describe.skipIf(!hasOwnRedis())('a store in a Redis Cluster', () => {
  let cluster: RedisCluster
  let clients: Redis[]
  let store: OpenStore
  let keys = 0
  const newKey = (): string => `someone ${keys++}`

  beforeAll(async () => {
    cluster = await startRedisCluster()
    clients = cluster.urls.map((url) => redisClient(url))
    store = await openRedisStore({ cluster: cluster.urls.slice(0, 2), commandTimeoutMs: 10_000 })
  })
  afterAll(async () => {
    await store?.close()
    for (const client of clients ?? []) client.disconnect()
    await cluster?.stop()
  })

  /** Which of the nodes has it. */
  const nodeOf = async (pattern: string): Promise<number> => {
    const found = await Promise.all(clients.map((client) => client.keys(pattern)))
    return found.findIndex((keysOfNode) => keysOfNode.length > 0)
  }
  /** A key of which the address bucket lies on a given node. */
  const addressOn = async (node: number): Promise<string> => {
    for (;;) {
      const key = newKey()
      await store.consume([toTake(perAddress, key)])
      if ((await nodeOf(`*{address:${key}}*`)) === node) return key
    }
  }

  it('keeps all buckets of one identity in one slot, and those of many on every node', async () => {
    const identities = Array.from({ length: 50 }, newKey)
    for (const key of identities) {
      expect(await store.consume([toTake(perIdentity, key), toTake(perIdentityToo, key)])).toMatchObject({
        allowed: true,
      })
    }
    const stored = await Promise.all(clients.map((client) => client.keys('*{identity:*')))
    expect(stored.flat()).toHaveLength(100)
    for (const ofNode of stored) expect(ofNode.length).toBeGreaterThan(0)
  })

  it('takes from buckets of several slots, and from none of them when one refuses', async () => {
    const key = newKey()
    const takes = [
      toTake(perIdentity, key),
      toTake(perAddress, key, 2),
      toTake(perRoute, ''),
      toTake(perIdentityToo, key, 3),
    ]
    for (let i = 0; i < 10; i += 1) expect((await store.consume(takes)).allowed).toBe(true)
    const refused = await store.consume(takes)
    expect(refused).toMatchObject({
      allowed: false,
      standings: [
        { allowed: false, remaining: 0 },
        { allowed: true, remaining: 180 },
        { allowed: true, remaining: 4990 },
        { allowed: true, remaining: 970 },
      ],
    })
    for (let i = 0; i < 30; i += 1) expect((await store.consume(takes)).allowed).toBe(false)
    expect(await store.peek(takes)).toMatchObject([
      { remaining: 0 },
      { remaining: 180 },
      { remaining: 4990 },
      { remaining: 970 },
    ])
  })

  it('lets never too much pass of many callers at once, and all that fits once they have been answered', async () => {
    const key = newKey()
    const takes = [toTake(perIdentity, key), toTake(perAddress, key)]
    const verdicts = await Promise.all(Array.from({ length: 500 }, async () => store.consume(takes)))
    const passed = verdicts.filter(({ allowed }) => allowed).length
    // Refused calls hold points of the other bucket until they have given them back: too few may pass, never too many.
    expect(passed).toBeGreaterThan(0)
    expect(passed).toBeLessThanOrEqual(10)
    expect(await store.peek(takes)).toMatchObject([{ remaining: 10 - passed }, { remaining: 200 - passed }])
    const rest = []
    for (let i = 0; i < 12; i += 1) rest.push((await store.consume(takes)).allowed)
    expect(rest.filter(Boolean)).toHaveLength(10 - passed)
  })

  it('goes on after SCRIPT FLUSH on every node, and when a slot has moved', async () => {
    const takes = [toTake(perIdentity, newKey()), toTake(perAddress, newKey())]
    await Promise.all(clients.map((client) => client.script('FLUSH')))
    expect(await store.consume(takes)).toMatchObject({ allowed: true })

    const key = newKey()
    const slot = Number(await clients[0]?.call('CLUSTER', 'KEYSLOT', `{identity:${key}}`))
    const from = Math.floor((slot * 3) / 16_384)
    const to = cluster.nodes[(from + 1) % 3]
    if (to !== undefined) await cluster.moveSlot(slot, to)
    expect(await store.consume([toTake(perIdentity, key)])).toMatchObject({ allowed: true })
    expect(await nodeOf(`*{identity:${key}}*`)).toBe((from + 1) % 3)
  })

  it('fills and adjusts buckets of several slots', async () => {
    const takes = [toTake(perIdentity, newKey(), 4), toTake(perAddress, newKey(), 4)]
    await store.adjust('take', takes)
    expect(await store.peek(takes)).toMatchObject([{ remaining: 6 }, { remaining: 196 }])
    await store.adjust('give back', takes)
    expect(await store.peek(takes)).toMatchObject([{ remaining: 10 }, { remaining: 200 }])
    await store.adjust('take', takes)
    await store.reset(takes)
    expect(await store.peek(takes)).toMatchObject([{ remaining: 10 }, { remaining: 200 }])
  })

  it('takes seats in several slots, and none when one is full', async () => {
    const [identity, address] = [newKey(), newKey()]
    const seats = [
      { scope: 'identity', key: identity, max: 5 },
      { scope: 'address', key: address, max: 2 },
    ] as const
    const acquire = (id: string) => store.acquire({ id, seats }, 60_000)
    expect([await acquire('a'), await acquire('b'), await acquire('c')]).toEqual([null, null, seats[1]])
    const onlyIdentity = seats.slice(0, 1)
    const more = []
    for (const id of ['d', 'e', 'f', 'g']) more.push(await store.acquire({ id, seats: onlyIdentity }, 60_000))
    // 'c' has left no trace.
    expect(more).toEqual([null, null, null, seats[0]])
    await store.renew(
      Array.from({ length: 700 }, (_, i) => ({
        id: `many ${i}`,
        seats: [{ scope: 'identity', key: newKey(), max: 1 }],
      })),
      60_000,
    )
    await store.release({ id: 'a', seats })
    expect(await acquire('h')).toBeNull()
  })

  it('fails for the slots of a node that is gone, gives back what others took, and goes on when it is there again', async () => {
    const [gone, there] = [await addressOn(2), await addressOn(0)]
    await cluster.nodes[2]?.crash()
    const dead = toTake(perAddress, gone)
    const alive = toTake(perAddress, there)
    await expect(store.consume([dead])).rejects.toMatchObject({ name: 'RedisError' })
    await expect(store.consume([dead, alive])).rejects.toMatchObject({ name: 'RedisError' })
    expect(await store.consume([alive])).toMatchObject({ allowed: true })
    // One by addressOn, one just now.
    expect(await store.peek([alive])).toMatchObject([{ remaining: 198 }])
    await cluster.nodes[2]?.restart()
    await vi.waitFor(async () => expect(await store.consume([dead, alive])).toMatchObject({ allowed: true }), {
      timeout: 25_000,
      interval: 100,
    })
  })

  it('fails while the whole cluster is gone, also when the app starts then, tells it once, and goes on', async () => {
    await Promise.all(cluster.nodes.map((node) => node.crash()))
    const late = await openRedisStore({ cluster: cluster.urls, commandTimeoutMs: 10_000 })
    const takes = [toTake(perIdentity, newKey()), toTake(perAddress, newKey())]
    for (const each of [store, late]) {
      await expect(each.consume(takes)).rejects.toMatchObject({ name: 'RedisError' })
    }
    await Promise.all(cluster.nodes.map((node) => node.restart()))
    for (const each of [store, late]) {
      await vi.waitFor(async () => expect(await each.consume(takes)).toMatchObject({ allowed: true }), {
        timeout: 25_000,
        interval: 100,
      })
    }
    const [, first = ''] = cluster.urls[0]?.split('//') ?? []
    expect(store.logs.map(({ message }) => message)).toEqual([
      `Redis: cluster at ${first}`,
      'The connection to Redis is lost',
      'Redis is connected again',
    ])
    expect(late.logs.map(({ message }) => message)).toEqual(['Redis cannot be reached', 'Redis is connected again'])
    expect(store.figures('redis_pool_max_connections')).toEqual({ '0': 3 })
    await late.close()
  }, 60_000)
})
