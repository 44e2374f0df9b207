import * as v from 'valibot'
import { afterEach, describe, expect, it } from 'vitest'
import { brokerOf } from '../hub/broker.fixtures.ts'
import { createBrokerNetwork } from '../hub/network/network.fixtures.ts'
import { type Identity, type Plugin, route } from '../index.ts'
import { deferred, nextJson, packet, plugin, testAuth, until } from '../testing/suite.fixtures.ts'
import { createTestApp, onTransports, type RawSocket } from '../testing.ts'

const input = v.object({ topic: v.string() })
const options = {
  pkgIds: { JOIN: 1, LEAVE: 2 },
  routes: {
    JOIN: route({
      input,
      handler: async ({ topic }, call) => {
        await call.connection?.join(topic)
        return null
      },
    }),
    LEAVE: route({ input, handler: ({ topic }, call) => call.connection?.leave(topic) }),
  },
  topics: {
    'team:*': {
      presence: (identity: Identity | null) => ({ name: identity?.name ?? 'Guest' }),
      authorize: (_identity: Identity | null, topic: string) => topic !== 'team:secret',
    },
    lobby: { presence: true, subscribe: true, authorize: () => true },
    plain: { subscribe: true, authorize: () => true },
  },
} as const

async function join(socket: RawSocket, topic: string): Promise<void> {
  socket.send(packet(1, { topic }))
  expect(await nextJson(socket)).toMatchObject({ status_code: 0 })
}

async function ask(socket: RawSocket, fields: object): Promise<Record<string, unknown>> {
  socket.send(JSON.stringify({ type: 'presence', id: 1, ...fields }))
  return nextJson<Record<string, unknown>>(socket)
}

async function signIn({ connect }: { connect(): Promise<RawSocket> }, token: string): Promise<RawSocket> {
  const socket = await connect()
  socket.send(JSON.stringify({ type: 'auth', token }))
  await nextJson(socket)
  return socket
}

async function subscribe(socket: RawSocket, fields: object): Promise<Record<string, unknown>> {
  socket.send(JSON.stringify({ type: 'subscribe', id: 1, topic: 'lobby', ...fields }))
  return nextJson<Record<string, unknown>>(socket)
}

const denied = {
  type: 'error',
  id: 1,
  code: 'permission_denied',
  msg: 'Only members may ask who is joined to a topic, if its rule has presence',
  details: null,
}
const isId = expect.stringMatching(/^[0-9a-f-]{36}$/)

/** A membership does not wait for its presence, which a broker may register later. */
const patience = { timeout: 15_000 }

