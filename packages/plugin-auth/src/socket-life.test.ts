import { reply, route } from '@twinwire/core'
import { createTestApp, onTransports, type RawSocket } from '@twinwire/core/testing'
import { afterEach, describe, expect, it } from 'vitest'
import { openEvents } from '../../core/src/testing/event-reader.fixtures.ts'
import {
  type AuthTest,
  authFrame,
  bearer,
  callPackage,
  counted,
  nextJson,
  packet,
  pkgIds,
  startApp,
} from './auth.fixtures.ts'
import { isUser } from './user.ts'

/** An authenticated socket; its auth_ok is read. */
async function signIn({ connect }: Pick<AuthTest, 'connect'>, token: string): Promise<RawSocket> {
  const socket = await connect()
  socket.send(authFrame(`Bearer ${token}`))
  expect(await nextJson(socket)).toMatchObject({ type: 'auth_ok' })
  return socket
}

describe('a renewal', () => {
  onTransports({ describe, afterEach }, ({ start }) => {
    it('gives the next package the new roles, and running calls keep the old ones [defect 10]', async () => {
      const test = await startApp(start)
      const user = { username: 'ada' }
      const socket = await signIn(test, test.issuer.token(user))
      expect(await callPackage(socket, pkgIds.READ)).toMatchObject({ status_code: 3 })
      socket.send(authFrame(`Bearer ${test.issuer.token({ ...user, roles: ['read'] })}`))
      // It is behind the frame, so it waits for the result.
      socket.send(packet(pkgIds.READ))
      expect(await nextJson(socket)).toMatchObject({ type: 'auth_ok' })
      expect(await nextJson(socket)).toMatchObject({ status_code: 0, data: 'ada' })
      socket.send(authFrame(`Bearer ${test.issuer.token(user)}`))
      expect(await nextJson(socket)).toMatchObject({ type: 'auth_ok' })
      expect(await callPackage(socket, pkgIds.READ)).toMatchObject({ status_code: 3 })
    })

    it.each<[string, (test: AuthTest) => unknown]>([
      ['another subject', ({ issuer }) => `Bearer ${issuer.token('bob')}`],
      ['a forged token', ({ issuer }) => `Bearer ${issuer.token('ada', { forged: true })}`],
      ['an expired one', ({ issuer }) => `Bearer ${issuer.token('ada', { lifetimeMs: -60_000 })}`],
      ['no token', () => undefined],
      ['a number', () => 7],
    ])('with %s closes with 4001, and packages behind it are not run [defect 2]', async (_, tokenOf) => {
      const test = await startApp(start)
      const socket = await signIn(test, test.issuer.token('ada'))
      socket.send(authFrame(tokenOf(test)))
      socket.send(packet(pkgIds.WHO))
      expect(await socket.closed).toEqual({ code: 4001, reason: 'Unauthorized' })
      expect(socket.frames).toEqual([])
    })

    it('authorizes topics again, and leaves those that are no longer allowed', async () => {
      const topics = {
        'shelf:*': {
          authorize: (identity: Parameters<typeof isUser>[0]) => isUser(identity) && identity.has('read'),
        },
      }
      const test = await startApp(start, {}, { topics })
      const user = { username: 'ada', id: 'u-ada' }
      const socket = await signIn(test, test.issuer.token({ ...user, roles: ['read'] }))
      const [connection] = test.app.hub.ofIdentity('u-ada')
      await connection?.join('shelf:1')
      expect(test.app.hub.topicSize('shelf:1')).toBe(1)
      socket.send(authFrame(`Bearer ${test.issuer.token({ ...user, roles: ['read', 'write'] })}`))
      await nextJson(socket)
      expect(test.app.hub.topicSize('shelf:1')).toBe(1)
      socket.send(authFrame(`Bearer ${test.issuer.token(user)}`))
      await nextJson(socket)
      expect(test.app.hub.topicSize('shelf:1')).toBe(0)
    })
  })
})

