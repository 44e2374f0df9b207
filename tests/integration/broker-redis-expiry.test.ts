import { redisBroker } from '@twinwire/broker-redis'
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest'
import { startNode, type TestNode } from '../support/broker-node.ts'
import { hasOwnRedis } from '../support/redis.ts'
import { type RedisServer, startRedisServer } from '../support/redis-server.ts'

const patience = { timeout: 60_000, interval: 50 }
const member = (connection: string) => ({ connection, identity: null, info: null })

describe.skipIf(!hasOwnRedis())('what redisBroker() keeps', { timeout: 120_000 }, () => {
  let redis: RedisServer
  beforeAll(async () => {
    redis = await startRedisServer()
  })
  afterAll(() => redis.stop())

  async function start(prefix: string): Promise<TestNode> {
    const node = await startNode(redisBroker({ url: redis.url, prefix }))
    onTestFinished(async () => await node.broker.close())
    return node
  }

  it('renews the time to live of what a node needs, as long as it lives', async () => {
    const a = await start('renewed:')
    await a.broker.join('lobby', member('c1'))
    const client = redis.client()
    onTestFinished(() => client.disconnect())
    const keys = ['meta', 'leases', 'infos', `topics:${a.id}.1`].map((key) => `renewed:{nodes}:${key}`)
    for (const key of keys) expect(await client.pexpire(key, 60_000)).toBe(1)
    await vi.waitFor(async () => {
      for (const key of keys) expect(await client.pttl(key)).toBeGreaterThan(60_000)
    }, patience)
  })

  it('counts the members of a node that a Redis which came back empty does not know yet', async () => {
    const a = await start('empty:')
    await redis.crash()
    await redis.restart()
    await a.broker.join('lobby', member('c1'))
    // Before its next beat.
    expect((await a.broker.presence('lobby', null, 10)).members).toEqual([member('c1')])
  })
})
