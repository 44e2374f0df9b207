import { redisBroker } from '@twinwire/broker-redis'
import { createApp } from '@twinwire/core'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { startNode, type TestNode } from '../support/broker-node.ts'
import { hasOwnRedis, redisClient } from '../support/redis.ts'
import { type RedisServer, startRedisServer } from '../support/redis-server.ts'
import { freePort } from '../support/service.ts'

describe.skipIf(!hasOwnRedis())('the start of redisBroker()', () => {
  let redis: RedisServer
  const nodes: TestNode[] = []
  beforeAll(async () => {
    redis = await startRedisServer({ requirepass: 'hunter2' })
  })
  afterEach(async () => {
    await Promise.all(nodes.splice(0).map(async ({ broker }) => await broker.close()))
  })
  afterAll(async () => {
    await redis.stop()
  })
  const start = async (options: Parameters<typeof redisBroker>[0]): Promise<TestNode> => {
    const node = await startNode(redisBroker(options))
    nodes.push(node)
    return node
  }
  const urlOf = (user: string): string => `redis://${user}@127.0.0.1:${redis.port}`

  it('fails in one sentence when no server answers', async () => {
    const port = await freePort()
    const started = start({ url: `redis://:hunter2@127.0.0.1:${port}`, connectTimeoutMs: 500 })
    await expect(started).rejects.toMatchObject({
      code: 'redis.unreachable',
      message: expect.stringMatching(
        /^redisBroker\(\): Redis at 127\.0\.0\.1:\d+\/0 did not answer within 500 ms \(.+\): start it, or correct its address$/,
      ),
    })
    await expect(started).rejects.not.toThrow('hunter2')
  })

  it('fails when the server does not answer though it accepts connections', async () => {
    const frozen = await startRedisServer()
    frozen.freeze()
    try {
      await expect(start({ url: frozen.url, connectTimeoutMs: 500 })).rejects.toMatchObject({
        code: 'redis.unreachable',
      })
    } finally {
      await frozen.stop()
    }
  })

  it('fails with a wrong password, and does not show it', async () => {
    for (const user of ['', ':wrong', 'ada:wrong'].map(urlOf)) {
      const started = start({ url: user.replace('//@', '//'), connectTimeoutMs: 2000 })
      await expect(started).rejects.toMatchObject({ code: 'redis.access_denied' })
      await expect(started).rejects.not.toThrow(/wrong(?!pass)|hunter2/)
    }
  })

  it('fails for a user without a permission, and names it', async () => {
    const operator = redisClient(redis.url)
    await operator.call('ACL', 'SETUSER', 'few', 'on', '>pw', '~*', '&*', '+@all', '-info')
    await operator.call('ACL', 'SETUSER', 'none', 'on', '>pw', '~other:*', '&*', '+@all')
    await operator.call('ACL', 'SETUSER', 'deaf', 'on', '>pw', '~*', 'resetchannels', '+@all')
    operator.disconnect()
    for (const user of ['few', 'none', 'deaf'])
      await expect(start({ url: urlOf(`${user}:pw`), connectTimeoutMs: 2000 })).rejects.toMatchObject({
        code: 'redis.access_denied',
      })
  })

  it('of apps with different prefixes keeps them apart', async () => {
    const [a, b] = [await start({ url: redis.url, prefix: 'a:' }), await start({ url: redis.url, prefix: 'b:' })]
    for (const node of [a, b]) await node.subscribe('news')
    await a.publish('news', 'of a')
    await b.publish('news', 'of b')
    await a.broker.control({ type: 'refresh', data: null }, 60_000)
    await vi.waitFor(() => expect([a.received('news'), b.received('news')]).toEqual([['of a'], ['of b']]), 10_000)
    await vi.waitFor(() => expect(a.control).toHaveLength(1), 10_000)
    expect(b.control).toEqual([])
    expect(await a.broker.nodes()).toHaveLength(1)
  })

  it('refuses a publication that is too large, and goes on', async () => {
    const a = await start({ url: redis.url, maxPublicationBytes: 100 })
    await a.subscribe('news')
    await expect(a.publish('news', 'x'.repeat(200))).rejects.toThrow(
      'A publication of 213 bytes is too large: maxPublicationBytes of redisBroker() is 100',
    )
    await a.publish('news', 1)
    await vi.waitFor(() => expect(a.received('news')).toEqual([1]), 10_000)
  })

  it('is followed by a finding of the doctor when Redis may remove keys', async () => {
    const app = createApp({ pkgIds: {}, routes: {}, log: 'silent', broker: redisBroker(urlOf(':hunter2')) })
    const findings = async (): Promise<string[]> =>
      (await app.doctor()).findings
        .filter(({ check }) => check === 'redisBroker()')
        .map(({ level, message }) => `${level}: ${message}`)
    const operator = redisClient(urlOf(':hunter2'))
    const address = `127.0.0.1:${redis.port}/0`
    expect(await findings()).toEqual([`ok: It connects to ${address} when the app starts`])
    await app.ready()
    expect(await findings()).toEqual([`ok: It is connected to ${address}`])
    await operator.config('SET', 'maxmemory', '1gb')
    await operator.config('SET', 'maxmemory-policy', 'allkeys-lru')
    expect(await findings()).toEqual([
      `warn: Redis at ${address} has the maxmemory-policy allkeys-lru, by which histories, presence and leases vanish when its memory is full: set it to noeviction`,
    ])
    operator.disconnect()
    await app.close()
    expect(await findings()).toEqual([`ok: It connects to ${address} when the app starts`])
  })
})