describe('expiry', () => {
  onTransports({ describe, afterEach }, ({ start }) => {
    it('is announced 60 s before, and closes the socket 10 s after [defect 39]', async () => {
      const test = await startApp(start)
      const expiresAt = test.clock.now() / 1000 + 300
      const socket = await signIn(test, test.issuer.token('ada'))
      await test.clock.advance(239_999)
      expect(socket.frames).toEqual([])
      await test.clock.advance(1)
      expect(await nextJson(socket)).toEqual({ type: 'auth_expiring', expires_at: expiresAt })
      // Calls are served until the tolerance ends.
      await test.clock.advance(69_999)
      expect(await callPackage(socket, pkgIds.WHO)).toMatchObject({ data: 'ada' })
      await test.clock.advance(1)
      expect(await socket.closed).toEqual({ code: 4003, reason: 'Token expired' })
    })

    it('starts again with a renewal [defect 10]', async () => {
      const test = await startApp(start)
      const socket = await signIn(test, test.issuer.token('ada'))
      await test.clock.advance(250_000)
      expect(await nextJson(socket)).toMatchObject({ type: 'auth_expiring' })
      socket.send(authFrame(`Bearer ${test.issuer.token('ada')}`))
      expect(await nextJson(socket)).toMatchObject({ type: 'auth_ok', expires_at: test.clock.now() / 1000 + 300 })
      await test.clock.advance(239_000)
      expect(await callPackage(socket, pkgIds.WHO)).toMatchObject({ data: 'ada' })
      await test.clock.advance(1000)
      expect(await nextJson(socket)).toMatchObject({ type: 'auth_expiring' })
      await test.clock.advance(70_000)
      expect(await socket.closed).toMatchObject({ code: 4003 })
    })

    it('of a short token is announced after half of its time', async () => {
      const test = await startApp(start)
      const socket = await signIn(test, test.issuer.token('ada', { lifetimeMs: 20_000 }))
      await test.clock.advance(9999)
      expect(socket.frames).toEqual([])
      await test.clock.advance(1)
      expect(await nextJson(socket)).toMatchObject({ type: 'auth_expiring' })
      await test.clock.advance(20_000)
      expect(await socket.closed).toMatchObject({ code: 4003 })
    })

    it('follows the options for warning and tolerance', async () => {
      const test = await startApp(start, { expiryWarningMs: 0, toleranceMs: 0 })
      const socket = await signIn(test, test.issuer.token('ada'))
      await test.clock.advance(299_999)
      expect(socket.frames).toEqual([])
      await test.clock.advance(1)
      expect(await socket.closed).toMatchObject({ code: 4003 })
    })

    it('within the tolerance a token is accepted on both wires, and its socket stays open until the tolerance ends', async () => {
      const test = await startApp(start)
      const token = test.issuer.token('ada', { lifetimeMs: 1000 })
      await test.clock.advance(10_000)
      expect((await test.request('GET /who', bearer(token))).status).toBe(200)
      const socket = await signIn(test, token)
      await test.clock.advance(1000)
      expect(await socket.closed).toMatchObject({ code: 4003 })
      expect((await test.request('GET /who', bearer(token))).status).toBe(401)
    })

    it('leaves no timer when the sockets have closed', async () => {
      const test = await startApp(start)
      const before = test.clock.pendingTimers
      const sockets = await Promise.all([1, 2, 3].map(() => signIn(test, test.issuer.token('ada'))))
      expect(test.clock.pendingTimers).toBeGreaterThan(before)
      for (const socket of sockets) socket.close()
      await expect.poll(() => test.app.hub.size).toBe(0)
      await expect.poll(() => test.clock.pendingTimers).toBe(before)
    })
  })
})

