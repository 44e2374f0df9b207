import { Redis } from 'ioredis'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { type OpenStore, openRedisStore, toCharge, toRule } from '../support/limit-store.ts'
import { hasOwnRedis, redisClient } from '../support/redis.ts'
import { type RedisServer, type RedisSettings, startRedisServer } from '../support/redis-server.ts'

const rule = toRule({ points: 10, periodMs: 3_600_000 })
const charge = toCharge(rule, 'ada')
/** Long enough for a busy machine, and short enough for a test. */
const patient = { commandTimeoutMs: 5000 }
const impatient = { commandTimeoutMs: 100 }

const open: (() => unknown)[] = []
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close()
})

async function startServer(settings: RedisSettings = {}): Promise<{ server: RedisServer; url: string; client: Redis }> {
  const server = await startRedisServer(settings)
  open.push(() => server.stop())
  const url = `redis://127.0.0.1:${server.port}`
  const client = new Redis(url, { maxRetriesPerRequest: 20 })
  client.on('error', () => {})
  open.push(() => client.disconnect())
  return { server, url, client }
}

async function openStore(...[options]: Parameters<typeof openRedisStore>): Promise<OpenStore> {
  const store = await openRedisStore(options)
  open.push(() => store.close())
  return store
}

/** Whether a consume was allowed, or the code of its error. */
const outcome = (store: OpenStore): Promise<unknown> =>
  Promise.resolve(store.consume([charge])).then(
    ({ allowed }) => allowed,
    ({ code }: { code: string }) => code,
  )
const eventually = (check: () => Promise<void> | void): Promise<void> =>
  vi.waitFor(check, { timeout: 25_000, interval: 20 })
const messages = (store: OpenStore): readonly string[] => store.logs.map(({ level, message }) => `${level} ${message}`)

