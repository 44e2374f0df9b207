// What clients receive while connections, nodes and Redis itself are lost: two nodes on a Redis of the test's own.
import { setTimeout } from 'node:timers/promises'
import { redisBroker } from '@twinwire/broker-redis'
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import {
  createRealtimeNodes,
  eventsOf,
  eventually,
  gapsOf,
  positionOf,
  type RealtimeNodes,
} from '../support/realtime-nodes.ts'
import { startRedisReplica } from '../support/redis-replica.ts'
import { hasRedisBinary, type RedisServer, startRedisServer } from '../support/redis-server.ts'
import { startSwitchProxy } from '../support/switch-proxy.ts'

vi.setConfig({ testTimeout: 120_000 })

const news = ':news'
let open: RealtimeNodes[] = []

afterEach(async () => {
  for (const nodes of open) await nodes.close()
  open = []
})

async function startServer(): Promise<RedisServer> {
  const server = await startRedisServer()
  onTestFinished(() => server.stop())
  return server
}

/** Two nodes, with clients that have subscribed on both. */
async function startTwo(url: string) {
  const world = createRealtimeNodes()
  open.push(world)
  // On a busy machine a publication may wait for several connections that are killed while they are made.
  const options = { url, history: { size: 5000, ttlMs: 600_000 }, commandTimeoutMs: 30_000 }
  const a = await world.start(redisBroker(options))
  const b = await world.start(redisBroker(options))
  const clients = [world.connect(a), world.connect(b), world.connect(b)]
  for (const client of clients) await world.subscribe(client, news, null)
  return { world, a, b, clients }
}

