// Revocations and logouts of several nodes of one app, over a real Redis that is cut off, loses messages, and comes back empty.
import { redisBroker } from '@twinwire/broker-redis'
import { createTestApp, type RawSocket } from '@twinwire/core/testing'
import { createTestIssuer } from '@twinwire/plugin-auth/testing'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { authFrame, authOf, bearer, nextJson, pkgIds, routes } from '../../packages/plugin-auth/src/auth.fixtures.ts'
import { startCutProxy } from '../support/cut-proxy.ts'
import { hasOwnRedis } from '../support/redis.ts'
import { startRedisServer } from '../support/redis-server.ts'

// Redis is started, killed and waited for, on a machine that may do other things.
vi.setConfig({ testTimeout: 90_000, hookTimeout: 60_000 })

const opened: (() => unknown)[] = []
afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close()
})

const ada = { username: 'ada', id: 'u-ada' }
const waiting = { timeout: 30_000, interval: 20 }

async function startServer() {
  const server = await startRedisServer()
  opened.push(() => server.stop())
  const issuer = await createTestIssuer({ algorithms: ['ES256'], users: [{ username: 'ada', roles: ['read'] }] })
  opened.push(() => issuer.stop())
  const startNode = async (url = server.url) => {
    const keycloak = authOf(issuer, { backChannelLogout: true })
    const broker = redisBroker({ url })
    const node = await createTestApp({ pkgIds, routes, broker, plugins: [keycloak] }, { leftovers: 'allow' })
    opened.push(() => node.close({ abandon: true }))
    return { keycloak, ...node }
  }
  /** A node behind a network that can be cut. */
  const startCuttable = async () => {
    const proxy = await startCutProxy(server.url)
    opened.push(() => proxy.close())
    const node = await startNode(proxy.url)
    const cut = (): void => {
      proxy.toServer = () => 'cut'
      proxy.cut()
    }
    const restore = (): void => {
      proxy.toServer = () => 'pass'
    }
    return { ...node, cut, restore }
  }
  return { server, issuer, startNode, startCuttable }
}
type Node = Awaited<ReturnType<Awaited<ReturnType<typeof startServer>>['startNode']>>

async function signIn({ connect }: Pick<Node, 'connect'>, token: string): Promise<RawSocket> {
  const socket = await connect()
  socket.send(authFrame(`Bearer ${token}`))
  expect(await nextJson(socket)).toMatchObject({ type: 'auth_ok' })
  return socket
}
const status = async ({ request }: Pick<Node, 'request'>, token: string): Promise<number> =>
  (await request('GET /who', bearer(token))).status
const refuses = (node: Pick<Node, 'request'>, token: string): Promise<void> =>
  vi.waitFor(async () => expect(await status(node, token)).toBe(401), waiting)
const logOut = ({ request }: Pick<Node, 'request'>, token: string) =>
  request('POST /auth/backchannel-logout', {
    body: new URLSearchParams({ logout_token: token }).toString(),
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
  })

describe.skipIf(!hasOwnRedis())('revocations over Redis', () => {
  it('close sockets on another node with 4004, and a node that starts later knows them', async () => {
    const { issuer, startNode } = await startServer()
    const [one, other] = [await startNode(), await startNode()]
    const [token, session] = [issuer.token(ada), issuer.token(ada, { sid: 's-1' })]
    const socket = await signIn(other, token)
    expect(one.keycloak.revoke('u-ada')).toBe(0)
    expect(await socket.closed).toEqual({ code: 4004, reason: 'Session revoked' })
    await refuses(other, token)
    const late = await startNode()
    expect(await status(late, token)).toBe(401)
    expect((await logOut(late, issuer.logoutToken(ada, { sid: 's-1' }))).status).toBe(200)
    await refuses(one, session)
  })

  it('arrive although the connection of the subscriber is killed again and again', async () => {
    const { issuer, server, startNode } = await startServer()
    const [one, other] = [await startNode(), await startNode()]
    const admin = server.client()
    opened.push(() => admin.disconnect())
    for (let i = 0; i < 10; i++) {
      const sid = `s-${i}`
      const token = issuer.token(ada, { sid })
      const socket = await signIn(other, token)
      await admin.call('CLIENT', 'KILL', 'TYPE', 'pubsub')
      one.keycloak.revoke({ sessionId: sid })
      await admin.call('CLIENT', 'KILL', 'TYPE', 'pubsub')
      expect(await socket.closed).toMatchObject({ code: 4004 })
      expect(await status(other, token)).toBe(401)
    }
  })

  it('reach a node that was cut off when it is back', async () => {
    const { issuer, startNode, startCuttable } = await startServer()
    const [one, other] = [await startNode(), await startCuttable()]
    const token = issuer.token(ada, { sid: 's-1' })
    const socket = await signIn(other, token)
    other.cut()
    one.keycloak.revoke('u-ada')
    await refuses(one, token)
    await new Promise((resolve) => setTimeout(resolve, 1000))
    expect(await status(other, token)).toBe(200)
    other.restore()
    expect(await socket.closed).toMatchObject({ code: 4004 })
    await refuses(other, token)
  })

  it('of a node that is cut off apply there at once, and elsewhere when it is back; a logout is answered 503 meanwhile', async () => {
    const { issuer, startNode, startCuttable } = await startServer()
    const [one, other] = [await startCuttable(), await startNode()]
    const token = issuer.token(ada, { sid: 's-1' })
    const [here, there] = [await signIn(one, token), await signIn(other, token)]
    one.cut()
    const answer = logOut(one, issuer.logoutToken(ada, { sid: 's-1' }))
    expect(await here.closed).toMatchObject({ code: 4004 })
    expect((await answer).status).toBe(503)
    expect([await status(one, token), await status(other, token)]).toEqual([401, 200])
    one.restore()
    expect(await there.closed).toMatchObject({ code: 4004 })
    await refuses(other, token)
  })

  it('survive a Redis that comes back empty: nodes that know them keep them, and one that starts later gets them', async () => {
    const { issuer, server, startNode } = await startServer()
    const [one, other] = [await startNode(), await startNode()]
    const [token, second] = [issuer.token(ada, { sid: 's-1' }), issuer.token(ada, { sid: 's-2' })]
    one.keycloak.revoke({ sessionId: 's-1' })
    await refuses(other, token)
    await server.crash()
    one.keycloak.revoke({ sessionId: 's-2' })
    expect(await status(one, second)).toBe(401)
    await server.restart()
    await refuses(other, second)
    for (const node of [one, other]) expect(await status(node, token)).toBe(401)
    await vi.waitFor(async () => {
      const late = await startNode()
      for (const each of [token, second]) expect(await status(late, each)).toBe(401)
    }, waiting)
  })
})
