import { randomUUID } from 'node:crypto'
import { redisBroker } from '@twinwire/broker-redis'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { onTopic, startNode, type TestNode } from '../support/broker-node.ts'
import { hasRedis, redisClient, startRedis, type TestRedis } from '../support/redis.ts'

const patience = { timeout: 15_000, interval: 20 }

describe.skipIf(!(await hasRedis()))('redisBroker()', () => {
  let redis: TestRedis
  let prefix = ''
  const nodes: TestNode[] = []

  beforeAll(async () => {
    redis = await startRedis()
  })
  afterEach(async () => {
    await Promise.all(nodes.splice(0).map(async ({ broker }) => await broker.close()))
  })
  afterAll(async () => {
    await redis.stop()
  })

  async function start(options: Parameters<typeof startNode>[1] = {}, settings: object = {}): Promise<TestNode> {
    const node = await startNode(redisBroker({ url: redis.url, prefix, ...settings }), options)
    nodes.push(node)
    return node
  }
  const fresh = (): void => {
    prefix = `${redis.prefix}${randomUUID().slice(0, 8)}:`
  }

  describe('publications', () => {
    it('arrive at every node that subscribes, in order, with positions [defect 30]', async () => {
      fresh()
      const [a, b] = [await start(), await start()]
      const since = await a.subscribe('news')
      expect(since).toEqual({ epoch: expect.any(String), offset: 0 })
      expect(await b.subscribe('news')).toEqual(since)
      const positions = await Promise.all(Array.from({ length: 200 }, (_, i) => a.publish('news', i)))
      expect(positions.map((position) => position?.offset)).toEqual(Array.from({ length: 200 }, (_, i) => i + 1))
      for (const node of [a, b]) {
        await vi.waitFor(() => expect(node.received('news')).toHaveLength(200), patience)
        expect(node.received('news')).toEqual(Array.from({ length: 200 }, (_, i) => i))
        expect(node.gaps()).toBe(0)
      }
      expect(a.events.at(-1)).toMatchObject({ position: positions.at(-1) })
    })

    it('are taken once for each key', async () => {
      fresh()
      const a = await start()
      await a.subscribe('news')
      const first = await a.publish('news', 1, undefined, 'row-1')
      expect(await a.publish('news', 2, undefined, 'row-1')).toEqual(first)
      const third = await a.publish('news', 3)
      expect(third?.offset).toBe(2)
      await vi.waitFor(() => expect(a.received('news')).toEqual([1, 3]), patience)
    })

    it('of streams without history have no positions', async () => {
      fresh()
      const [a, b] = [await start(), await start()]
      expect(await b.subscribe('ticks', false)).toBeNull()
      expect(await a.publish('ticks', 1, false)).toBeNull()
      await vi.waitFor(() => expect(b.received('ticks')).toEqual([1]), patience)
      expect(b.events[0]).toMatchObject({ position: null })
      expect(await a.broker.history(onTopic('ticks'), false, null, 10)).toBeNull()
    })

    it('are read back from the history', async () => {
      fresh()
      const a = await start()
      const since = await a.subscribe('news')
      for (let i = 1; i <= 150; i += 1) void a.publish('news', i, { size: 200, ttlMs: 60_000 })
      const last = await a.publish('news', 151, { size: 200, ttlMs: 60_000 })
      const page = await a.broker.history(onTopic('news'), undefined, since, 1000)
      expect(page?.complete).toBe(true)
      expect(page?.position).toEqual(last)
      expect(page?.entries.map(({ publication }) => publication.data)).toEqual(
        Array.from({ length: 151 }, (_, i) => i + 1),
      )
      expect(page?.entries.at(-1)?.position).toEqual(last)
      const some = { epoch: last?.epoch ?? '', offset: 150 }
      expect((await a.broker.history(onTopic('news'), undefined, some, 1))?.entries).toHaveLength(1)
      for (const [odd, limit] of [
        [{ epoch: 'other', offset: 1 }, 1000],
        [{ epoch: last?.epoch ?? '', offset: 152 }, 1000],
        [{ epoch: last?.epoch ?? '', offset: 0 }, 150],
      ] as const)
        expect(await a.broker.history(onTopic('news'), undefined, odd, limit)).toEqual({
          entries: [],
          position: last,
          complete: false,
        })
    })
  })

  describe('presence', () => {
    it('is of all nodes, in pages, and ends with a node', async () => {
      fresh()
      const [a, b] = [await start(), await start()]
      await a.subscribe('lobby')
      const member = (n: number) => ({ connection: `c${n}`, identity: `i${n}`, info: { n } })
      for (let n = 1; n <= 5; n += 1) await (n % 2 ? a : b).broker.join('lobby', member(n))
      await vi.waitFor(() => expect(a.presence).toHaveLength(5), patience)
      const first = await b.broker.presence('lobby', null, 3)
      expect(first.members).toEqual([1, 2, 3].map(member))
      const second = await b.broker.presence('lobby', first.cursor, 3)
      expect(second).toEqual({ members: [4, 5].map(member), cursor: null })
      expect(await b.broker.presence('lobby', 'made up', 3)).toEqual(first)
      await b.broker.leave('lobby', member(2))
      await b.broker.close()
      await vi.waitFor(() => expect(a.presence.filter(({ kind }) => kind === 'left')).toHaveLength(2), patience)
      expect((await a.broker.presence('lobby', null, 10)).members).toEqual([1, 3, 5].map(member))
    })
  })

  describe('control messages', () => {
    it('reach each node once, also one that starts later', async () => {
      fresh()
      const [a, b] = [await start(), await start()]
      const message = { type: 'disconnect', data: { identity: '7' } }
      await a.broker.control(message, 60_000)
      await a.broker.control({ type: 'refresh', data: null }, 0)
      for (const node of [a, b]) await vi.waitFor(() => expect(node.control).toHaveLength(2), patience)
      const late = await start()
      expect(late.control).toEqual([message])
      await new Promise((resolve) => setTimeout(resolve, 1200))
      expect(b.control).toHaveLength(2)
      expect((await late.broker.nodes()).map(({ id }) => id).sort()).toEqual([a.id, b.id, late.id].sort())
    })
  })

  it('needs one command for a publication', async () => {
    fresh()
    const own = redisClient(redis.url)
    const a = await start({ publishesOnly: true })
    await a.publish('warm', 1)
    const calls = async (): Promise<number> =>
      Number(/cmdstat_evalsha:calls=(\d+)/.exec(await own.info('commandstats'))?.[1])
    const seen: string[] = []
    const monitor = await own.monitor()
    monitor.on('monitor', (_time: string, args: string[], source: string) => {
      if (source !== 'lua' && args.some((arg) => arg.includes(prefix))) seen.push(args[0] ?? '')
    })
    for (let i = 0; i < 10; i += 1) await a.publish('news', i)
    await vi.waitFor(() => expect(seen.length).toBeGreaterThanOrEqual(10), patience)
    expect(seen).toEqual(Array.from({ length: 10 }, () => 'evalsha'))
    expect(await calls()).toBeGreaterThan(0)
    monitor.disconnect()
    own.disconnect()
  })
})
