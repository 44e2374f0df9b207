// Revocations and logouts of several nodes of one app, over brokers in one process.
import { createVirtualClock, onTransports, type RawSocket, type VirtualClock } from '@twinwire/core/testing'
import { afterEach, describe, expect, it } from 'vitest'
import { createBrokerNetwork } from '../../packages/core/src/hub/network/network.fixtures.ts'
import {
  authFrame,
  authOf,
  bearer,
  callPackage,
  counted,
  nextJson,
  pkgIds,
  routes,
  startIssuer,
} from '../../packages/plugin-auth/src/auth.fixtures.ts'
import type { AuthOptions } from '../../packages/plugin-auth/src/auth-options.ts'
import type { AuthPlugin } from '../../packages/plugin-auth/src/auth-plugin.ts'

const ada = { username: 'ada', id: 'u-ada' }
const bob = { username: 'bob', id: 'u-bob' }
const form = { 'content-type': 'application/x-www-form-urlencoded' }
const lifetimeMs = 600_000

describe('revocations over several nodes', () => {
  onTransports({ describe, afterEach }, ({ start }) => {
    async function startNodes(options: Partial<AuthOptions> = {}) {
      const { issuer, clock } = await startIssuer()
      const network = createBrokerNetwork({ clock })
      const startNode = async (own: VirtualClock = clock) => {
        const keycloak: AuthPlugin = authOf(issuer, { backChannelLogout: true, ...options })
        const broker = network.createBroker()
        return { keycloak, broker, ...(await start({ pkgIds, routes, clock: own, plugins: [keycloak], broker })) }
      }
      return { issuer, clock, network, startNode, one: await startNode(), other: await startNode() }
    }
    type Nodes = Awaited<ReturnType<typeof startNodes>>
    type Node = Nodes['one']

    async function signIn({ connect }: Pick<Node, 'connect'>, token: string): Promise<RawSocket> {
      const socket = await connect()
      socket.send(authFrame(`Bearer ${token}`))
      expect(await nextJson(socket)).toMatchObject({ type: 'auth_ok' })
      return socket
    }
    const logOut = ({ request }: Pick<Node, 'request'>, token: string) =>
      request('POST /auth/backchannel-logout', {
        body: new URLSearchParams({ logout_token: token }).toString(),
        headers: form,
      })
    const status = async ({ request }: Pick<Node, 'request'>, token: string): Promise<number> =>
      (await request('GET /who', bearer(token))).status

    it('of a user: sockets of all nodes are closed with 4004, and its tokens are refused on all', async () => {
      const { one, other, issuer, network, clock } = await startNodes()
      const token = issuer.token(ada)
      const [here, there, others] = [
        await signIn(one, token),
        await signIn(other, issuer.token(ada)),
        await signIn(other, issuer.token(bob)),
      ]
      expect(one.keycloak.revoke('u-ada')).toBe(1)
      expect(await status(one, token)).toBe(401)
      await network.settle()
      expect([await here.closed, await there.closed]).toMatchObject([{ code: 4004 }, { code: 4004 }])
      expect(await status(other, token)).toBe(401)
      expect(await callPackage(others, pkgIds.WHO)).toMatchObject({ data: 'bob' })
      await clock.advance(1000)
      await signIn(other, issuer.token(ada))
    })

    it('of a session, in either way', async () => {
      const { one, other, issuer, network } = await startNodes()
      const [first, second] = [issuer.token(ada, { sid: 's-1' }), issuer.token(ada, { sid: 's-2' })]
      const [a, b] = [await signIn(other, first), await signIn(other, second)]
      one.keycloak.revoke({ sessionId: 's-1' })
      await network.settle()
      expect(await a.closed).toMatchObject({ code: 4004 })
      expect([await status(other, first), await status(other, second)]).toEqual([401, 200])
      const logout = await logOut(one, issuer.logoutToken(ada, { sid: 's-2' }))
      expect(logout.status).toBe(200)
      expect(await b.closed).toEqual({ code: 4004, reason: 'Session revoked' })
      expect(await status(other, second)).toBe(401)
    })

    it('a node that was cut off applies what it missed, also a logout, when it is back', async () => {
      const { one, other, issuer, network } = await startNodes()
      const tokens = [issuer.token(ada, { sid: 's-1' }), issuer.token(bob, { sid: 's-2' })] as const
      const sockets = [await signIn(other, tokens[0]), await signIn(other, tokens[1])]
      other.broker.cut()
      one.keycloak.revoke('u-ada')
      expect((await logOut(one, issuer.logoutToken(null, { sid: 's-2' }))).status).toBe(200)
      await network.settle()
      expect(await status(other, tokens[0])).toBe(200)
      other.broker.restore()
      for (const socket of sockets) expect(await socket.closed).toMatchObject({ code: 4004 })
      for (const token of tokens) expect(await status(other, token)).toBe(401)
    })

    it('a node that starts later knows it, until none of the tokens can be valid any more', async () => {
      const { one, issuer, clock, network, startNode } = await startNodes({ maxTokenLifetimeMs: lifetimeMs })
      const token = issuer.token(ada, { sid: 's-1', lifetimeMs })
      one.keycloak.revoke('u-ada')
      await network.settle()
      const late = await startNode()
      await network.settle()
      expect(await status(late, token)).toBe(401)
      await clock.advance(lifetimeMs / 2)
      const later = await startNode()
      await network.settle()
      expect(await status(later, token)).toBe(401)
      await clock.advance(lifetimeMs / 2 + 9000)
      // Expired for 9 s, and accepted for 10.
      expect([await status(later, token), network.server.keptNow().length]).toEqual([401, 1])
      await clock.advance(12_000)
      expect(network.server.keptNow()).toEqual([])
    })

    it('receiving it again changes nothing, and a later login is accepted', async () => {
      const { one, other, issuer, network, clock } = await startNodes()
      one.keycloak.revoke('u-ada')
      await network.settle()
      await clock.advance(15_000)
      const socket = await signIn(other, issuer.token(ada))
      // What is kept is delivered again to a new connection now and then: here by hand.
      for (const { message } of network.server.keptNow()) {
        await other.broker.control({ ...message, data: { ...(message.data as object), id: 'another' } }, 0)
      }
      await network.settle()
      expect(await callPackage(socket, pkgIds.WHO)).toMatchObject({ data: 'ada' })
    })

    it('a session that only another node knows is revoked with its user, on all nodes', async () => {
      const { one, other, issuer, network, clock } = await startNodes()
      // A token without the time of its login: a refreshed one looks like a later login.
      const tokenOf = () => issuer.token(ada, { sid: 's-9', claims: { auth_time: undefined } })
      await signIn(other, tokenOf())
      one.keycloak.revoke('u-ada')
      await network.settle()
      await clock.advance(5000)
      const refreshed = tokenOf()
      expect([await status(one, refreshed), await status(other, refreshed)]).toEqual([401, 401])
    })

    it('a node whose clock is ahead locks no user out of the others', async () => {
      const { issuer, clock, network, startNode, other } = await startNodes()
      const ahead = await startNode(createVirtualClock(clock.now() + 3_600_000))
      const before = issuer.token(ada)
      ahead.keycloak.revoke('u-ada')
      await network.settle()
      expect(await status(other, before)).toBe(401)
      await clock.advance(11_000)
      expect(await status(other, issuer.token(ada))).toBe(200)
    })

    it('what the broker does not take applies here, and to the others later; a logout is answered 503 meanwhile', async () => {
      const { one, other, issuer, network, clock } = await startNodes()
      const token = issuer.token(ada, { sid: 's-1' })
      const [here, there] = [await signIn(one, token), await signIn(other, token)]
      one.broker.cut()
      const logoutToken = issuer.logoutToken(ada, { sid: 's-1' })
      const answer = logOut(one, logoutToken)
      expect(await here.closed).toMatchObject({ code: 4004 })
      const response = await answer
      expect([response.status, response.headers['cache-control']]).toEqual([503, 'no-store'])
      expect(counted(one.app, 'auth_logouts_total')).toEqual([{ labels: { outcome: 'unsent' }, value: 1 }])
      expect(one.logs.filter(({ message }) => message.includes('is done on this node only'))).toHaveLength(1)
      expect([await status(one, token), await status(other, token)]).toEqual([401, 200])
      one.broker.restore()
      // An issuer that sends it again is told that it is done.
      expect((await logOut(one, logoutToken)).status).toBe(200)
      expect(await there.closed).toMatchObject({ code: 4004 })
      await clock.advance(10_000)
      await network.settle()
      expect(await status(other, token)).toBe(401)
    })

    it('is sent when the broker can be reached again, and when the app closes', async () => {
      const { one, other, issuer, clock, network } = await startNodes()
      const [token, second] = [issuer.token(ada), issuer.token(bob)]
      one.broker.cut()
      one.keycloak.revoke('u-ada')
      await network.settle()
      one.broker.restore()
      await clock.advance(10_000)
      await network.settle()
      expect(await status(other, token)).toBe(401)
      one.broker.cut()
      one.keycloak.revoke('u-bob')
      await network.settle()
      one.broker.restore()
      await one.close()
      expect(await status(other, second)).toBe(401)
    })

    it('what another node sends is checked', async () => {
      const { one, other, network } = await startNodes()
      const bodies = [
        null,
        7,
        {},
        { revocations: [{}], forgetAt: 1, withKnownSessions: true },
        { revocations: [{ kind: 'user', userId: '', untilMs: 1 }], forgetAt: 1, withKnownSessions: true },
        { revocations: [{ kind: 'user', userId: 'u', untilMs: '1' }], forgetAt: 1, withKnownSessions: true },
        { revocations: [{ kind: 'session', sessionId: 7 }], forgetAt: 1, withKnownSessions: true },
        { revocations: [], forgetAt: null, withKnownSessions: true },
        { revocations: [], forgetAt: 1 },
      ]
      for (const [i, data] of bodies.entries())
        await one.broker.control(
          { type: 'plugin:auth', data: { id: `m-${i}`, from: 'elsewhere', at: 0, body: { data } } },
          0,
        )
      await network.settle()
      for (const { logs } of [one, other])
        expect(logs.filter(({ message }) => message.includes('malformed revocation'))).toHaveLength(1)
    })
  })
})
