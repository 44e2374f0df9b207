// What is done on all nodes, and presence, over a real Redis.
import { redisBroker } from '@twinwire/broker-redis'
import { type Identity, route } from '@twinwire/core'
import { createTestApp, fakeIdentity, type RawSocket } from '@twinwire/core/testing'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { hasOwnRedis } from '../support/redis.ts'
import { type RedisServer, startRedisServer } from '../support/redis-server.ts'

// Redis is started, killed and waited for, on a machine that may do other things.
vi.setConfig({ testTimeout: 90_000, hookTimeout: 60_000 })

const opened: (() => unknown)[] = []
afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close()
})

const waiting = { timeout: 30_000, interval: 20 }
const removed = new Set<string>()
const authorize = (identity: Identity | null) => identity !== null && !removed.has(identity.id)

async function startServer(): Promise<RedisServer> {
  const server = await startRedisServer()
  opened.push(() => server.stop())
  return server
}

async function startNode({ url }: RedisServer) {
  const node = await createTestApp(
    {
      pkgIds: { NONE: 1 },
      routes: { NONE: route({ handler: () => null }) },
      topics: { 'team:*': { subscribe: true, presence: (identity) => ({ of: identity?.id }), authorize } },
      plugins: [fakeIdentity()],
      broker: redisBroker({ url }),
    },
    { leftovers: 'allow' },
  )
  opened.push(() => node.close({ abandon: true }))
  return node
}
type Node = Awaited<ReturnType<typeof startNode>>

async function subscribe({ connect }: Node, id: string): Promise<RawSocket> {
  const socket = await connect({ headers: { authorization: `Bearer ${id}` } })
  socket.send(JSON.stringify({ type: 'subscribe', id: 1, topic: 'team:1', presence: true }))
  expect(await nextFrame(socket)).toMatchObject({ type: 'subscribed' })
  return socket
}
async function nextFrame(socket: RawSocket): Promise<unknown> {
  return JSON.parse(String((await socket.next(waiting.timeout)).data))
}
const present = async ({ app }: Node): Promise<readonly (string | null)[]> =>
  (await app.hub.presence('team:1')).members.map(({ identity }) => identity).toSorted()

describe.skipIf(!hasOwnRedis())('over Redis', () => {
  it('presence is of all nodes, and a close of a node is seen by the others', async () => {
    const server = await startServer()
    const [one, other] = [await startNode(server), await startNode(server)]
    const ann = await subscribe(one, 'ann')
    // `subscribed` does not wait for Redis: bob would be told that ann has joined.
    await vi.waitFor(async () => expect(await present(other)).toEqual(['ann']), waiting)
    const bob = await subscribe(other, 'bob')
    expect(await nextFrame(ann)).toMatchObject({ type: 'joined', member: { identity: 'bob', info: { of: 'bob' } } })
    await vi.waitFor(async () => expect(await present(one)).toEqual(['ann', 'bob']), waiting)
    await subscribe(other, 'eve')
    expect(await nextFrame(bob)).toMatchObject({ type: 'joined', member: { identity: 'eve' } })
    expect(await nextFrame(ann)).toMatchObject({ type: 'joined', member: { identity: 'eve' } })
    await other.close()
    const left = [await nextFrame(ann), await nextFrame(ann)].map(
      (frame) => (frame as { member: { identity: string } }).member.identity,
    )
    expect(left.toSorted()).toEqual(['bob', 'eve'])
    expect(await present(one)).toEqual(['ann'])
    expect(await one.app.hub.nodes()).toHaveLength(1)
  })

  it('presence is told again to a Redis that comes back empty, without who has left meanwhile', async () => {
    const server = await startServer()
    const [one, other] = [await startNode(server), await startNode(server)]
    await subscribe(one, 'ann')
    const bob = await subscribe(other, 'bob')
    await vi.waitFor(async () => expect(await present(one)).toEqual(['ann', 'bob']), waiting)
    await server.crash()
    bob.close()
    await vi.waitFor(() => expect(other.app.hub.size).toBe(0), waiting)
    await server.restart()
    for (const node of [one, other]) await vi.waitFor(async () => expect(await present(node)).toEqual(['ann']), waiting)
  })

  it('disconnect and refresh reach the other node, also while subscribers are killed', async () => {
    const server = await startServer()
    const [one, other] = [await startNode(server), await startNode(server)]
    const admin = server.client()
    opened.push(() => admin.disconnect())
    const [ann, bob] = [await subscribe(other, 'ann'), await subscribe(other, 'bob')]
    removed.add('bob')
    await admin.call('CLIENT', 'KILL', 'TYPE', 'pubsub')
    await one.app.hub.refresh('bob')
    await one.app.hub.disconnect({ identity: 'ann' }, { code: 4100, reason: 'Account closed' })
    expect(await ann.closed).toEqual({ code: 4100, reason: 'Account closed' })
    await vi.waitFor(() => expect(other.app.hub.topicSize('team:1')).toBe(0), waiting)
    expect(other.app.hub.size).toBe(1)
    bob.close()
    removed.clear()
  })
})