describe.skipIf(!hasOwnRedis())('a store whose Redis', () => {
  it('is killed and restarted: fails at once in between, logs each change once, and continues', async () => {
    const { server, url } = await startServer()
    const store = await openStore({ url, ...patient })
    expect(await outcome(store)).toBe(true)
    await server.crash()
    await eventually(async () => expect(await outcome(store)).toBe('not_connected'))
    for (let i = 0; i < 100; i += 1) expect(await outcome(store)).toBe('not_connected')
    await expect(store.ping?.()).rejects.toMatchObject({ code: 'not_connected' })
    await server.restart()
    await eventually(async () => expect(await outcome(store)).toBe(true))
    await eventually(() =>
      expect(messages(store)).toEqual([
        `info Connected to Redis: 127.0.0.1:${server.port}/0`,
        'warn The connection to Redis was lost',
        'info Reconnected to Redis',
      ]),
    )
    expect(store.values('redis_pool_connections_created_total')).toEqual({ '0': 2 })
  })

  it('crashes with calls in flight: every one of them settles', async () => {
    const { server, url } = await startServer()
    const store = await openStore({ url, commandTimeoutMs: 60_000 })
    server.freeze()
    const outcomes = Array.from({ length: 200 }, () => outcome(store))
    await server.crash()
    expect(new Set(await Promise.all(outcomes))).toEqual(new Set(['not_connected']))
  })

  it('is paused: no call waits longer than its time-out, and late replies do no harm', async () => {
    const { url, client } = await startServer()
    const store = await openStore({ url, ...impatient })
    await client.call('CLIENT', 'PAUSE', 600_000, 'WRITE')
    const outcomes = await Promise.all(Array.from({ length: 100 }, () => outcome(store)))
    expect(new Set(outcomes)).toEqual(new Set(['timeout']))
    await client.call('CLIENT', 'UNPAUSE')
    // The calls that timed out were charged all the same.
    await eventually(async () => expect(await outcome(store)).toBe(false))
    expect(messages(store)).toHaveLength(1)
  })

  it('is paused: the number of pending replies is limited', async () => {
    const { url, client } = await startServer()
    const store = await openStore({ url, ...impatient })
    await client.call('CLIENT', 'PAUSE', 600_000, 'WRITE')
    const outcomes = await Promise.all(Array.from({ length: 5000 }, () => outcome(store)))
    expect(outcomes.filter((each) => each === 'timeout')).toHaveLength(4096)
    expect(outcomes.filter((each) => each === 'too_many_pending')).toHaveLength(904)
    expect(await outcome(store)).toBe('too_many_pending')
    await client.call('CLIENT', 'UNPAUSE')
    await eventually(async () => expect(await outcome(store)).toBe(false))
  })

  it('stops replying: the connection is replaced, and so is the next one, until it replies', async () => {
    const { server, url } = await startServer()
    const store = await openStore({ url, ...impatient, socketTimeoutMs: 200 })
    server.freeze()
    expect(await outcome(store)).toBe('timeout')
    await eventually(async () => expect(await outcome(store)).toBe('not_connected'))
    // It accepts connections and does not reply: more than one attempt is made.
    await eventually(() => expect(store.values('redis_pool_connections_created_total')['0']).toBeGreaterThan(2))
    server.thaw()
    await eventually(async () => expect(typeof (await outcome(store))).toBe('boolean'))
    expect(messages(store).filter((line) => line.startsWith('warn'))).toHaveLength(1)
  })

  it('stops replying while the connection is idle: that is detected', async () => {
    const { server, url } = await startServer()
    const store = await openStore({ url, ...impatient, socketTimeoutMs: 100, healthCheckIntervalMs: 50 })
    server.freeze()
    await eventually(() => expect(messages(store)).toContain('warn The connection to Redis was lost'))
    expect(store.values('redis_operations_total')['ping error']).toBeGreaterThan(0)
  })

  it('loses its scripts: they are sent again', async () => {
    const { url, client } = await startServer()
    const store = await openStore({ url, ...patient })
    expect(await outcome(store)).toBe(true)
    await client.script('FLUSH')
    const outcomes = await Promise.all(Array.from({ length: 20 }, () => outcome(store)))
    expect(outcomes.filter((each) => each === true)).toHaveLength(9)
    expect(store.values('redis_operations_total')).toMatchObject({ 'consume success': 21, 'consume error': 0 })
  })

  it('is flushed: buckets are full again, and no call fails', async () => {
    const { url, client } = await startServer()
    const store = await openStore({ url, ...patient })
    for (let i = 0; i < 11; i += 1) await outcome(store)
    expect(await outcome(store)).toBe(false)
    await client.flushall()
    expect(await outcome(store)).toBe(true)
  })

  it('becomes a read-only replica: fails, and continues when it is promoted', async () => {
    const { server } = await startServer()
    const replica = await startServer({ replicaof: `127.0.0.1 ${server.port}` })
    const store = await openStore({ url: replica.url, ...patient })
    expect(await outcome(store)).toBe('error')
    await replica.client.call('REPLICAOF', 'NO', 'ONE')
    await eventually(async () => expect(await outcome(store)).toBe(true))
  })

  it('has no memory left: fails, and continues when it has', async () => {
    const { url, client } = await startServer()
    const store = await openStore({ url, ...patient })
    await client.config('SET', 'maxmemory', '1')
    expect(await outcome(store)).toBe('error')
    await client.config('SET', 'maxmemory', '0')
    expect(await outcome(store)).toBe(true)
  })

  it('is unreachable at the start: the start succeeds, and Redis is used when it is reachable', async () => {
    const { server, url } = await startServer()
    await server.crash()
    const store = await openStore({ url, ...patient })
    expect(await outcome(store)).toBe('not_connected')
    expect(store.logs).toMatchObject([
      {
        level: 'warn',
        message: 'Cannot connect to Redis',
        fields: { reason: expect.stringContaining('ECONNREFUSED') },
      },
    ])
    await server.restart()
    await eventually(async () => expect(await outcome(store)).toBe(true))
    expect(messages(store)).toEqual(['warn Cannot connect to Redis', 'info Reconnected to Redis'])
  })

  it('does not reply at the start: the start waits for connectTimeoutMs', async () => {
    const { server, url } = await startServer()
    server.freeze()
    const store = await openStore({ url, connectTimeoutMs: 100 })
    expect(await outcome(store)).toBe('not_connected')
    server.thaw()
    await eventually(async () => expect(await outcome(store)).toBe(true))
  })

  it('refuses the password: it is tried again, logged once, and the password is never shown', async () => {
    const { server, url, client } = await startServer()
    await client.config('SET', 'requirepass', 'right')
    const store = await openStore({ url: `redis://:hunter2@127.0.0.1:${server.port}`, ...patient })
    const bare = await openStore({ url, ...patient })
    expect(await outcome(store)).toBe('not_connected')
    expect(store.logs).toMatchObject([{ fields: { reason: expect.stringContaining('WRONGPASS') } }])
    expect(bare.logs).toMatchObject([{ fields: { reason: expect.stringContaining('NOAUTH') } }])
    await client.config('SET', 'requirepass', 'hunter2')
    await eventually(async () => expect(await outcome(store)).toBe(true))
    expect(messages(store)).toHaveLength(2)
    expect(JSON.stringify(store.logs)).not.toContain('hunter2')
    expect(await outcome(bare)).toBe('not_connected')
  })

  it('has no such database: the start fails', async () => {
    const { url } = await startServer({ databases: 2 })
    await expect(openRedisStore({ url: `${url}/7` })).rejects.toMatchObject({
      code: 'bad_option',
      message: 'redisStore(): Redis has no database 7',
    })
    const store = await openStore({ url: `${url}/1`, ...patient })
    expect(await outcome(store)).toBe(true)
    const client = redisClient(`${url}/1`)
    expect(await client.keys('*')).toEqual(['twinwire:limit:{identity:ada}:default'])
    client.disconnect()
  })

  it('is used through a client of the application: nothing is queued while it is disconnected, and it is not closed', async () => {
    const { server, url } = await startServer()
    const given = new Redis(url, { autoResendUnfulfilledCommands: false })
    given.on('error', () => {})
    open.push(() => given.disconnect())
    const store = await openRedisStore({ client: given, commandTimeoutMs: 1000 })
    await eventually(async () => expect(await outcome(store)).toBe(true))
    await server.crash()
    await eventually(async () => expect(await outcome(store)).toBe('not_connected'))
    for (let i = 0; i < 50; i += 1) await outcome(store)
    await server.restart()
    await eventually(async () => expect(await outcome(store)).toBe(true))
    expect(await store.peek([charge])).toMatchObject([{ remaining: 9 }])
    const before = given.listenerCount('ready')
    await store.close()
    expect(given.listenerCount('ready')).toBeLessThan(before)
    expect(await given.ping()).toBe('PONG')
    await expect(store.consume([charge])).rejects.toThrow('Redis is not connected')
  })

  it('replies: that is counted', async () => {
    const { server, url } = await startServer()
    const store = await openStore({ url, ...patient })
    await store.consume([charge])
    await store.peek([charge])
    await store.ping?.()
    expect(store.values('redis_operations_total')).toMatchObject({
      'consume success': 1,
      'peek success': 1,
      'ping success': 1,
      'renew success': 0,
    })
    expect(store.values('redis_operation_duration_seconds')).toMatchObject({ consume: 1, peek: 1, ping: 1, renew: 0 })
    expect(store.values('redis_pool_max_connections')).toEqual({ '0': 1 })
    expect(store.values('redis_pool_connections_available')).toEqual({ '0': 1 })
    expect(store.values('redis_pool_info')).toEqual({ [`0 127.0.0.1 ${server.port} 5 5 30`]: 1 })
    const answer = store.ping?.()
    expect(store.values('redis_pool_connections_in_use')).toEqual({ '0': 1 })
    expect(store.values('redis_pool_connections_available')).toEqual({ '0': 0 })
    await answer
  })
})
