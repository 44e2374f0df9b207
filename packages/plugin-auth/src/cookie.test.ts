import { csrf, disconnects, type Plugin, reply, route } from '@twinwire/core'
import type { AppContract } from '@twinwire/core/plugin'
import { createTestApp, onTransports } from '@twinwire/core/testing'
import { afterEach, describe, expect, it } from 'vitest'
import { authFrame, authOf, bearer, callPackage, counted, nextJson, startIssuer } from './auth.fixtures.ts'
import type { AuthOptions } from './auth-options.ts'
import { authenticated, optionalUser } from './steps.ts'

const name = '__Host-access_token'
const foreign = 'https://evil.example'
const listed = 'https://listed.example'
const own = 'https://app.example'
const host = { host: 'app.example' }

const routes = {
  WHO: route({ http: 'GET /who', use: [authenticated()], handler: (_input, { user }) => user.name }),
  SAVE: route({ http: 'POST /save', use: [authenticated()], handler: (_input, { user }) => user.name }),
  OPEN: route({
    http: 'POST /open',
    access: 'public',
    use: [optionalUser()],
    handler: (_input, { user }) => user?.name ?? null,
  }),
  KEPT: route({ http: 'GET /kept', use: [authenticated()], handler: (_input, { headers }) => headers.cookie ?? null }),
  SIGN_OUT: route({
    http: { route: 'POST /sign-out', status: 204 },
    access: 'public',
    handler: () => reply(undefined, { cookies: { [name]: null } }),
  }),
}
/** Public, and no step reads who is calling. */
const endpoints = [
  route({ http: 'POST /vote', access: 'public', handler: () => 'counted' }),
  route({ http: 'POST /guarded-vote', access: 'public', use: [csrf({ origins: [listed] })], handler: () => 'counted' }),
]
const pkgIds = { WHO: 1, SAVE: 2, OPEN: 3, KEPT: 4, SIGN_OUT: 5 } as const

