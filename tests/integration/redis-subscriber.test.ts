// Subscriptions on real servers: what a broker is built on.
import { Redis } from 'ioredis'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { hasOwnRedis, hasRedisCluster, redisClient } from '../support/redis.ts'
import { type RedisCluster, startRedisCluster } from '../support/redis-cluster.ts'
import { openConnection, openSubscriber } from '../support/redis-connection.ts'
import { type RedisServer, startRedisServer } from '../support/redis-server.ts'

const opened: (() => unknown)[] = []
afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close()
})

const eventually = (check: () => Promise<void> | void): Promise<void> =>
  vi.waitFor(check, { timeout: 25_000, interval: 20 })

async function start(): Promise<RedisServer> {
  const server = await startRedisServer()
  opened.push(() => server.stop())
  return server
}

async function subscribe(...[options]: Parameters<typeof openSubscriber>) {
  const open = await openSubscriber(options)
  opened.push(() => open.subscriber.close())
  return open
}

async function connect(...[options]: Parameters<typeof openConnection>) {
  const open = await openConnection(options)
  opened.push(() => open.connection.close())
  return open
}

async function run(server: RedisServer | undefined, ...[name = '', ...args]: string[]): Promise<unknown> {
  const client = redisClient(server?.url ?? '')
  try {
    return await client.call(name, ...args)
  } finally {
    client.disconnect()
  }
}

describe.skipIf(!hasOwnRedis())('a subscriber', () => {
  it('receives what is published to its channels, in order, until it unsubscribes', async () => {
    const server = await start()
    const { subscriber, events, logs } = await subscribe({ url: server.url })
    const { publish } = await connect({ url: server.url })
    await subscriber.subscribe(['a', 'b'])
    for (const message of ['1', '2', 'ü']) await publish('a', message)
    await publish('c', 'of another channel')
    await subscriber.unsubscribe(['a'])
    await publish('a', 'too late')
    await publish('b', '3')
    await eventually(() => expect(events).toEqual(['up', 'a 1', 'a 2', 'a ü', 'b 3']))
    expect(logs.map(({ message }) => message)).toEqual([
      `Connected to Redis for subscriptions: 127.0.0.1:${server.port}/0`,
    ])
    expect(subscriber).toMatchObject({ isSharded: false, problem: null })
  })

  it('reports a lost connection, comes back without channels, and is logged once for each change', async () => {
    const server = await start()
    const { subscriber, events, logs, instruments } = await subscribe({ url: server.url })
    await subscriber.subscribe(['a'])
    await run(server, 'CLIENT', 'KILL', 'TYPE', 'pubsub')
    await eventually(() => expect(events).toEqual(['up', expect.stringContaining('down: '), 'up']))
    expect(await run(server, 'PUBSUB', 'NUMSUB', 'a')).toEqual(['a', 0])
    await subscriber.subscribe(['a'])
    expect(await run(server, 'PUBLISH', 'a', 'again')).toBe(1)
    await eventually(() => expect(events.at(-1)).toBe('a again'))
    await server.crash()
    await eventually(() => expect(subscriber.problem).not.toBeNull())
    await expect(subscriber.subscribe(['b'])).rejects.toMatchObject({ code: 'not_connected' })
    await server.restart()
    await eventually(() => expect(events.at(-1)).toBe('up'))
    expect(logs.map(({ message }) => message).slice(1)).toEqual([
      'The connection to Redis for subscriptions was lost',
      'Reconnected to Redis for subscriptions',
      'The connection to Redis for subscriptions was lost',
      'Reconnected to Redis for subscriptions',
    ])
    const created = instruments.families().find(({ name }) => name === 'redis_pool_connections_created_total')
    expect(created?.cells).toMatchObject([{ labels: { db: '0' }, cell: { value: 3 } }])
  })

  it('is replaced by request, also while its server does not answer, and the old connection delivers nothing more', async () => {
    const server = await start()
    const { subscriber, events } = await subscribe({ url: server.url, socketTimeoutMs: 300 })
    const { publish } = await connect({ url: server.url })
    await subscriber.subscribe(['a'])
    server.freeze()
    subscriber.replace('the probe was lost')
    expect(events).toEqual(['up', 'down: the probe was lost'])
    // Accepted by the frozen server, which never gets ready: it is replaced too, and that is not reported again.
    await new Promise((resolve) => setTimeout(resolve, 700))
    server.thaw()
    await eventually(() => expect(events).toEqual(['up', 'down: the probe was lost', 'up']))
    await publish('a', 'to the old one')
    await subscriber.subscribe(['a'])
    await publish('a', 'to the other one')
    await eventually(() => expect(events.slice(3)).toEqual(['a to the other one']))
  })

  it('replaces a connection that does not answer a subscription', async () => {
    const server = await start()
    const { subscriber, events } = await subscribe({ url: server.url, socketTimeoutMs: 200, commandTimeoutMs: 100 })
    server.freeze()
    await expect(subscriber.subscribe(['a'])).rejects.toMatchObject({ code: 'timeout' })
    await eventually(() => expect(events).toEqual(['up', 'down: it did not reply']))
    server.thaw()
    await eventually(() => expect(events.at(-1)).toBe('up'))
  })

  it('starts while there is no server, tells why it is not connected, and connects when there is one', async () => {
    const server = await start()
    await server.crash()
    const { subscriber, events, logs } = await subscribe({ url: server.url })
    const { connection } = await connect({ url: server.url })
    for (const each of [subscriber, connection]) expect(each.problem).toContain('ECONNREFUSED')
    expect(logs).toMatchObject([{ level: 'warn', message: 'Cannot connect to Redis for subscriptions' }])
    await server.restart()
    await eventually(() => expect(events).toEqual([expect.stringContaining('down: '), 'up']))
    await eventually(() => expect(connection.problem).toBeNull())
  })

  it('is a duplicate of a client of the application, which it does not close', async () => {
    const server = await start()
    const client = new Redis(server.url)
    opened.push(() => client.disconnect())
    const { subscriber, events } = await openSubscriber({ client })
    await subscriber.subscribe(['a'])
    await client.publish('a', '1')
    await eventually(() => expect(events).toEqual(['up', 'a 1']))
    subscriber.close()
    expect(await client.ping()).toBe('PONG')
    const prefixed = new Redis(server.url, { keyPrefix: 'app:' })
    opened.push(() => prefixed.disconnect())
    await expect(openSubscriber({ client: prefixed })).rejects.toMatchObject({
      code: 'bad_option',
      message: 'test(): client must not have a keyPrefix: use the option prefix',
    })
  })

  it('rejects what has no reply when it is closed, and is closed once', async () => {
    const server = await start()
    const { subscriber, events } = await subscribe({ url: server.url })
    server.freeze()
    const pending = subscriber.subscribe(['a'])
    subscriber.close()
    subscriber.close()
    await expect(pending).rejects.toMatchObject({ name: 'RedisError' })
    await expect(subscriber.subscribe(['a'])).rejects.toMatchObject({ code: 'not_connected' })
    subscriber.replace('after the end')
    expect(events).toEqual(['up'])
  })
})

