import { AsyncLocalStorage } from 'node:async_hooks'
import { randomUUID } from 'node:crypto'
import { redisBroker } from '@twinwire/broker-redis'
import type { Operations } from '@twinwire/core/plugin'
import type { Member, MemberPage } from '@twinwire/core/transport'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { onTopic, startNode, type TestNode } from '../support/broker-node.ts'
import { type CutProxy, startCutProxy } from '../support/cut-proxy.ts'
import { hasRedis, startRedis, type TestRedis } from '../support/redis.ts'

const patience = { timeout: 15_000, interval: 20 }

describe.skipIf(!(await hasRedis()))('redisBroker()', () => {
  let redis: TestRedis
  let prefix = ''
  const nodes: TestNode[] = []
  const taps: CutProxy[] = []

  beforeAll(async () => {
    redis = await startRedis()
  })
  afterEach(async () => {
    await Promise.all(nodes.splice(0).map(async ({ broker }) => await broker.close()))
    for (const tap of taps.splice(0)) tap.close()
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

  /** What nodes send through it. */
  async function startTap() {
    const proxy = await startCutProxy(redis.url)
    taps.push(proxy)
    /** Returns the commands since then that have a key of this test. */
    const commands = () => {
      let text = ''
      proxy.toServer = (bytes) => {
        text += bytes.toString('latin1')
        return 'pass'
      }
      return () => text.split(/(?=\*\d+\r\n\$\d+\r\n)/).filter((command) => command.includes(prefix))
    }
    return { url: proxy.url, commands }
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

  it('registers members that join and leave at once in few commands, and loses none of those that do so again and again', async () => {
    fresh()
    const tap = await startTap()
    const [a, b] = [await start({}, { url: tap.url }), await start()]
    await b.subscribe('hall')
    const members: Member[] = Array.from({ length: 1_000 }, (_, i) => ({
      connection: `c${i}`,
      identity: null,
      info: null,
    }))
    const seen = tap.commands()
    await Promise.all(members.map(async (member) => await a.broker.join('hall', member)))
    // 200 members in each.
    expect(seen().filter((command) => command.includes(':members'))).toHaveLength(5)
    await vi.waitFor(() => expect(b.presence).toHaveLength(1_000), patience)
    // Every second one leaves, every fourth one comes back without a wait.
    await Promise.all(
      members.map(async (member, i) => {
        if (i % 2 === 1) return
        const leaving = a.broker.leave('hall', member)
        if (i % 4 === 0) await a.broker.join('hall', { ...member, info: i })
        await leaving
      }),
    )
    const found: unknown[] = []
    for (let cursor: string | null = null; ; ) {
      const page: MemberPage = await b.broker.presence('hall', cursor, 300)
      found.push(...page.members)
      cursor = page.cursor
      if (cursor === null) break
    }
    const expected = members.flatMap((member, i) => {
      if (i % 2 === 1) return [member]
      return i % 4 === 0 ? [{ ...member, info: i }] : []
    })
    const byConnection = (one: unknown, other: unknown) => JSON.stringify(one).localeCompare(JSON.stringify(other))
    expect(found.toSorted(byConnection)).toEqual(expected.toSorted(byConnection))
  })

  it('registers the members of several calls in the trace of none', async () => {
    fresh()
    const calls = new AsyncLocalStorage<string>()
    const begun: (string | undefined)[] = []
    const operations: Operations = {
      begin: (operation) => {
        if (operation.kind === 'command' && operation.script === 'presence') begun.push(calls.getStore())
        return null
      },
    }
    const a = await start({ operations })
    const member = (connection: string): Member => ({ connection, identity: null, info: null })
    const joinIn = (call: string) => calls.run(call, async () => await a.broker.join('hall', member(call)))
    await joinIn('ann')
    await Promise.all([joinIn('bob'), joinIn('eve')])
    await calls.run('ann', async () => await a.broker.leave('hall', member('ann')))
    // The topic is noted, ann joins, bob and eve join at once, ann leaves.
    expect(begun).toEqual([undefined, undefined, undefined, undefined])
  })

  it('needs one command for a publication', async () => {
    fresh()
    const tap = await startTap()
    const a = await start({ publishesOnly: true }, { url: tap.url })
    await a.publish('warm', 1)
    const seen = tap.commands()
    for (let i = 0; i < 10; i += 1) await a.publish('news', i)
    expect(seen().map((command) => command.split('\r\n')[2])).toEqual(Array.from({ length: 10 }, () => 'evalsha'))
  })
})