describe('a token in a cookie', () => {
  it.each([
    [true, [name]],
    [{ name: 'token' }, ['token']],
    [false, []],
  ] as const)('is in descriptions of the app: %j', async (cookie, expected) => {
    const { issuer, clock } = await startIssuer()
    const found: AppContract[] = []
    const reader: Plugin = { name: 'reader', setup: (host) => host.onReady(() => void found.push(host.describe())) }
    const plugins = [authOf(issuer, { cookie }), reader]
    await (await createTestApp({ pkgIds, routes, clock, plugins })).close()
    expect(found[0]).toMatchObject({ credentialCookies: expected, challenge: expect.stringContaining('Bearer') })
  })

  onTransports({ describe, afterEach }, ({ start }) => {
    const startApp = async (options: Partial<AuthOptions> = {}) => {
      const { issuer, clock } = await startIssuer()
      const keycloak = authOf(issuer, { cookie: { origins: [listed] }, ...options })
      const app = await start({ pkgIds, routes, endpoints, clock, websocket: { origins: ['*'] }, plugins: [keycloak] })
      const cookie = (token: string, headers = {}) => ({ headers: { ...host, cookie: `${name}=${token}`, ...headers } })
      return { ...app, issuer, clock, keycloak, cookie }
    }

    it('authenticates requests and sockets', async () => {
      const { request, connect, issuer, cookie } = await startApp()
      const token = issuer.token('ada')
      expect((await request('GET /who', cookie(token))).json()).toBe('ada')
      expect((await request('POST /save', cookie(token, { origin: own }))).json()).toBe('ada')
      expect((await request('POST /open', cookie(token))).json()).toBe('ada')
      const socket = await connect(cookie(token, { origin: own }))
      expect(await nextJson(socket)).toMatchObject({ type: 'auth_ok' })
      expect(await callPackage(socket, pkgIds.WHO)).toMatchObject({ data: 'ada' })
    })

    it('is nothing without the option', async () => {
      const { request, connect, issuer, cookie } = await startApp({ cookie: false })
      const token = cookie(issuer.token('ada'), { origin: foreign })
      expect((await request('GET /who', token)).status).toBe(401)
      expect((await request('POST /open', token)).json()).toBeNull()
      // It waits for its first frame.
      const socket = await connect(token)
      socket.send(authFrame(`Bearer ${issuer.token('bob')}`))
      expect(await nextJson(socket)).toMatchObject({ type: 'auth_ok' })
    })

    it('comes after the header, which needs no check of the origin', async () => {
      const { request, connect, issuer, cookie } = await startApp()
      const headers = { ...bearer(issuer.token('bob')).headers, origin: foreign }
      expect((await request('POST /save', cookie(issuer.token('ada'), headers))).json()).toBe('bob')
      for (const sent of [
        headers,
        { origin: foreign, 'sec-websocket-protocol': `twinwire, bearer.${issuer.token('bob')}` },
      ]) {
        const { 'sec-websocket-protocol': offered, ...others } = { 'sec-websocket-protocol': undefined, ...sent }
        const socket = await connect({
          ...cookie(issuer.token('ada'), others),
          ...(offered !== undefined && { protocols: offered.split(', ') }),
        })
        expect(await nextJson(socket)).toMatchObject({ type: 'auth_ok' })
        expect(await callPackage(socket, pkgIds.WHO)).toMatchObject({ data: 'bob' })
      }
    })

    it('cannot be used by pages of other origins, on any route that reads it, but for what changes nothing', async () => {
      const { app, request, issuer, cookie } = await startApp()
      const token = issuer.token('ada')
      const before = counted(app, 'auth_attempts_total')
      for (const headers of [{ origin: foreign }, { origin: 'null' }, { 'sec-fetch-site': 'cross-site' }]) {
        for (const path of ['save', 'open']) {
          const answer = await request(`POST /${path}`, cookie(token, headers))
          expect([path, answer.status, answer.json()]).toMatchObject([
            path,
            403,
            { error: { code: 'permission_denied' } },
          ])
        }
        expect((await request('GET /who', cookie(token, headers))).json()).toBe('ada')
      }
      expect(
        (await request('POST /save', cookie(token, { origin: listed, 'sec-fetch-site': 'cross-site' }))).json(),
      ).toBe('ada')
      // Without the cookie no user is involved.
      expect((await request('POST /open', { headers: { ...host, origin: foreign } })).json()).toBeNull()
      expect(counted(app, 'auth_attempts_total', before)).not.toEqual([])
    })

    it('is not looked at on a public route that reads no identity: one that changes something needs csrf()', async () => {
      const { request, issuer, cookie } = await startApp()
      const token = issuer.token('ada')
      for (const headers of [{ origin: foreign }, { origin: 'null' }, { 'sec-fetch-site': 'cross-site' }]) {
        expect((await request('POST /vote', cookie(token, headers))).status).toBe(200)
        const guarded = await request('POST /guarded-vote', cookie(token, headers))
        expect([guarded.status, guarded.json()]).toMatchObject([403, { error: { code: 'permission_denied' } }])
      }
      for (const headers of [{ origin: own }, { origin: listed }])
        expect((await request('POST /guarded-vote', cookie(token, headers))).status).toBe(200)
    })

    it('opens no socket of a page of another origin, whatever websocket.origins allows', async () => {
      const { connect, issuer, cookie } = await startApp()
      const token = issuer.token('ada')
      for (const headers of [{ origin: foreign }, { origin: 'null' }, { origin: 'https://app.example:8443' }])
        await expect(connect(cookie(token, headers))).rejects.toMatchObject({ status: 403 })
      for (const headers of [{}, { origin: listed }, { origin: own }])
        expect(await nextJson(await connect(cookie(token, headers)))).toMatchObject({ type: 'auth_ok' })
    })

    it('is not kept by its connection, and other cookies are', async () => {
      const { connect, issuer } = await startApp()
      const cookie = `a=1; ${name}=${issuer.token('ada')}; b=2`
      const socket = await connect({ headers: { ...host, cookie } })
      await nextJson(socket)
      expect(await callPackage(socket, pkgIds.KEPT)).toMatchObject({ data: 'a=1; b=2' })
    })

    it('that is broken or has expired is refused as one in a header is, until it is deleted', async () => {
      const { request, connect, issuer, cookie } = await startApp()
      const token = issuer.token('ada', { lifetimeMs: -60_000 })
      for (const sent of [token, 'rubbish', '%E0%A4%A', '"quoted"']) {
        for (const target of ['GET /who', 'POST /save', 'POST /open']) {
          const [byCookie, byHeader] = [await request(target, cookie(sent)), await request(target, bearer(sent))]
          expect([target, byCookie.status]).toEqual([target, 401])
          if (sent === token) expect(byCookie.json()).toEqual(byHeader.json())
        }
        await expect(connect(cookie(sent))).rejects.toMatchObject({ status: 401 })
      }
      const out = await request('POST /sign-out', cookie(token))
      expect([out.status, out.setCookies]).toEqual([
        204,
        [`${name}=; Max-Age=0; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT; HttpOnly; Secure; SameSite=Lax`],
      ])
      expect((await request('POST /open', cookie(''))).json()).toBeNull()
    })

    it('ends its socket when it expires, is renewed by a frame, and is revoked', async () => {
      const { request, connect, issuer, clock, cookie, keycloak } = await startApp({ expiryWarningMs: 0 })
      const token = issuer.token('ada')
      const [one, other] = [await connect(cookie(token)), await connect(cookie(token))]
      const ok = await nextJson(one)
      await nextJson(other)
      await clock.advance(60_000)
      one.send(authFrame(`Bearer ${issuer.token('ada')}`))
      expect(await nextJson(one)).toMatchObject({ type: 'auth_ok' })
      await clock.advance(Number(ok.expires_at) * 1000 + 10_000 - clock.now())
      expect(await other.closed).toMatchObject({ code: disconnects.tokenExpired.code })
      keycloak.revoke(String(ok.identity))
      expect(await one.closed).toMatchObject({ code: disconnects.sessionRevoked.code })
      expect((await request('GET /who', cookie(token))).status).toBe(401)
    })
  })

  it('whose name any host of the site can set is a warning of the doctor', async () => {
    const { issuer } = await startIssuer()
    const check = async (cookie: AuthOptions['cookie']) => {
      const { app, close } = await createTestApp({ pkgIds, routes, plugins: [authOf(issuer, { cookie })] })
      const { findings } = await app.doctor()
      await close()
      return findings.find((each) => each.check === 'auth')
    }
    expect(await check({ name: 'token' })).toMatchObject({ level: 'warn', message: expect.stringContaining('__Host-') })
    expect(await check(true)).toMatchObject({ level: 'ok' })
  })
})