describe.skipIf(!hasRedisCluster())('a subscriber of a cluster', () => {
  async function startCluster(): Promise<RedisCluster> {
    const cluster = await startRedisCluster()
    opened.push(() => cluster.stop())
    return cluster
  }

  it('receives from the shards of all nodes, and again after a node was lost', async () => {
    const cluster = await startCluster()
    const { subscriber, events } = await subscribe({ cluster: cluster.urls.slice(0, 1) })
    const { publish, connection } = await connect({ cluster: cluster.urls })
    expect([subscriber.isSharded, connection.isCluster]).toEqual([true, true])
    const channels = Array.from({ length: 30 }, (_, i) => `channel-${i}`)
    await subscriber.subscribe(channels)
    const received = (message: string): string[] => events.filter((event) => event.endsWith(` ${message}`)).sort()
    const expected = (message: string): string[] => channels.map((channel) => `${channel} ${message}`).sort()
    await Promise.all(channels.map((channel) => publish(channel, '1')))
    await eventually(() => expect(received('1')).toEqual(expected('1')))

    const before = events.length
    await cluster.nodes[1]?.crash()
    await cluster.nodes[1]?.restart()
    await eventually(() => expect(events.slice(before)).toContain('resubscribed'))
    await eventually(async () => {
      await subscriber.subscribe(channels)
      await Promise.all(channels.map((channel) => publish(channel, '2')))
      expect([...new Set(received('2'))]).toEqual(expected('2'))
    })
  }, 60_000)

  it('receives again from a channel whose slot has moved to another node, and is told', async () => {
    const cluster = await startCluster()
    const { subscriber, events } = await subscribe({ cluster: cluster.urls })
    const { publish } = await connect({ cluster: cluster.urls })
    await subscriber.subscribe(['a', 'b'])
    const slot = Number(await run(cluster.nodes[0], 'CLUSTER', 'KEYSLOT', 'a'))
    const to = cluster.nodes[(Math.floor((slot * 3) / 16_384) + 1) % 3]
    if (to !== undefined) await cluster.moveSlot(slot, to)
    await eventually(() => expect(events).toContain('resubscribed'))
    await eventually(async () => {
      await publish('a', 'moved')
      await publish('b', 'not moved')
      expect(events).toEqual(expect.arrayContaining(['a moved', 'b not moved']))
    })
  }, 60_000)

  it('is replaced as a whole by request', async () => {
    const cluster = await startCluster()
    const { subscriber, events } = await subscribe({ cluster: cluster.urls })
    const { publish } = await connect({ cluster: cluster.urls })
    await subscriber.subscribe(['a'])
    subscriber.replace('the probe was lost')
    await eventually(() =>
      expect(events.filter((event) => event !== 'resubscribed')).toEqual(['up', 'down: the probe was lost', 'up']),
    )
    await subscriber.subscribe(['a'])
    await publish('a', '1')
    await eventually(() => expect(events.at(-1)).toBe('a 1'))
  }, 60_000)
})
