// Commands and subscriptions over TLS: to a server, and to a master behind a Sentinel.
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { type Certificate, createCertificate } from '../support/certificate.ts'
import { hasOwnRedis } from '../support/redis.ts'
import { openConnection, openSubscriber } from '../support/redis-connection.ts'
import { startRedisSentinel } from '../support/redis-sentinel.ts'
import { startRedisServer } from '../support/redis-server.ts'

const opened: (() => unknown)[] = []
afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close()
})

async function open(...[options]: Parameters<typeof openConnection>) {
  const [commands, subscriptions] = [await openConnection(options), await openSubscriber(options)]
  opened.push(
    () => commands.connection.close(),
    () => subscriptions.subscriber.close(),
  )
  return { commands, subscriptions }
}

const eventually = (check: () => Promise<void> | void): Promise<void> =>
  vi.waitFor(check, { timeout: 25_000, interval: 50 })

describe.skipIf(!hasOwnRedis())('over TLS', () => {
  let certificate: Certificate
  beforeAll(() => {
    certificate = createCertificate()
  })
  afterAll(() => certificate?.remove())

  it('commands reach a server, and subscriptions receive from it', async () => {
    const server = await startRedisServer({ requirepass: 'secret' }, certificate)
    opened.push(() => server.stop())
    const { commands, subscriptions } = await open({ url: server.url, tls: { ca: certificate.ca } })
    await subscriptions.subscriber.subscribe(['a'])
    await commands.publish('a', '1')
    await eventually(() => expect(subscriptions.events).toEqual(['up', 'a 1']))
  })

  it('a certificate of an unknown authority is refused, with the reason', async () => {
    const server = await startRedisServer({}, certificate)
    opened.push(() => server.stop())
    const { commands, subscriptions } = await open({ url: server.url, connectTimeoutMs: 300 })
    for (const problem of [commands.connection.problem, subscriptions.subscriber.problem])
      expect(problem).toMatch(/certificate/)
  })

  it('a master behind a Sentinel is used, and the next one after a failover', async () => {
    const sentinel = await startRedisSentinel({ certificate, password: 'secret', sentinelPassword: 'other' })
    opened.push(() => sentinel.stop())
    const sentinels = { name: sentinel.name, urls: [sentinel.url], password: 'secret' }
    const { commands, subscriptions } = await open({ sentinels, tls: { ca: certificate.ca } })
    await commands.publish('a', '1')
    await sentinel.failover()
    for (const { events } of [commands, subscriptions])
      await eventually(() => expect(events.filter((event) => event === 'up')).toHaveLength(2))
    await subscriptions.subscriber.subscribe(['a'])
    await eventually(async () => expect(await commands.publish('a', '2')).toBe(1))
    await eventually(() => expect(subscriptions.events.at(-1)).toBe('a 2'))
  })
})
