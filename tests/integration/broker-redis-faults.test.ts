import { randomUUID } from 'node:crypto'
import { redisBroker } from '@twinwire/broker-redis'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { onTopic, startNode, type TestNode } from '../support/broker-node.ts'
import { startCutProxy } from '../support/cut-proxy.ts'
import { hasOwnRedis, redisClient } from '../support/redis.ts'
import { startRedisReplica } from '../support/redis-replica.ts'
import { type RedisServer, startRedisServer } from '../support/redis-server.ts'

// Thousands of members and streams on a machine that does other things.
const patience = { timeout: 60_000, interval: 20 }
const numbers = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, i) => from + i)

describe.skipIf(!hasOwnRedis())('redisBroker() when Redis fails', { timeout: 180_000 }, () => {
  const nodes: TestNode[] = []
  const servers: RedisServer[] = []

  afterEach(async () => {
    await Promise.all(nodes.splice(0).map(async ({ broker }) => await broker.close()))
    await Promise.all(servers.splice(0).map((server) => server.stop()))
  })

  async function server(): Promise<RedisServer> {
    const started = await startRedisServer()
    servers.push(started)
    return started
  }
  async function node(url: string, settings: object = {}): Promise<TestNode> {
    const started = await startNode(redisBroker({ url, ...settings }))
    nodes.push(started)
    return started
  }
  /** Publishes until it is taken, as a caller that retries would, with one key. */
  async function publishSurely(from: TestNode, topic: string, data: unknown): Promise<void> {
    const key = randomUUID()
    await vi.waitFor(() => from.publish(topic, data, undefined, key), patience)
  }

  it('loses nothing and repeats nothing while connections are killed', async () => {
    const redis = await server()
    // A connection that is killed while it is made again waits longer each time, and longest on a busy machine.
    const patient = { commandTimeoutMs: 30_000 }
    const [a, b] = [await node(redis.url, patient), await node(redis.url, patient)]
    const topics = ['one', 'two', 'three']
    const history = { size: 5000, ttlMs: 60_000 }
    for (const topic of topics) for (const each of [a, b]) await each.subscribe(topic, history)
    const operator = redisClient(redis.url)
    const published: Promise<unknown>[] = []
    for (let i = 1; i <= 2000; i += 1) {
      for (const topic of topics) published.push((i % 2 === 0 ? a : b).publish(topic, i, history))
      if (i % 40 === 0) {
        await operator.call('CLIENT', 'KILL', 'TYPE', 'pubsub', 'SKIPME', 'yes')
        if (i % 80 === 0) await operator.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
      }
      if (i % 20 === 0) await new Promise((resolve) => setTimeout(resolve, 20))
    }
    await Promise.all(published)
    operator.disconnect()
    for (const each of [a, b]) {
      for (const topic of topics) {
        await vi.waitFor(() => expect(each.received(topic).length).toBeGreaterThanOrEqual(2000), patience)
        const received = each.received(topic)
        expect([...received].sort((x, y) => Number(x) - Number(y))).toEqual(numbers(1, 2000))
        // Those of one node are in the order of its calls.
        for (const rest of [0, 1])
          expect(received.filter((data) => Number(data) % 2 === rest)).toEqual(
            numbers(1, 2000).filter((data) => data % 2 === rest),
          )
      }
      expect(each.gaps()).toBe(0)
    }
    expect(a.received('one')).toEqual(b.received('one'))
  })

  it('tells a gap when Redis comes back empty, and goes on', async () => {
    const redis = await server()
    const [a, b] = [await node(redis.url), await node(redis.url)]
    await b.subscribe('news')
    await b.subscribe('quiet')
    await b.subscribe('ticks', false)
    for (let i = 1; i <= 3; i += 1) await a.publish('news', i)
    await vi.waitFor(() => expect(b.received('news')).toEqual([1, 2, 3]), patience)
    const before = b.events.at(-1)
    await a.broker.control({ type: 'revoked', data: 7 }, 60_000)
    await a.broker.join('news', { connection: 'c1', identity: null, info: null })
    await redis.crash()
    await redis.restart()
    // Until a node has subscribed again, Redis keeps no history: what is published then is part of the gap.
    await vi.waitFor(async () => {
      await publishSurely(a, 'news', 'after')
      expect(b.received('news').at(-1)).toBe('after')
    }, patience)
    const after = b.events.findLast(({ kind }) => kind === 'delivered')
    expect(after?.position?.epoch).not.toBe(before?.position?.epoch)
    await vi.waitFor(() => {
      const gapped = b.events.flatMap((each) =>
        each.kind === 'gap' && each.stream.kind === 'topic' ? [each.stream.topic] : [],
      )
      expect(new Set(gapped)).toEqual(new Set(['news', 'quiet', 'ticks']))
    }, patience)
    // What nodes knew is there again: a revocation, for a node that starts now, and presence.
    await vi.waitFor(async () => {
      expect((await b.broker.presence('news', null, 10)).members).toHaveLength(1)
    }, patience)
    const late = await node(redis.url)
    await vi.waitFor(() => expect(late.control).toEqual([{ type: 'revoked', data: 7 }]), patience)
    expect(b.control).toHaveLength(1)
    await vi.waitFor(async () => {
      expect((await late.broker.nodes()).map(({ id }) => id).sort()).toEqual([a.id, b.id, late.id].sort())
    }, patience)
  })

  it('tells a gap when Redis was restored from an older file', async () => {
    const redis = await server()
    const [a, b] = [await node(redis.url), await node(redis.url)]
    await b.subscribe('news')
    for (let i = 1; i <= 3; i += 1) await a.publish('news', i)
    const snapshot = await redis.snapshot()
    for (let i = 4; i <= 6; i += 1) await a.publish('news', i)
    await vi.waitFor(() => expect(b.received('news')).toHaveLength(6), patience)
    const seen = b.events.at(-1)?.position ?? null
    await redis.restart(snapshot)
    await publishSurely(a, 'news', 'after')
    await vi.waitFor(() => expect(b.received('news').at(-1)).toBe('after'), patience)
    expect(b.gaps()).toBe(1)
    const page = await vi.waitFor(() => a.broker.history(onTopic('news'), undefined, seen, 100), patience)
    expect(page).toMatchObject({ entries: [], complete: false })
  })

  it('tells a gap when a replica that lagged was promoted', async () => {
    const master = await server()
    const replica = await startRedisReplica(master)
    servers.push(replica)
    const a = await node(master.url)
    await a.subscribe('news')
    const first = await a.publish('news', 1)
    const epoch = first?.epoch ?? ''
    await replica.caughtUp()
    await replica.lag()
    await a.publish('news', 2)
    await replica.promote()
    const b = await node(replica.url)
    const page = await b.broker.history(onTopic('news'), undefined, { epoch, offset: 2 }, 10)
    expect(page).toMatchObject({ entries: [], complete: false, position: { offset: 0 } })
    expect(page?.position.epoch).not.toBe(epoch)
  })

  it('rejects what it cannot send in time, says so in its health, and goes on after a server that hung', async () => {
    const redis = await server()
    const a = await node(redis.url, { commandTimeoutMs: 1000, socketTimeoutMs: 1500 })
    await a.subscribe('news')
    await a.publish('news', 1)
    await a.broker.health?.()
    redis.freeze()
    const refused = await Promise.allSettled([a.publish('news', 2), a.publish('news', 3)])
    for (const each of refused)
      expect(each).toMatchObject({
        reason: { message: expect.stringContaining('Redis did not take the publication within 1000 ms') },
      })
    await vi.waitFor(() => expect(a.broker.health?.()).rejects.toThrow(), patience)
    redis.thaw()
    await publishSurely(a, 'news', 4)
    await vi.waitFor(() => expect(a.received('news')).toContain(4), patience)
    await vi.waitFor(() => a.broker.health?.(), patience)
    const received = a.received('news')
    expect(received).toEqual([...received].sort())
    expect(new Set(received).size).toBe(received.length)
  })

  it('replaces a subscriber that is connected and hears nothing, and reads what it missed', async () => {
    const redis = await server()
    const proxy = await startCutProxy(redis.url)
    const a = await node(proxy.url)
    await a.subscribe('news')
    await a.publish('news', 1)
    await vi.waitFor(() => expect(a.received('news')).toEqual([1]), patience)
    // As on a half-open connection: what Redis sends to subscribers does not arrive.
    proxy.toClient = (bytes) => (bytes.includes('$7\r\nmessage\r\n') ? 'hold' : 'pass')
    await a.publish('news', 2)
    await vi.waitFor(() => expect(a.counted('broker_subscriber_replacements_total')).toBe(1), patience)
    proxy.toClient = () => 'pass'
    await vi.waitFor(() => expect(a.received('news')).toEqual([1, 2]), patience)
    await a.publish('news', 3)
    await vi.waitFor(() => expect(a.received('news')).toEqual([1, 2, 3]), patience)
    expect(a.gaps()).toBe(0)
    await vi.waitFor(() => a.broker.health?.(), patience)
    expect(a.counted('broker_publications_total', 'taken')).toBe(3)
    expect(a.counted('broker_deliveries_total')).toBe(3)
    expect(a.counted('broker_filled_total')).toBeGreaterThan(0)
    expect(a.counted('broker_gaps_total')).toBe(0)
    expect(a.counted('broker_subscriber_probes_total', 'lost')).toBeGreaterThan(0)
    await vi.waitFor(() => {
      expect(a.counted('broker_subscriber_probes_total', 'received')).toBeGreaterThan(0)
    }, patience)
    expect(a.counted('broker_nodes')).toBe(1)
    proxy.close()
  })

  it('survives a script cache that is emptied', async () => {
    const redis = await server()
    const a = await node(redis.url)
    await a.subscribe('news')
    const operator = redisClient(redis.url)
    for (let i = 1; i <= 20; i += 1) {
      void a.publish('news', 2 * i - 1)
      await operator.call('SCRIPT', 'FLUSH')
      await a.publish('news', 2 * i)
    }
    operator.disconnect()
    await vi.waitFor(() => expect(a.received('news')).toEqual(numbers(1, 40)), patience)
  })

  it('removes the presence of a node that ended without a word, once', async () => {
    const redis = await server()
    const [a, b] = [await node(redis.url), await node(redis.url)]
    const dying = await startNode(redisBroker({ url: redis.url }))
    for (const each of [a, b]) await each.subscribe('lobby')
    for (const connection of ['c1', 'c2']) await dying.broker.join('lobby', { connection, identity: null, info: null })
    await vi.waitFor(() => expect(a.presence).toHaveLength(2), patience)
    const operator = redisClient(redis.url)
    // As of a process that was killed: its lease is over, as often as it renews it, until another node sees that.
    await vi.waitFor(async () => {
      await operator.zadd('twinwire:{nodes}:leases', 1, `${dying.id}.1`)
      expect(a.presence.filter(({ kind }) => kind === 'left').length).toBeGreaterThan(0)
    }, patience)
    operator.disconnect()
    await dying.broker.close()
  })

  it('removes 2,000 members of a node that ended without a word, in parts', async () => {
    const redis = await server()
    const a = await node(redis.url)
    const proxy = await startCutProxy(redis.url)
    const dying = await startNode(redisBroker({ url: proxy.url }))
    await a.subscribe('hall')
    const connections = Array.from({ length: 2_000 }, (_, i) => `c${i}`)
    await Promise.all(
      connections.map(async (connection) => {
        await dying.broker.join('hall', { connection, identity: null, info: null })
      }),
    )
    await vi.waitFor(() => expect(a.presence).toHaveLength(2_000), patience)
    // It is cut off for good: its lease expires.
    proxy.toServer = () => 'hold'
    await vi.waitFor(() => {
      const left = a.presence.flatMap((each) => (each.kind === 'left' ? [each.member.connection] : []))
      expect(new Set(left).size).toBe(2_000)
    }, patience)
    proxy.close()
    await dying.broker.close()
  })

  it('leaves nothing in Redis forever', async () => {
    const redis = await server()
    const a = await node(redis.url)
    await a.subscribe('news')
    await a.publish('news', 1)
    await a.publish('plain', 1, false)
    await a.publish('news', 2, undefined, 'key')
    await a.broker.join('lobby', { connection: 'c1', identity: null, info: null })
    await a.broker.control({ type: 'disconnect', data: {} }, 60_000)
    const operator = redisClient(redis.url)
    const keys = await operator.keys('*')
    expect(keys.length).toBeGreaterThan(8)
    for (const key of keys) expect([key, await operator.pttl(key)]).toEqual([key, expect.toSatisfy((ms) => ms > 0)])
    // A message that is kept for long is kept for as long.
    await a.broker.control({ type: 'disconnect', data: {} }, 5 * 86_400_000)
    expect(await operator.pttl('twinwire:{nodes}:kept')).toBeGreaterThan(5 * 86_400_000)
    operator.disconnect()
  })

  it('fills 10,000 streams after its subscriber was away', async () => {
    const redis = await server()
    const patient = { commandTimeoutMs: 60_000 }
    const [a, b] = [await node(redis.url, patient), await node(redis.url, patient)]
    const topics = Array.from({ length: 10_000 }, (_, i) => `topic:${i}`)
    await Promise.all(topics.map((topic) => b.subscribe(topic)))
    const operator = redisClient(redis.url)
    const sent = topics.map((topic, i) => a.publish(topic, i))
    await operator.call('CLIENT', 'KILL', 'TYPE', 'pubsub', 'SKIPME', 'yes')
    await Promise.all(sent)
    operator.disconnect()
    await vi.waitFor(() => expect(b.events.length).toBeGreaterThanOrEqual(10_000), patience)
    expect(b.gaps()).toBe(0)
    expect(b.events).toHaveLength(10_000)
    expect(new Set(b.events.map((each) => (each.kind === 'delivered' ? each.publication.data : null))).size).toBe(
      10_000,
    )
  })

  it('takes what was published before it is closed', async () => {
    const redis = await server()
    const [a, b] = [await node(redis.url), await node(redis.url)]
    await b.subscribe('news')
    const sent = numbers(1, 500).map((i) => a.publish('news', i))
    await Promise.all([a.broker.close(), a.broker.close()])
    await Promise.all(sent)
    await vi.waitFor(() => expect(b.received('news')).toEqual(numbers(1, 500)), patience)
    await expect(a.publish('news', 501)).rejects.toThrow()
  })
})