describe.skipIf(!hasRedisBinary())('clients of two nodes', () => {
  it('receive 10,000 publications once and in order while connections to Redis are killed 100 times', async () => {
    const server = await startServer()
    const { world, a, b, clients } = await startTwo(server.url)
    const admin = server.client()
    onTestFinished(() => admin.disconnect())
    for (let round = 0; round < 100; round++) {
      const batch = Array.from({ length: 100 }, (_, i) => world.publish(i % 2 === 0 ? a : b, news))
      await admin.call('CLIENT', 'KILL', 'TYPE', round % 2 === 0 ? 'pubsub' : 'normal', 'SKIPME', 'yes')
      await Promise.all(batch)
    }
    for (const client of clients)
      await eventually(() => eventsOf(client, news).length >= 10_000, 'all publications have arrived')
    world.check()
    for (const client of clients) {
      expect([gapsOf(client, news), new Set(eventsOf(client, news)).size]).toEqual([0, 10_000])
      expect(eventsOf(client, news)).toEqual(eventsOf(clients[0] as typeof client, news))
      expect(client.admitted).toBe(true)
    }
  })

  it('recover each time when they come back within 50 ms, and after a silence that outlasts the history', async () => {
    const server = await startServer()
    const { world, a, b, clients } = await startTwo(server.url)
    let [client] = clients
    if (client === undefined) throw new Error('no client')
    for (let round = 0; round < 10; round++) {
      const since = positionOf(client, news)
      client.end()
      const published = [world.publish(a, news), world.publish(b, news), world.publish(a, news)]
      await setTimeout(round * 5)
      client = world.connect(round % 2 === 0 ? b : a)
      expect(await world.subscribe(client, news, since)).toMatchObject({ recovered: true })
      await Promise.all(published)
    }
    const last = client
    await eventually(() => positionOf(last, news)?.offset === 30, 'all publications have arrived')
    // The entries expire, epoch and offset do not. Their time is ended by hand: a short one might be over during the rounds.
    const admin = server.client()
    onTestFinished(() => admin.disconnect())
    for (const key of await streamsOf(admin)) await admin.pexpire(key, 1)
    await eventually(async () => (await streamsOf(admin)).length === 0, 'the history has expired')
    const since = positionOf(last, news)
    last.end()
    const back = world.connect(a)
    expect(await world.subscribe(back, news, since)).toEqual({ position: since, recovered: true })
    await world.publish(b, news)
    await eventually(() => eventsOf(back, news).length === 1, 'it goes on')
    world.check()
  })

  it('are told when Redis comes back empty or from an older file, and nothing is taken for a repeat', async () => {
    const server = await startServer()
    const { world, a, b, clients } = await startTwo(server.url)
    for (let i = 0; i < 5; i++) await world.publish(a, news)
    const snapshot = await server.snapshot()
    for (let i = 0; i < 5; i++) await world.publish(b, news)
    await eventually(() => clients.every((client) => eventsOf(client, news).length === 10), 'the first ten')
    const before = positionOf(clients[0] as (typeof clients)[0], news)
    for (const [round, file] of [undefined, snapshot].entries()) {
      await server.restart(file)
      await eventually(() => clients.every((client) => gapsOf(client, news) > round), 'each receives the gap')
      let last = 0
      for (let i = 0; i < 10; i++) last = await eventuallyPublished(world, i % 2 === 0 ? a : b)
      const late = world.connect(b)
      expect(await world.subscribe(late, news, before)).toMatchObject({ recovered: false })
      const now = world.connect(a)
      const since = positionOf(late, news)
      expect(await world.subscribe(now, news, since)).toMatchObject({ recovered: true })
      await eventually(() => clients.every((client) => eventsOf(client, news).includes(last)), 'it goes on')
    }
    world.check()
  })

  it('are told when a replica that lagged is promoted', async () => {
    const master = await startServer()
    const replica = await startRedisReplica(master)
    onTestFinished(() => replica.stop())
    const proxy = await startSwitchProxy(master.port)
    onTestFinished(() => proxy.close())
    const { world, a, b, clients } = await startTwo(`redis://127.0.0.1:${proxy.port}`)
    for (let i = 0; i < 5; i++) await world.publish(a, news)
    await replica.caughtUp()
    await replica.lag()
    for (let i = 0; i < 5; i++) await world.publish(b, news)
    await eventually(() => clients.every((client) => eventsOf(client, news).length === 10), 'the first ten')
    const before = positionOf(clients[0] as (typeof clients)[0], news)
    await replica.promote()
    proxy.switchTo(replica.port)
    await eventually(() => clients.every((client) => gapsOf(client, news) > 0), 'each receives the gap')
    let last = 0
    for (let i = 0; i < 10; i++) last = await eventuallyPublished(world, a)
    const late = world.connect(b)
    expect(await world.subscribe(late, news, before)).toMatchObject({ recovered: false })
    await eventually(() => clients.every((client) => eventsOf(client, news).includes(last)), 'it goes on')
    world.check()
  })

  it('miss nothing while the subscriber of their node hangs, which its health says until it is replaced', async () => {
    const server = await startServer()
    const proxy = await startSwitchProxy(server.port)
    onTestFinished(() => proxy.close())
    const world = createRealtimeNodes()
    open.push(world)
    const a = await world.start(redisBroker({ url: server.url }))
    const b = await world.start(redisBroker({ url: `redis://127.0.0.1:${proxy.port}` }))
    const client = world.connect(b)
    await world.subscribe(client, news, null)
    const isHealthy = async (): Promise<boolean> => {
      try {
        await b.broker.health?.()
        return true
      } catch {
        return false
      }
    }
    expect(await isHealthy()).toBe(true)
    // All that is open; connections of later on pass.
    proxy.drop()
    await world.publish(a, news)
    await eventually(async () => !(await isHealthy()), 'it is not healthy')
    await eventually(isHealthy, 'it is healthy again')
    await world.publish(a, news)
    await eventually(() => eventsOf(client, news).length === 2, 'both publications')
    expect(gapsOf(client, news)).toBe(0)
    world.check()
  })

  it('receive what was published to 10,000 topics of one node while it was away', async () => {
    const server = await startServer()
    const world = createRealtimeNodes()
    open.push(world)
    const a = await world.start(redisBroker({ url: server.url }))
    const b = await world.start(redisBroker({ url: server.url }))
    const client = world.connect(a)
    const topics = Array.from({ length: 10_000 }, (_, i) => `:t${i}`)
    for (let i = 0; i < topics.length; i += 500)
      await Promise.all(topics.slice(i, i + 500).map((topic) => world.subscribe(client, topic, null)))
    const admin = server.client()
    onTestFinished(() => admin.disconnect())
    await admin.call('CLIENT', 'KILL', 'TYPE', 'pubsub')
    const some = topics.filter((_, i) => i % 10 === 0)
    await Promise.all(some.map((topic) => world.publish(b, topic)))
    await eventually(() => streamsIn(client).size === some.length, 'all that was published', 60_000)
    world.check()
  })
})

function streamsIn({ seen }: RealtimeNodes['connections'][number]): ReadonlySet<string> {
  return new Set(seen.flatMap((each) => (each.kind === 'event' ? [each.stream] : [])))
}

/** Redis may be on its way back yet. Returns the number. */
async function eventuallyPublished(world: RealtimeNodes, node: RealtimeNodes['nodes'][number]): Promise<number> {
  let n = 0
  const attempt = async (): Promise<boolean> => {
    try {
      n = await world.publish(node, news)
      return true
    } catch {
      return false
    }
  }
  await eventually(attempt, 'a publication is taken')
  return n
}

async function streamsOf(admin: ReturnType<RedisServer['client']>): Promise<readonly string[]> {
  const [, keys] = (await admin.call('SCAN', '0', 'COUNT', '10000', 'TYPE', 'stream')) as [string, string[]]
  return keys
}