describe('revoke()', () => {
  onTransports({ describe, afterEach }, ({ start }) => {
    it('closes every socket of a user, and no other [defect 39]', async () => {
      const test = await startApp(start)
      const ada = { username: 'ada', id: 'u-ada' }
      const [one, two] = [await signIn(test, test.issuer.token(ada)), await signIn(test, test.issuer.token(ada))]
      const bob = await signIn(test, test.issuer.token('bob'))
      expect(test.keycloak.revoke('u-ada')).toBe(2)
      expect(await one.closed).toEqual({ code: 4004, reason: 'Session revoked' })
      expect(await two.closed).toMatchObject({ code: 4004 })
      expect(await callPackage(bob, pkgIds.WHO)).toMatchObject({ data: 'bob' })
    })

    it('rejects tokens that were issued before, cached or not, and accepts a later login', async () => {
      const test = await startApp(start)
      const ada = { username: 'ada', id: 'u-ada' }
      const [known, unknown] = [test.issuer.token(ada), test.issuer.token(ada)]
      const status = async (token: string) => (await test.request('GET /who', bearer(token))).status
      expect(await status(known)).toBe(200)
      await test.clock.advance(1000)
      test.keycloak.revoke({ id: 'u-ada', name: 'ada' })
      expect(await status(known)).toBe(401)
      expect(await status(unknown)).toBe(401)
      const socket = await test.connect()
      socket.send(authFrame(`Bearer ${unknown}`))
      expect(await socket.closed).toMatchObject({ code: 4001 })
      await test.clock.advance(1000)
      expect(await status(test.issuer.token(ada))).toBe(200)
      expect(counted(test.app, 'keycloak_token_validation_total')).toContainEqual({
        labels: { status: 'invalid', reason: 'revoked' },
        value: 3,
      })
    })

    it('rejects a refreshed token of a known session, and one whose login was before', async () => {
      const test = await startApp(start)
      const ada = { username: 'ada', id: 'u-ada' }
      const loggedInAt = test.clock.now() / 1000
      await signIn(test, test.issuer.token(ada, { sid: 's-1' }))
      test.keycloak.revoke('u-ada')
      await test.clock.advance(5000)
      const status = async (options: object) =>
        (await test.request('GET /who', bearer(test.issuer.token(ada, options)))).status
      expect(await status({ sid: 's-1' })).toBe(401)
      expect(await status({ sid: 's-2', claims: { auth_time: loggedInAt } })).toBe(401)
      expect(await status({ sid: 's-3' })).toBe(200)
    })

    it('covers tokens of an issuer whose clock is ahead, if they were used', async () => {
      const test = await startApp(start)
      const ada = { username: 'ada', id: 'u-ada' }
      const soon = test.clock.now() / 1000 + 8
      const ahead = () => test.issuer.token(ada, { claims: { iat: soon, auth_time: soon, sid: undefined } })
      const [one, two] = [ahead(), ahead()]
      const socket = await signIn(test, one)
      expect((await test.request('GET /who', bearer(two))).status).toBe(200)
      expect(test.keycloak.revoke('u-ada')).toBe(1)
      expect(await socket.closed).toMatchObject({ code: 4004 })
      for (const token of [one, two]) expect((await test.request('GET /who', bearer(token))).status).toBe(401)
    })

    it('also covers a token whose auth_time is later than its iat', async () => {
      const test = await startApp(start)
      const ada = { username: 'ada', id: 'u-ada' }
      const token = test.issuer.token(ada, { claims: { auth_time: test.clock.now() / 1000 + 3600 } })
      test.keycloak.revoke('u-ada')
      expect((await test.request('GET /who', bearer(token))).status).toBe(401)
    })

    it('closes one session only', async () => {
      const test = await startApp(start)
      const one = await signIn(test, test.issuer.token('ada', { sid: 's-1' }))
      const two = await signIn(test, test.issuer.token('ada', { sid: 's-2' }))
      expect(test.keycloak.revoke({ sessionId: 's-1' })).toBe(1)
      expect(await one.closed).toMatchObject({ code: 4004 })
      expect(await callPackage(two, pkgIds.WHO)).toMatchObject({ data: 'ada' })
    })
  })

  it('throws when no app is running', async () => {
    const test = await startApp(createTestApp)
    await test.close()
    expect(() => test.keycloak.revoke('u')).toThrow(expect.objectContaining({ code: 'wrong_state' }))
  })
})

describe('server-sent events', () => {
  onTransports({ describe, afterEach }, ({ start }) => {
    const app = {
      topics: { news: { authorize: () => true } },
      endpoints: [route({ http: 'GET /news', handler: () => reply.events({ topic: 'news' }) })],
    }

    it('are announced the expiry of their token, and end 10 s after it', async () => {
      const test = await startApp(start, {}, app)
      const expiresAt = test.clock.now() / 1000 + 300
      const client = await openEvents(test.raw, '/news', bearer(test.issuer.token({ username: 'ada', id: 'u-ada' })))
      await expect.poll(() => test.app.hub.topicSize('news')).toBe(1)
      expect(test.app.hub.ofIdentity('u-ada')[0]?.headers.authorization).toBeUndefined()
      await test.clock.advance(240_000)
      await expect.poll(client.events).toEqual([{ event: 'auth_expiring', data: { expires_at: expiresAt } }])
      await test.clock.advance(69_999)
      expect(client.events()).toHaveLength(1)
      await test.clock.advance(1)
      await client.ended
      expect(client.events().at(-1)).toEqual({ event: 'close', data: { code: 4003, reason: 'Token expired' } })
      expect(test.app.hub.size).toBe(0)
    })

    it('end with the revocation of their user, after which they are refused', async () => {
      const test = await startApp(start, {}, app)
      const token = test.issuer.token({ username: 'ada', id: 'u-ada' })
      const client = await openEvents(test.raw, '/news', bearer(token))
      await expect.poll(() => test.app.hub.size).toBe(1)
      expect(test.keycloak.revoke('u-ada')).toBe(1)
      await client.ended
      expect(client.events()).toEqual([{ event: 'close', data: { code: 4004, reason: 'Session revoked' } }])
      expect((await test.request('GET /news', bearer(token))).status).toBe(401)
      expect((await test.request('GET /news')).status).toBe(401)
    })
  })
})
