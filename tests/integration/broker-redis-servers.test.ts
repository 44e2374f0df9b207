// redisBroker() on a master behind a Sentinel that changes, and over TLS.
import { randomUUID } from 'node:crypto'
import { redisBroker } from '@twinwire/broker-redis'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { startNode, type TestNode } from '../support/broker-node.ts'
import { createCertificate } from '../support/certificate.ts'
import { hasOwnRedis } from '../support/redis.ts'
import { startRedisSentinel } from '../support/redis-sentinel.ts'
import { startRedisServer } from '../support/redis-server.ts'

const patience = { timeout: 60_000, interval: 50 }

describe.skipIf(!hasOwnRedis())('redisBroker()', { timeout: 120_000 }, () => {
  async function start(options: Parameters<typeof redisBroker>[0]): Promise<TestNode> {
    const node = await startNode(redisBroker(options))
    onTestFinished(async () => await node.broker.close())
    return node
  }

  it('goes on after a failover under publications: in order, without a repeat, and a gap tells of what is missing', async () => {
    const sentinel = await startRedisSentinel()
    onTestFinished(() => sentinel.stop())
    const sentinels = { name: sentinel.name, urls: [sentinel.url] }
    const [a, b] = [await start({ sentinels }), await start({ sentinels })]
    const history = { size: 10_000, ttlMs: 60_000 }
    await b.subscribe('news', history)
    let isOver = false
    const taken: number[] = []
    const publishing = (async () => {
      for (let n = 1; !isOver || n <= 200; n += 1) {
        // As a caller that retries would.
        const key = randomUUID()
        await vi.waitFor(() => a.publish('news', n, history, key), patience)
        taken.push(n)
      }
    })()
    await vi.waitFor(() => expect(b.received('news').length).toBeGreaterThan(20), patience)
    const before = b.events.at(-1)?.position?.epoch
    await sentinel.failover()
    // The old master takes publications until it is told. Both servers have identities of their own, so it is another epoch. A gap of that epoch
    // says nothing of where `a` publishes: it is at the new master once an event of that epoch has arrived.
    await vi.waitFor(() => {
      const delivered = b.events.findLast(({ kind }) => kind === 'delivered')
      expect(delivered?.position?.epoch).not.toBe(before)
    }, patience)
    const at = taken.length
    await vi.waitFor(() => expect(taken.length).toBeGreaterThan(at + 50), patience)
    isOver = true
    await publishing
    const last = taken.at(-1)
    await vi.waitFor(() => expect(b.received('news').at(-1)).toBe(last), patience)
    expect(b.events.at(-1)?.position?.epoch).not.toBe(before)
    expect(b.gaps()).toBeGreaterThan(0)
    // In each epoch no number is missing from the first one on that was received, and none comes twice.
    const epochs = new Map<string, number[]>()
    for (const each of b.events)
      if (each.kind === 'delivered' && each.position !== null) {
        const offsets = epochs.get(each.position.epoch) ?? []
        epochs.set(each.position.epoch, [...offsets, each.position.offset])
      }
    for (const offsets of epochs.values()) {
      const [first = 0] = offsets
      expect(offsets).toEqual(offsets.map((_, i) => first + i))
    }
    const late = b.received('news').slice(-40)
    expect(late).toEqual(late.map((_, i) => Number(last) - 39 + i))
  })

  it('publishes, delivers and keeps presence over TLS', async () => {
    const certificate = createCertificate()
    onTestFinished(() => certificate.remove())
    const server = await startRedisServer({ requirepass: 'secret' }, certificate)
    onTestFinished(() => server.stop())
    const options = { url: server.url, tls: { ca: certificate.ca } }
    const [a, b] = [await start(options), await start(options)]
    await b.subscribe('news')
    expect(await a.publish('news', 1)).toMatchObject({ offset: 1 })
    await a.broker.join('news', { connection: 'c1', identity: 'ann', info: null })
    await a.broker.control({ type: 'refresh', data: 'ann' }, 0)
    await vi.waitFor(() => {
      expect(b.received('news')).toEqual([1])
      expect(b.presence).toMatchObject([{ kind: 'joined', member: { connection: 'c1' } }])
      expect(b.control).toEqual([{ type: 'refresh', data: 'ann' }])
    }, patience)
    const unknown = start({ url: server.url, connectTimeoutMs: 1000 })
    await expect(unknown).rejects.toMatchObject({
      code: 'redis.unreachable',
      message: expect.stringMatching(/certificate/),
    })
  })
})