describe('presence', () => {
  onTransports({ describe, afterEach }, ({ start }) => {
    it('is of connections that are joined, with what the rule says of them', async () => {
      const test = await start({ ...options, plugins: [testAuth()] })
      const [ann, bob] = [await signIn(test, 'ann'), await signIn(test, 'bob')]
      for (const socket of [ann, bob]) await join(socket, 'team:1')
      await join(ann, 'lobby')
      const gauge = () => {
        const family = test.app.instruments.families().find(({ name }) => name === 'hub_presence_members')
        return family?.cells[0]?.cell
      }
      expect(gauge()).toHaveProperty('value', 3)
      const { members, ...rest } = await ask(ann, { topic: 'team:1' })
      expect(rest).toEqual({ type: 'presence', id: 1, cursor: null })
      expect(members).toEqual([
        { connection: isId, identity: 'ann', info: { name: 'ann' } },
        { connection: isId, identity: 'bob', info: { name: 'bob' } },
      ])
      expect(await ask(ann, { topic: 'lobby', cursor: null })).toMatchObject({
        members: [{ identity: 'ann', info: null }],
      })
    })

    it('is only for members, and for topics with presence', async () => {
      const { connect } = await start(options)
      const socket = await connect()
      await join(socket, 'plain')
      for (const topic of ['team:1', 'lobby', 'plain', 'nowhere', ''])
        expect(await ask(socket, { topic })).toEqual(denied)
      for (const [fields, path] of [
        [{}, 'topic'],
        [{ topic: 7 }, 'topic'],
        [{ topic: 'plain', cursor: 7 }, 'cursor'],
        [{ topic: 'plain', cursor: 'x'.repeat(1025) }, 'cursor'],
      ] as const)
        expect(await ask(socket, fields)).toMatchObject({ code: 'validation_error', details: [{ path }] })
      await join(socket, 'lobby')
      expect(await ask(socket, { topic: 'lobby', cursor: null })).toMatchObject({ members: [{ identity: null }] })
    })

    it('ends with the membership, in whichever way that ends', async () => {
      let allowed = true
      const topics = { ...options.topics, own: { presence: true, authorize: () => allowed } }
      const { app, connect, ...test } = await start({ ...options, topics, plugins: [testAuth()] })
      const watcher = await signIn({ connect }, 'watcher')
      for (const topic of ['lobby', 'own']) await join(watcher, topic)
      const count = async (topic: string) => (await app.hub.presence(topic)).members.length
      const [leaves, closes, loses] = [
        await signIn({ connect }, 'a'),
        await signIn({ connect }, 'b'),
        await signIn({ connect }, 'c'),
      ]
      for (const socket of [leaves, closes]) await join(socket, 'lobby')
      await join(loses, 'own')
      await expect.poll(async () => [await count('lobby'), await count('own')], patience).toEqual([3, 2])
      leaves.send(packet(2, { topic: 'lobby' }))
      await nextJson(leaves)
      await expect.poll(() => count('lobby'), patience).toBe(2)
      closes.close()
      await until(() => app.hub.size === 3)
      await expect.poll(() => count('lobby'), patience).toBe(1)
      allowed = false
      await app.hub.refresh('c')
      await expect.poll(() => count('own'), patience).toBe(1)
      await test.close()
    })

    it('comes in pages of 100', async () => {
      const { app, connect } = await start(options)
      const sockets: RawSocket[] = []
      for (let i = 0; i < 205; i++) {
        const socket = await connect()
        await join(socket, 'lobby')
        sockets.push(socket)
      }
      const size = async () => (await app.hub.presence('lobby', { limit: 1000 })).members.length
      await expect.poll(size, patience).toBe(205)
      const found = new Set<unknown>()
      const sizes: number[] = []
      let cursor: unknown = null
      do {
        const page = await ask(sockets[0] as RawSocket, { topic: 'lobby', cursor })
        const members = page.members as { connection: string }[]
        sizes.push(members.length)
        for (const { connection } of members) found.add(connection)
        cursor = page.cursor
      } while (cursor !== null)
      expect([sizes, found.size]).toEqual([[100, 100, 5], 205])
      const all: unknown[] = []
      for await (const { connection } of app.hub.members('lobby')) all.push(connection)
      expect(new Set(all)).toEqual(found)
      expect((await app.hub.presence('lobby', { limit: 1000 })).members).toHaveLength(205)
    }, 60_000)

    it('is of all nodes', async () => {
      const network = createBrokerNetwork()
      const startNode = () => start({ ...options, broker: network.createBroker(), plugins: [testAuth()] })
      const [one, other] = [await startNode(), await startNode()]
      const [ann, bob] = [await signIn(one, 'ann'), await signIn(other, 'bob')]
      for (const socket of [ann, bob]) await join(socket, 'team:1')
      await network.settle()
      const asked = ask(ann, { topic: 'team:1' })
      expect((await asked).members).toMatchObject([{ identity: 'ann' }, { identity: 'bob' }])
      await other.close()
      expect((await one.app.hub.presence('team:1')).members).toMatchObject([{ identity: 'ann' }])
    })

    it('is told to those who subscribe with it, but not of themselves', async () => {
      const test = await start({ ...options, plugins: [testAuth()] })
      const [ann, bob] = [await signIn(test, 'ann'), await signIn(test, 'bob')]
      expect(await subscribe(ann, { presence: true })).toMatchObject({ type: 'subscribed', topic: 'lobby' })
      const member = { connection: isId, identity: 'bob', info: null }
      await join(bob, 'lobby')
      expect(await nextJson(ann)).toEqual({ type: 'joined', topic: 'lobby', member })
      bob.close()
      expect(await nextJson(ann)).toEqual({ type: 'left', topic: 'lobby', member })
      // The last subscribe counts, and none is told after a leave.
      expect(await subscribe(ann, {})).toMatchObject({ type: 'subscribed' })
      const eve = await signIn(test, 'eve')
      await join(eve, 'lobby')
      expect(await ask(ann, { topic: 'lobby' })).toMatchObject({ members: [{ identity: 'ann' }, { identity: 'eve' }] })
    })

    it('is told across nodes, also of a node that ends', async () => {
      const network = createBrokerNetwork()
      const startNode = () => start({ ...options, broker: network.createBroker(), plugins: [testAuth()] })
      const [one, other] = [await startNode(), await startNode()]
      const [ann, bob] = [await signIn(one, 'ann'), await signIn(other, 'bob')]
      await subscribe(ann, { presence: true })
      await join(bob, 'lobby')
      expect(await nextJson(ann)).toMatchObject({ type: 'joined', member: { identity: 'bob' } })
      await other.close()
      expect(await nextJson(ann)).toMatchObject({ type: 'left', member: { identity: 'bob' } })
    })

    it('cannot be subscribed to where the rule has none', async () => {
      const { connect } = await start({ ...options, plugins: [] })
      const socket = await connect()
      for (const topic of ['plain', '@all'])
        expect(await subscribe(socket, { topic, presence: true })).toMatchObject({
          code: 'permission_denied',
          msg: 'This topic has no presence',
        })
      expect(await subscribe(socket, { presence: 'yes' })).toMatchObject({ details: [{ path: 'presence' }] })
    })

    it('what the rule says changes with a renewed identity', async () => {
      let name = 'Ann'
      const renewing: Plugin = plugin((host) => {
        host.identify(() => null)
        host.controlFrame('auth', () => ({ identity: { id: 'ann', name }, reply: { type: 'ok' } }), {})
      }, 'renewing')
      const test = await start({ ...options, plugins: [renewing] })
      const ann = await signIn(test, 'x')
      await join(ann, 'team:1')
      name = 'Dr. Ann'
      ann.send(JSON.stringify({ type: 'auth' }))
      await nextJson(ann)
      const asked = () => ask(ann, { topic: 'team:1' })
      await expect.poll(asked, patience).toMatchObject({ members: [{ info: { name: 'Dr. Ann' } }] })
    })
  })

  it('of an app without it asks the broker nothing', async () => {
    const asked: string[] = []
    const broker = brokerOf({
      oneProcess: true,
      join: () => void asked.push('join'),
      leave: () => void asked.push('leave'),
    })
    const { client, app, close } = await createTestApp({ ...options, broker })
    const one = await client()
    await one.call('JOIN', { topic: 'plain' })
    await one.call('LEAVE', { topic: 'plain' })
    await expect(app.hub.presence('plain')).rejects.toThrow("has no presence: set presence: true in 'plain'")
    expect(asked).toEqual([])
    await close()
  })

  it('never keeps a connection waiting, and says when the broker does not answer', async () => {
    const joining = deferred()
    const broker = brokerOf({
      oneProcess: true,
      join: () => joining.promise,
      presence: () => Promise.reject(new Error('no connection')),
    })
    const { connect, close } = await createTestApp({ ...options, broker })
    const socket = await connect()
    await join(socket, 'lobby')
    socket.send(JSON.stringify({ type: 'presence', id: 1, topic: 'lobby' }))
    socket.send(JSON.stringify({ type: 'ping', id: 2 }))
    expect(await nextJson(socket)).toEqual({ type: 'pong', id: 2 })
    joining.resolve()
    expect(await nextJson(socket)).toEqual({
      type: 'error',
      id: 1,
      code: 'unavailable',
      msg: 'Who is joined cannot be read now: the broker does not answer',
      details: null,
    })
    await close()
  })
})
