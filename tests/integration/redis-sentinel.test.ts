// A master and its replica behind a Sentinel: who is master changes, and everything goes on.
import { afterEach, describe, expect, it, vi } from 'vitest'
import { openRedisStore, toCharge, toRule } from '../support/limit-store.ts'
import { hasOwnRedis } from '../support/redis.ts'
import { openConnection, openSubscriber } from '../support/redis-connection.ts'
import { type RedisSentinel, type RedisSentinelSettings, startRedisSentinel } from '../support/redis-sentinel.ts'

const opened: (() => unknown)[] = []
afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close()
})

const eventually = (check: () => Promise<void> | void): Promise<void> =>
  vi.waitFor(check, { timeout: 25_000, interval: 50 })

async function start(settings: RedisSentinelSettings = {}): Promise<RedisSentinel> {
  const sentinel = await startRedisSentinel(settings)
  opened.push(() => sentinel.stop())
  return sentinel
}

const toOptions = ({ name, url }: RedisSentinel) => ({ sentinels: { name, urls: [url] } })
const charge = toCharge(toRule({ points: 1000, periodMs: 3_600_000 }), 'ada')

async function openStore(...[options]: Parameters<typeof openRedisStore>) {
  const store = await openRedisStore({ commandTimeoutMs: 2000, ...options })
  opened.push(() => store.close())
  const remaining = async () => (await store.consume([charge])).statuses[0]?.remaining
  return { store, remaining, messages: () => store.logs.map(({ message }) => message) }
}

async function openBoth(...[options]: Parameters<typeof openConnection>) {
  const [commands, subscriptions] = [await openConnection(options), await openSubscriber(options)]
  opened.push(
    () => commands.connection.close(),
    () => subscriptions.subscriber.close(),
  )
  return { commands, subscriptions }
}

describe.skipIf(!hasOwnRedis())('with Sentinels', () => {
  it('limits apply on the master, and on the other one once that was promoted in place of a killed master', async () => {
    const sentinel = await start()
    const { remaining, messages } = await openStore(toOptions(sentinel))
    expect(await remaining()).toBe(999)
    await sentinel.second.caughtUp()
    await sentinel.first.crash()
    await eventually(async () => expect(await sentinel.master()).toBe(sentinel.second))
    await eventually(async () => expect(await remaining()).toBe(998))
    const port = new URL(sentinel.url).port
    expect(messages()).toEqual([
      `Connected to Redis: mymaster/0 of the Sentinels at 127.0.0.1:${port}`,
      'The connection to Redis was lost',
      'Reconnected to Redis',
    ])
  })

  it('a master that was replaced by command is left, though it still runs: for commands and for subscriptions', async () => {
    const sentinel = await start()
    const { commands, subscriptions } = await openBoth(toOptions(sentinel))
    await subscriptions.subscriber.subscribe(['a'])
    await commands.publish('a', '1')
    await sentinel.failover()
    for (const { events } of [commands, subscriptions])
      await eventually(() => expect(events.filter((event) => event === 'up')).toHaveLength(2))
    await subscriptions.subscriber.subscribe(['a'])
    await eventually(async () => expect(await commands.publish('a', '2')).toBe(1))
    await eventually(() => expect(subscriptions.events.at(-1)).toBe('a 2'))
    // Both are clients of the other one now.
    const { second } = sentinel
    const others = await openStore({ url: second.url })
    expect(await others.remaining()).toBe(999)
  })

  it('a frozen master is left when the other one was promoted', async () => {
    const sentinel = await start()
    const { remaining } = await openStore({ ...toOptions(sentinel), commandTimeoutMs: 300, socketTimeoutMs: 300 })
    expect(await remaining()).toBe(999)
    await sentinel.second.caughtUp()
    sentinel.first.freeze()
    await eventually(async () => expect(await remaining()).toBe(998))
    sentinel.first.thaw()
    expect(await remaining()).toBe(997)
  })

  it('passwords of the servers and of the Sentinels are used, and none is shown', async () => {
    const sentinel = await start({ password: 'hunter2', sentinelPassword: 'hunter3' })
    const { name, url } = sentinel
    const { remaining, messages } = await openStore({
      sentinels: { name, urls: [url], password: 'hunter2', db: 3 },
      prefix: 'limits:',
    })
    expect(await remaining()).toBe(999)
    const wrong = await openStore({ sentinels: { name, urls: [url], password: 'hunter4' }, connectTimeoutMs: 500 })
    await expect(wrong.remaining()).rejects.toMatchObject({ code: 'not_connected' })
    expect(wrong.store.logs).toMatchObject([{ fields: { reason: expect.stringContaining('WRONGPASS') } }])
    expect(JSON.stringify([messages(), wrong.store.logs])).not.toContain('hunter')
  })

  it('a start without any Sentinel, or with an unknown name, says why, and connects when it can', async () => {
    const sentinel = await start()
    await sentinel.crash()
    const { commands, subscriptions } = await openBoth({ ...toOptions(sentinel), connectTimeoutMs: 300 })
    for (const { connection } of [commands]) expect(connection.problem).toContain('All sentinels are unreachable')
    expect(commands.logs).toMatchObject([
      {
        level: 'warn',
        message: 'Cannot connect to Redis',
        fields: { reason: expect.stringContaining('All sentinels are unreachable') },
      },
    ])
    await sentinel.restart()
    for (const { events } of [commands, subscriptions]) await eventually(() => expect(events.at(-1)).toBe('up'))
    const { urls } = toOptions(sentinel).sentinels
    const unknown = await openBoth({ sentinels: { name: 'other', urls }, connectTimeoutMs: 300 })
    expect(unknown.commands.connection.problem).toContain('All sentinels are unreachable')
  })

  it('the loss of the Sentinel alone changes nothing', async () => {
    const sentinel = await start()
    const { remaining, messages } = await openStore(toOptions(sentinel))
    await sentinel.crash()
    expect(await remaining()).toBe(999)
    expect(messages()).toHaveLength(1)
  })
})
