import type { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { type OpenStore, openRedisStore, toCharge, toRule } from '../support/limit-store.ts'
import { hasRedisCluster, redisClient } from '../support/redis.ts'
import { type RedisCluster, startRedisCluster } from '../support/redis-cluster.ts'

const hour = 3_600_000
const perIdentity = toRule({ name: 'identity', points: 10, periodMs: hour })
const perIdentityToo = toRule({ name: 'other', points: 1000, periodMs: 100 * hour })
const perAddress = toRule({ name: 'address', scope: 'address', points: 200, periodMs: hour })
const perRoute = toRule({ name: 'route', scope: 'route', points: 5000, periodMs: 100 * hour })

describe.skipIf(!hasRedisCluster())('a store in a Redis Cluster', () => {
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

  /** The index of the node that has the key. */
  const nodeOf = async (pattern: string): Promise<number> => {
    const found = await Promise.all(clients.map((client) => client.keys(pattern)))
    return found.findIndex((keysOfNode) => keysOfNode.length > 0)
  }
  /** An address whose bucket is on the given node. */
  const addressOn = async (node: number): Promise<string> => {
    for (;;) {
      const key = newKey()
      await store.consume([toCharge(perAddress, key)])
      if ((await nodeOf(`*{address:${key}}*`)) === node) return key
    }
  }

  it('keeps all buckets of one identity in one hash slot, and those of many identities on all nodes', async () => {
    const identities = Array.from({ length: 50 }, newKey)
    for (const key of identities) {
      expect(await store.consume([toCharge(perIdentity, key), toCharge(perIdentityToo, key)])).toMatchObject({
        allowed: true,
      })
    }
    const stored = await Promise.all(clients.map((client) => client.keys('*{identity:*')))
    expect(stored.flat()).toHaveLength(100)
    for (const ofNode of stored) expect(ofNode.length).toBeGreaterThan(0)
  })

  it('charges buckets of several hash slots, and none of them when one refuses', async () => {
    const key = newKey()
    const charges = [
      toCharge(perIdentity, key),
      toCharge(perAddress, key, 2),
      toCharge(perRoute, ''),
      toCharge(perIdentityToo, key, 3),
    ]
    for (let i = 0; i < 10; i += 1) expect((await store.consume(charges)).allowed).toBe(true)
    const refused = await store.consume(charges)
    expect(refused).toMatchObject({
      allowed: false,
      statuses: [
        { allowed: false, remaining: 0 },
        { allowed: true, remaining: 180 },
        { allowed: true, remaining: 4990 },
        { allowed: true, remaining: 970 },
      ],
    })
    for (let i = 0; i < 30; i += 1) expect((await store.consume(charges)).allowed).toBe(false)
    expect(await store.peek(charges)).toMatchObject([
      { remaining: 0 },
      { remaining: 180 },
      { remaining: 4990 },
      { remaining: 970 },
    ])
  })

  it('never accepts too many concurrent charges, and accepts all that fit once they have settled', async () => {
    const key = newKey()
    const charges = [toCharge(perIdentity, key), toCharge(perAddress, key)]
    const results = await Promise.all(Array.from({ length: 500 }, async () => store.consume(charges)))
    const passed = results.filter(({ allowed }) => allowed).length
    // Refused calls hold points of the other bucket until they are refunded: too few may be accepted, never too many.
    expect(passed).toBeGreaterThan(0)
    expect(passed).toBeLessThanOrEqual(10)
    expect(await store.peek(charges)).toMatchObject([{ remaining: 10 - passed }, { remaining: 200 - passed }])
    const rest = []
    for (let i = 0; i < 12; i += 1) rest.push((await store.consume(charges)).allowed)
    expect(rest.filter(Boolean)).toHaveLength(10 - passed)
  })

  it('continues after SCRIPT FLUSH on every node, and when a hash slot has moved', async () => {
    const charges = [toCharge(perIdentity, newKey()), toCharge(perAddress, newKey())]
    await Promise.all(clients.map((client) => client.script('FLUSH')))
    expect(await store.consume(charges)).toMatchObject({ allowed: true })

    const key = newKey()
    const slot = Number(await clients[0]?.call('CLUSTER', 'KEYSLOT', `{identity:${key}}`))
    const from = Math.floor((slot * 3) / 16_384)
    const to = cluster.nodes[(from + 1) % 3]
    if (to !== undefined) await cluster.moveSlot(slot, to)
    expect(await store.consume([toCharge(perIdentity, key)])).toMatchObject({ allowed: true })
    expect(await nodeOf(`*{identity:${key}}*`)).toBe((from + 1) % 3)
  })

  it('resets and adjusts buckets of several hash slots', async () => {
    const charges = [toCharge(perIdentity, newKey(), 4), toCharge(perAddress, newKey(), 4)]
    await store.adjust('charge', charges)
    expect(await store.peek(charges)).toMatchObject([{ remaining: 6 }, { remaining: 196 }])
    await store.adjust('refund', charges)
    expect(await store.peek(charges)).toMatchObject([{ remaining: 10 }, { remaining: 200 }])
    await store.adjust('charge', charges)
    await store.reset(charges)
    expect(await store.peek(charges)).toMatchObject([{ remaining: 10 }, { remaining: 200 }])
  })

  it('acquires slots in several hash slots, and none when one is full', async () => {
    const [identity, address] = [newKey(), newKey()]
    const slots = [
      { scope: 'identity', key: identity, max: 5 },
      { scope: 'address', key: address, max: 2 },
    ] as const
    const acquire = (id: string) => store.acquire({ id, slots }, 60_000)
    expect([await acquire('a'), await acquire('b'), await acquire('c')]).toEqual([null, null, slots[1]])
    const onlyIdentity = slots.slice(0, 1)
    const more = []
    for (const id of ['d', 'e', 'f', 'g']) more.push(await store.acquire({ id, slots: onlyIdentity }, 60_000))
    // The slot that 'c' acquired first was released.
    expect(more).toEqual([null, null, null, slots[0]])
    await store.renew(
      Array.from({ length: 700 }, (_, i) => ({
        id: `many ${i}`,
        slots: [{ scope: 'identity', key: newKey(), max: 1 }],
      })),
      60_000,
    )
    await store.release({ id: 'a', slots })
    expect(await acquire('h')).toBeNull()
  })

  it('fails for the hash slots of a crashed node, refunds the other charges, and continues when the node is back', async () => {
    const [crashed, running] = [await addressOn(2), await addressOn(0)]
    await cluster.nodes[2]?.crash()
    const dead = toCharge(perAddress, crashed)
    const alive = toCharge(perAddress, running)
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

  it('fails while the whole cluster is down, also at the start, logs it once, and continues when it is back', async () => {
    await Promise.all(cluster.nodes.map((node) => node.crash()))
    const late = await openRedisStore({ cluster: cluster.urls, commandTimeoutMs: 10_000 })
    const charges = [toCharge(perIdentity, newKey()), toCharge(perAddress, newKey())]
    for (const each of [store, late]) {
      await expect(each.consume(charges)).rejects.toMatchObject({ name: 'RedisError' })
    }
    await Promise.all(cluster.nodes.map((node) => node.restart()))
    for (const each of [store, late]) {
      await vi.waitFor(async () => expect(await each.consume(charges)).toMatchObject({ allowed: true }), {
        timeout: 25_000,
        interval: 100,
      })
    }
    const [, first = ''] = cluster.urls[0]?.split('//') ?? []
    expect(store.logs.map(({ message }) => message)).toEqual([
      `Connected to Redis: cluster at ${first}`,
      'The connection to Redis was lost',
      'Reconnected to Redis',
    ])
    expect(late.logs.map(({ message }) => message)).toEqual(['Cannot connect to Redis', 'Reconnected to Redis'])
    expect(store.values('redis_pool_max_connections')).toEqual({ '0': 3 })
    await late.close()
  }, 60_000)
})
