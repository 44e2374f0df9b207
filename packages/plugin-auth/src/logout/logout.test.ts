import { createTestApp, onTransports, type RawSocket } from '@twinwire/core/testing'
import { afterEach, describe, expect, it, onTestFinished } from 'vitest'
import {
  type AuthTest,
  authFrame,
  authOf,
  bearer,
  callPackage,
  counted,
  nextJson,
  pkgIds,
  routes,
  startApp,
  startIssuer,
  textOf,
} from '../auth.fixtures.ts'
import type { AuthOptions } from '../auth-options.ts'

const path = '/auth/backchannel-logout'
const form = 'application/x-www-form-urlencoded'

async function signIn({ connect }: Pick<AuthTest, 'connect'>, token: string): Promise<RawSocket> {
  const socket = await connect()
  socket.send(authFrame(`Bearer ${token}`))
  expect(await nextJson(socket)).toMatchObject({ type: 'auth_ok' })
  return socket
}

function post({ request }: Pick<AuthTest, 'request'>, body: string, type = form, at = path) {
  return request(`POST ${at}`, { body, headers: { 'content-type': type } })
}

const logOut = (test: Pick<AuthTest, 'request'>, token: string) =>
  post(test, new URLSearchParams({ logout_token: token }).toString())

it('of a user of the test issuer closes the sockets of tokens that were created without a login', async () => {
  const test = await startApp((options) => createTestApp(options, { transport: 'uws' }), { backChannelLogout: true })
  onTestFinished(() => test.close())
  test.issuer.setBackchannelLogoutUrl(`${test.address.url}${path}`)
  const [ada, again, bob] = [test.issuer.token('ada'), test.issuer.token('ada'), test.issuer.token('bob')]
  const [one, two, other] = [await signIn(test, ada), await signIn(test, again), await signIn(test, bob)]
  expect(await test.issuer.logout({ username: 'ada' })).toEqual([200, 200])
  expect([await one.closed, await two.closed]).toMatchObject([{ code: 4004 }, { code: 4004 }])
  expect((await test.request('GET /who', bearer(ada))).status).toBe(401)
  expect(await callPackage(other, pkgIds.WHO)).toMatchObject({ data: 'bob' })
})

