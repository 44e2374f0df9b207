import { redisBroker } from '@twinwire/broker-redis'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { startNode, type TestNode } from '../support/broker-node.ts'
import { hasRedisCluster, redisClient } from '../support/redis.ts'
import { type RedisCluster, startRedisCluster } from '../support/redis-cluster.ts'

const patience = { timeout: 60_000, interval: 50 }

describe.skipIf(!hasRedisCluster())('redisBroker() on a cluster', { timeout: 120_000 }, () => {
  let cluster: RedisCluster
  const nodes: TestNode[] = []
  beforeAll(async () => {
    cluster = await startRedisCluster()
  })
  afterEach(async () => {
    await Promise.all(nodes.splice(0).map(async ({ broker }) => await broker.close()))
  })
  afterAll(async () => {
    await cluster.stop()
  })
  const start = async (): Promise<TestNode> => {
    const node = await startNode(redisBroker({ cluster: cluster.urls }))
    nodes.push(node)
    return node
  }

  /** The keys are left behind, as after a loss: the new owner has none of them. */
  const moveSlotOf = async (topic: string): Promise<void> => {
    const [first] = cluster.nodes
    if (first === undefined) throw new Error('no node')
    const client = redisClient(first.url)
    const slot = Number(await client.call('CLUSTER', 'KEYSLOT', `{:${topic}}`))
    client.disconnect()
    const owner = Math.floor((slot * 3) / 16_384)
    const target = cluster.nodes[(owner + 1) % 3]
    const source = cluster.nodes[owner]
    if (target === undefined || source === undefined) throw new Error('no node')
    const operator = redisClient(source.url)
    for (const key of await operator.keys(`*{:${topic}}*`)) await operator.del(key)
    operator.disconnect()
    await cluster.moveSlot(slot, target)
  }

  it('serves topics whatever their names contain', async () => {
    const [a, b] = [await start(), await start()]
    const topics = ['{a}', '}{', '{}', '{a', 'ü😀', 'x'.repeat(256), '%7B', ' ']
    for (const topic of topics) await b.subscribe(topic)
    for (const topic of topics) await a.publish(topic, topic)
    for (const topic of topics) await vi.waitFor(() => expect(b.received(topic)).toEqual([topic]), patience)
  })

  it('receives again after a slot has moved, and tells what may have been lost', async () => {
    const [a, b] = [await start(), await start()]
    await b.subscribe('news')
    await a.publish('news', 1)
    await vi.waitFor(() => expect(b.received('news')).toEqual([1]), patience)
    await moveSlotOf('news')
    await vi.waitFor(async () => {
      await a.publish('news', 'after')
      expect(b.received('news').at(-1)).toBe('after')
    }, patience)
    expect(b.gaps()).toBeGreaterThan(0)
    const count = b.received('news').length
    // By its channel, not by the comparison of positions alone.
    await vi.waitFor(async () => {
      const before = b.received('news').length
      await a.publish('news', 'later')
      await new Promise((resolve) => setTimeout(resolve, 300))
      expect(b.received('news').length).toBe(before + 1)
    }, patience)
    expect(b.received('news').length).toBeGreaterThan(count)
  })

  it('notices that a channel without history is deaf, and tells that something may be lost', async () => {
    const [a, b] = [await start(), await start()]
    await b.subscribe('plain', false)
    await a.publish('plain', 1, false)
    await vi.waitFor(() => expect(b.received('plain')).toEqual([1]), patience)
    await moveSlotOf('plain')
    await vi.waitFor(() => expect(b.gaps()).toBeGreaterThan(0), patience)
    await vi.waitFor(async () => {
      await a.publish('plain', 'after', false)
      expect(b.received('plain').at(-1)).toBe('after')
    }, patience)
  })
})
