import { afterEach, describe, expect, it } from 'vitest'
import { type Call, type Identity, route } from '../index.ts'
import { auth, codeOf, deferred, nextJson, packet, plugin, testAuth, until } from '../testing/suite.fixtures.ts'
import { onTransports } from '../testing.ts'

interface Rated extends Identity {
  readonly rank: number
}

/** A handshake whose identity carries what the frame says of its rank, so that a renewal can be seen. */
const ranked = (verify: () => Promise<void> | void = () => {}) =>
  plugin((host) => {
    host.identify(() => null)
    const handle = async ({ token, rank }: Readonly<Record<string, unknown>>) => {
      await verify()
      const identity = { id: String(token), name: String(token), rank: Number(rank) }
      return { identity, reply: { type: 'auth_ok', rank } }
    }
    host.controlFrame('auth', handle, {})
  }, 'auth')
const rankOf = (call: Call): number => (call.identity as Rated).rank
const renew = (rank: number, token = 'ann') => ({ type: 'auth', token, rank })

const pkgIds = { RANK: 1, JOIN: 2, SLOW: 3 }
const routes = (slow: Promise<void> = Promise.resolve()) => ({
  RANK: route({ handler: (_input, call) => rankOf(call) }),
  JOIN: route({
    handler: async (_input, call) => {
      await call.connection?.join('high')
      await call.connection?.join('all')
      return null
    },
  }),
  SLOW: route({
    handler: async (_input, call) => {
      await slow
      return rankOf(call)
    },
  }),
})

describe('a renewal', () => {
  onTransports({ describe, afterEach }, ({ start }) => {
    it('is answered with auth_ok; a call keeps the identity it started with', async () => {
      const slow = deferred()
      const { client } = await start({ pkgIds, routes: routes(slow.promise), plugins: [ranked()] })
      const one = await client({ handshake: renew(1) })
      const before = one.call('SLOW')
      expect(await one.call('RANK')).toBe(1)
      one.send(renew(2))
      expect(await one.nextControl()).toEqual({ type: 'auth_ok', rank: 2 })
      expect(await one.call('RANK')).toBe(2)
      slow.resolve()
      expect(await before).toBe(1)
    })

    it('is a barrier: packages behind it wait for its result', async () => {
      let round = 0
      const verified = deferred()
      const verify = () => (round++ === 0 ? undefined : verified.promise)
      const { connect, app } = await start({ pkgIds, routes: routes(), plugins: [ranked(verify)] })
      const socket = await connect()
      socket.send(JSON.stringify(renew(1)))
      await socket.next()
      socket.send(packet(1))
      socket.send(JSON.stringify(renew(2)))
      socket.send(packet(1))
      socket.send(packet(1))
      expect((await nextJson(socket)).data).toBe(1)
      await until(() => round === 2)
      expect(app.hub.size).toBe(1)
      expect(socket.frames).toEqual([])
      verified.resolve()
      expect(await nextJson(socket)).toEqual({ type: 'auth_ok', rank: 2 })
      expect((await nextJson(socket)).data).toBe(2)
      expect((await nextJson(socket)).data).toBe(2)
    })

    it('that fails ends the connection with 4001', async () => {
      const { connect } = await start({ pkgIds, routes: routes(), plugins: [testAuth()] })
      const socket = await connect()
      socket.send(auth('ann'))
      await socket.next()
      socket.send(auth('bad'))
      expect(await socket.closed).toEqual({ code: 4001, reason: 'Unauthorized' })
    })

    it('with another subject ends the connection with 4001, though the plugin let it pass', async () => {
      const { connect, app } = await start({ pkgIds, routes: routes(), plugins: [ranked()] })
      const socket = await connect()
      socket.send(JSON.stringify(renew(1)))
      await socket.next()
      socket.send(JSON.stringify(renew(9, 'bob')))
      expect(await socket.closed).toEqual({ code: 4001, reason: 'Unauthorized' })
      await until(() => app.hub.size === 0)
      expect(app.hub.ofIdentity('bob')).toEqual([])
      expect(socket.frames).toEqual([])
    })

    it('authorizes joined topics again, and leaves those that are no longer allowed', async () => {
      const asked: string[] = []
      const { client, app } = await start({
        pkgIds,
        routes: routes(),
        plugins: [ranked()],
        topics: {
          high: {
            authorize: async (identity, topic) => {
              asked.push(`${topic} ${(identity as Rated).rank}`)
              return (identity as Rated).rank > 1
            },
          },
          all: { authorize: () => true },
        },
      })
      const one = await client({ handshake: renew(2) })
      await one.call('JOIN')
      expect([app.hub.topicSize('high'), app.hub.topicSize('all')]).toEqual([1, 1])
      one.send(renew(1))
      await one.nextControl()
      expect([app.hub.topicSize('high'), app.hub.topicSize('all')]).toEqual([0, 1])
      expect(asked).toEqual(['high 2', 'high 1'])
      await expect(one.call('JOIN')).rejects.toMatchObject({ code: 'permission_denied' })
    })

    it('authorizes a topic again whose rule was still running, with the new identity', async () => {
      const asked: number[] = []
      const slow = deferred()
      const { connect, app } = await start({
        pkgIds,
        routes: routes(),
        plugins: [ranked()],
        topics: {
          high: {
            authorize: async (identity) => {
              const { rank } = identity as Rated
              asked.push(rank)
              if (asked.length === 1) await slow.promise
              return rank > 1
            },
          },
        },
      })
      const socket = await connect()
      socket.send(JSON.stringify(renew(2)))
      await socket.next()
      socket.send(packet(2))
      await until(() => asked.length === 1)
      socket.send(JSON.stringify(renew(1)))
      expect(await nextJson(socket)).toMatchObject({ type: 'auth_ok' })
      slow.resolve()
      expect(codeOf(await nextJson(socket))).toBe('permission_denied')
      expect(asked).toEqual([2, 1])
      expect(app.hub.topicSize('high')).toBe(0)
    })
  })
})