describe('back-channel logout', () => {
  onTransports({ describe, afterEach }, ({ start }) => {
    const startWith = (options: Partial<AuthOptions> = {}) => startApp(start, { backChannelLogout: true, ...options })
    const ada = { username: 'ada', id: 'u-ada' }

    it('closes the sockets of a session with 4004, and no others', async () => {
      const test = await startWith()
      const [one, two] = await Promise.all([1, 2].map(() => signIn(test, test.issuer.token(ada, { sid: 's-1' }))))
      const other = await signIn(test, test.issuer.token(ada, { sid: 's-2' }))
      const response = await logOut(test, test.issuer.logoutToken(ada, { sid: 's-1' }))
      expect([response.status, response.headers['cache-control'], response.text]).toEqual([200, 'no-store', ''])
      expect(await one?.closed).toEqual({ code: 4004, reason: 'Session revoked' })
      expect(await two?.closed).toMatchObject({ code: 4004 })
      expect(await callPackage(other, pkgIds.WHO)).toMatchObject({ data: 'ada' })
    })

    it('of a session requires no user', async () => {
      const test = await startWith()
      const socket = await signIn(test, test.issuer.token(ada, { sid: 's-1' }))
      expect((await logOut(test, test.issuer.logoutToken(null, { sid: 's-1' }))).status).toBe(200)
      expect(await socket.closed).toMatchObject({ code: 4004 })
    })

    it('of a user ends all sessions, and a later login is accepted', async () => {
      const test = await startWith()
      const sockets = await Promise.all(['s-1', 's-2'].map((sid) => signIn(test, test.issuer.token(ada, { sid }))))
      const bob = await signIn(test, test.issuer.token('bob'))
      expect((await logOut(test, test.issuer.logoutToken(ada))).status).toBe(200)
      for (const socket of sockets) expect(await socket.closed).toMatchObject({ code: 4004 })
      expect(await callPackage(bob, pkgIds.WHO)).toMatchObject({ data: 'bob' })
      await test.clock.advance(1000)
      await signIn(test, test.issuer.token(ada, { sid: 's-3' }))
    })

    it('rejects a token of the session, whether it was used before or not', async () => {
      const test = await startWith()
      const [seen, unseen] = [test.issuer.token(ada, { sid: 's-1' }), test.issuer.token(ada, { sid: 's-1' })]
      expect((await test.request('GET /who', bearer(seen))).status).toBe(200)
      await logOut(test, test.issuer.logoutToken(ada, { sid: 's-1' }))
      for (const token of [seen, unseen]) {
        const response = await test.request('GET /who', bearer(token))
        expect(response.status).toBe(401)
        expect(response.headers['www-authenticate']).toContain('The session of the token has ended')
      }
      // Much later, while the token itself has not expired.
      await test.clock.advance(200_000)
      expect((await test.request('GET /who', bearer(unseen))).status).toBe(401)
    })

    it('during the verification of a renewal closes the socket', async () => {
      const test = await startWith()
      const socket = await signIn(test, test.issuer.token(ada, { sid: 's-1' }))
      socket.send(authFrame(`Bearer ${test.issuer.token(ada, { sid: 's-1' })}`))
      await logOut(test, test.issuer.logoutToken(ada, { sid: 's-1' }))
      expect(await socket.closed).toMatchObject({ code: 4004 })
    })

    it('is served only with the option, at its path', async () => {
      const none = await startApp(start)
      expect((await logOut(none, none.issuer.logoutToken(ada, { sid: 's-1' }))).status).toBe(404)
      const test = await startWith({ backChannelLogout: { path: '/oidc/logout', clients: ['web', 'test-client'] } })
      const body = new URLSearchParams({ logout_token: test.issuer.logoutToken(ada, { sid: 's-1' }) }).toString()
      expect((await post(test, body, form, '/oidc/logout')).status).toBe(200)
      const described = test.app.describe().routes.find(({ name }) => name === 'POST /oidc/logout')
      expect(described?.access).toBe('public')
    })

    it('accepts a logout token once', async () => {
      const test = await startWith()
      const token = test.issuer.logoutToken(ada, { sid: 's-1' })
      expect((await logOut(test, token)).status).toBe(200)
      const again = await logOut(test, token)
      expect([again.status, again.json()]).toMatchObject([400, { error: { msg: 'The logout token was used before' } }])
    })

    it('accepts tokens of Keycloak before 26, with the type only in the claims', async () => {
      const test = await startWith()
      expect((await logOut(test, test.issuer.logoutToken(ada, { sid: 's', header: { typ: 'JWT' } }))).status).toBe(200)
    })

    it('is rejected with 400 for every error in its token, and closes nothing', async () => {
      const test = await startWith()
      const socket = await signIn(test, test.issuer.token(ada, { sid: 's-1' }))
      const now = test.clock.now() / 1000
      const event = 'http://schemas.openid.net/event/backchannel-logout'
      const withClaims = (claims: Record<string, unknown>) => test.issuer.logoutToken(ada, { sid: 's-1', claims })
      const bad: Record<string, string> = {
        'an access token': test.issuer.token(ada, { sid: 's-1' }),
        'an ID token': test.issuer.idToken(ada, { sid: 's-1' }),
        'an access token with the event': test.issuer.token(ada, { sid: 's-1', claims: { events: { [event]: {} } } }),
        'a forged one': test.issuer.logoutToken(ada, { sid: 's-1', forged: true }),
        'an unknown key': test.issuer.logoutToken(ada, { sid: 's-1', header: { kid: 'x' } }),
        'another issuer': withClaims({ iss: 'https://sso.example.com/realms/test' }),
        'another audience': withClaims({ aud: 'grafana' }),
        'no audience': withClaims({ aud: undefined }),
        'no event': withClaims({ events: {} }),
        'another event': withClaims({ events: { 'urn:other': {} } }),
        'an event that is a list': withClaims({ events: [event] }),
        'an event that is a string': withClaims({ events: { [event]: '' } }),
        'no events': withClaims({ events: undefined }),
        'a nonce': withClaims({ nonce: 'n' }),
        'neither sid nor sub': withClaims({ sid: undefined, sub: undefined }),
        'a sid that is a number': withClaims({ sid: 7 }),
        'an empty sid': withClaims({ sid: '' }),
        'a sub that is a list': withClaims({ sub: ['u-ada'] }),
        'no jti': withClaims({ jti: undefined }),
        'a jti that is a number': withClaims({ jti: 7 }),
        'no iat': withClaims({ iat: undefined }),
        'an old one': withClaims({ iat: now - 131, exp: now + 60 }),
        'one of the future': withClaims({ iat: now + 60 }),
        'an expired one': withClaims({ exp: now - 10 }),
        'no token at all': 'token',
        'one that is too large': withClaims({ filler: 'x'.repeat(12_200) }),
      }
      for (const [name, token] of Object.entries(bad)) {
        const response = await logOut(test, token)
        expect([name, response.status, response.headers['cache-control']]).toEqual([name, 400, 'no-store'])
        expect(response.json()).toMatchObject({ error: { code: 'malformed_request' } })
      }
      expect(await callPackage(socket, pkgIds.WHO)).toMatchObject({ data: 'ada' })
      expect(counted(test.app, 'auth_logouts_total')).toEqual([
        { labels: { outcome: 'refused' }, value: Object.keys(bad).length },
      ])
      const logged = textOf(test.logs)
      for (const token of Object.values(bad))
        for (const part of token.split('.')) if (part.length > 20) expect(logged).not.toContain(part)
    })

    it('that cannot be verified is 503, counted and logged', async () => {
      const { issuer, clock } = await startIssuer()
      issuer.setFault('discovery', 'down')
      const app = { pkgIds, routes, clock, plugins: [authOf(issuer, { backChannelLogout: true })] }
      const test = { ...(await start(app)), issuer, clock }
      const token = issuer.logoutToken(ada, { sid: 's-1' })
      const response = await logOut(test, token)
      expect([response.status, response.headers['cache-control']]).toEqual([503, 'no-store'])
      expect(counted(test.app, 'auth_logouts_total')).toEqual([{ labels: { outcome: 'unavailable' }, value: 1 }])
      const lines = test.logs.filter(({ message }) => message.includes('back-channel logout'))
      expect(lines).toMatchObject([{ level: 'error' }])
      for (const part of token.split('.')) expect(textOf(test.logs)).not.toContain(part)
    })

    it('is rejected with 400 for any body but a form with one token', async () => {
      const test = await startWith()
      const token = test.issuer.logoutToken(ada, { sid: 's-1' })
      for (const [body, type] of [
        ['', form],
        ['logout_token=', form],
        ['token=x', form],
        [`logout_token=${token}&logout_token=${token}`, form],
        [JSON.stringify({ logout_token: token }), 'application/json'],
        [`logout_token=${token}`, 'text/plain'],
        ['\u0000', form],
      ] as const)
        expect([body, (await post(test, body, type)).status]).toEqual([body, 400])
      const large = await post(test, `logout_token=${'x'.repeat(20_000)}`)
      expect(large.status).toBe(413)
      expect((await post(test, `logout_token=${token}`, `${form}; charset=utf-8`)).status).toBe(200)
    })
  })
})
