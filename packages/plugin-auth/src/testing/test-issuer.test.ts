import { createServer } from 'node:http'
import { createVirtualClock } from '@twinwire/core/testing'
import { createRemoteJWKSet, decodeJwt, decodeProtectedHeader, type JWTPayload, jwtVerify } from 'jose'
import { describe, expect, it, onTestFinished } from 'vitest'
import { createTestIssuer, type TestIssuer, type TestIssuerOptions } from './test-issuer.ts'

const ada = { username: 'ada', roles: ['get-authors'], realmRoles: ['admin'], clientRoles: { grafana: ['viewer'] } }

async function start(options: TestIssuerOptions = {}): Promise<TestIssuer> {
  // Creating an RSA key is slow on a busy machine.
  const algorithms = ['ES256'] as const
  const issuer = await createTestIssuer({ algorithms, users: [ada, { username: 'bob', enabled: false }], ...options })
  onTestFinished(() => issuer.stop())
  return issuer
}

async function getJson(url: string): Promise<unknown> {
  return (await fetch(url)).json()
}

/** Verified with jose, which shares no code with the issuer. */
async function verify(issuer: TestIssuer, token: string): Promise<JWTPayload> {
  const discovery = await getJson(`${issuer.issuer}/.well-known/openid-configuration`)
  expect(discovery).toMatchObject({ issuer: issuer.issuer })
  const keys = createRemoteJWKSet(new URL(`${issuer.issuer}/protocol/openid-connect/certs`))
  return (await jwtVerify(token, keys, { issuer: issuer.issuer, audience: issuer.clientId })).payload
}

interface Grant {
  readonly status: number
  readonly body: Readonly<Record<string, unknown>>
}

async function post(issuer: TestIssuer, path: 'token' | 'logout', form: Record<string, string>): Promise<Grant> {
  const response = await fetch(`${issuer.issuer}/protocol/openid-connect/${path}`, {
    method: 'POST',
    body: new URLSearchParams({ client_id: issuer.clientId, ...form }),
  })
  const text = await response.text()
  return { status: response.status, body: text === '' ? {} : JSON.parse(text) }
}

describe('its tokens', () => {
  it.each(['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA'] as const)(
    'signed with %s are verified by the keys that it publishes',
    async (algorithm) => {
      const issuer = await start({ algorithms: [algorithm] })
      const token = issuer.token('ada')
      expect(decodeProtectedHeader(token)).toEqual({ alg: algorithm, typ: 'JWT', kid: expect.any(String) })
      expect(await verify(issuer, token)).toMatchObject({ preferred_username: 'ada' })
      await expect(verify(issuer, issuer.token('ada', { forged: true }))).rejects.toThrow('signature')
    },
  )

  it('have the claims of Keycloak, with separate roles of realm and clients', async () => {
    const issuer = await start({ audience: ['test-client', 'other'] })
    expect(await verify(issuer, issuer.token('ada', { scope: 'offline_access' }))).toEqual({
      exp: expect.any(Number),
      iat: expect.any(Number),
      jti: expect.any(String),
      iss: issuer.issuer,
      aud: ['test-client', 'other'],
      sub: expect.stringMatching(/^[0-9a-f-]{36}$/),
      typ: 'Bearer',
      azp: 'test-client',
      sid: expect.any(String),
      acr: '1',
      'allowed-origins': ['/*'],
      realm_access: { roles: ['offline_access', 'uma_authorization', 'admin'] },
      resource_access: {
        'test-client': { roles: ['get-authors'] },
        account: { roles: ['manage-account', 'view-profile'] },
        grafana: { roles: ['viewer'] },
      },
      scope: 'profile email offline_access',
      email_verified: true,
      preferred_username: 'ada',
      email: 'ada@example.test',
    })
  })

  it('can be of any user, with any claims', async () => {
    const issuer = await start()
    const changes = { claims: { aud: undefined, extra: 1 }, header: { kid: undefined, typ: 'at+jwt' } }
    const token = issuer.token({ username: 'zoe', id: 'z-1', groups: ['/staff'] }, { ...changes, algorithm: 'ES256' })
    const payload = decodeJwt(token)
    expect(payload).toMatchObject({ sub: 'z-1', extra: 1, groups: ['/staff'] })
    expect(payload).not.toHaveProperty('aud')
    expect(decodeProtectedHeader(token)).toEqual({ alg: 'ES256', typ: 'at+jwt' })
    expect(decodeJwt(issuer.token()).preferred_username).toBe('user')
    expect(() => issuer.token('ada-2')).toThrow("has no user 'ada-2'")
  })

  it('have the same subject in every run', async () => {
    const [one, two] = [await start(), await start()]
    expect(decodeJwt(one.token('ada')).sub).toBe(decodeJwt(two.token('ada')).sub)
  })

  it('expire by the given clock', async () => {
    const clock = createVirtualClock(Date.UTC(2030, 0, 1))
    const issuer = await start({ clock, lifetimeMs: 60_000 })
    const now = Date.UTC(2030, 0, 1) / 1000
    expect(decodeJwt(issuer.token('ada'))).toMatchObject({ iat: now, exp: now + 60 })
    await clock.advance(5_000)
    expect(decodeJwt(issuer.token('ada', { lifetimeMs: -1_000 }))).toMatchObject({ iat: now + 5, exp: now + 4 })
  })

  it('of other types contain their type', async () => {
    const issuer = await start()
    expect(await verify(issuer, issuer.idToken('ada'))).toMatchObject({ typ: 'ID', aud: 'test-client' })
    expect(decodeJwt(issuer.refreshToken('ada'))).toMatchObject({ typ: 'Refresh', aud: issuer.issuer })
    expect(decodeProtectedHeader(issuer.refreshToken('ada')).alg).toBe('HS512')
    const logout = issuer.logoutToken('ada', { sid: 's-1' })
    expect(decodeProtectedHeader(logout).typ).toBe('logout+jwt')
    expect(await verify(issuer, logout)).toMatchObject({
      typ: 'Logout',
      sid: 's-1',
      sub: decodeJwt(issuer.token('ada')).sub,
      events: { 'http://schemas.openid.net/event/backchannel-logout': {} },
    })
    expect(decodeJwt(issuer.logoutToken(null, { sid: 's-1' }))).not.toHaveProperty('sub')
    expect(await verify(issuer, issuer.sign({ iss: issuer.issuer, aud: 'test-client', x: [] }))).toMatchObject({
      x: [],
    })
  })
})

describe('its keys', () => {
  it('rotate: old tokens are valid until the old keys are retired', async () => {
    const issuer = await start()
    const before = issuer.token('ada')
    issuer.rotateKeys()
    const after = issuer.token('ada')
    expect(decodeProtectedHeader(after).kid).not.toBe(decodeProtectedHeader(before).kid)
    await Promise.all([verify(issuer, before), verify(issuer, after)])
    issuer.rotateKeys({ retire: true })
    await expect(verify(issuer, before)).rejects.toThrow('no applicable key')
    await expect(verify(issuer, after)).rejects.toThrow('no applicable key')
    await verify(issuer, issuer.token('ada'))
  })

  it('are RSA and EC by default, and published with an encryption key', async () => {
    const issuer = await createTestIssuer()
    onTestFinished(() => issuer.stop())
    expect(await getJson(`${issuer.issuer}/protocol/openid-connect/certs`)).toMatchObject({
      keys: [
        { use: 'sig', alg: 'RS256', kty: 'RSA' },
        { use: 'sig', alg: 'ES256', kty: 'EC' },
        { use: 'enc', alg: 'RSA-OAEP', kty: 'RSA' },
      ],
    })
    expect(() => issuer.token(undefined, { algorithm: 'EdDSA' })).toThrow('has no key for EdDSA')
  })

  it('have a not-before date', async () => {
    const issuer = await start()
    expect(await getJson(issuer.issuer)).toMatchObject({ realm: 'test', 'tokens-not-before': 0 })
    issuer.setNotBefore(1_900_000_000_999)
    expect(await getJson(issuer.issuer)).toMatchObject({ 'tokens-not-before': 1_900_000_000 })
  })
})

describe('its grants', () => {
  const password = { grant_type: 'password', username: 'ada', password: 'ada' }

  it('accept the password, and a refresh token as long as its session exists', async () => {
    const clock = createVirtualClock(Date.now())
    const issuer = await start({ clock })
    const { status, body } = await post(issuer, 'token', { ...password, scope: 'openid' })
    expect(status).toBe(200)
    expect(body).toMatchObject({ token_type: 'Bearer', expires_in: 300, refresh_expires_in: 1800 })
    const payload = await verify(issuer, String(body.access_token))
    expect(payload).toMatchObject({ sid: body.session_state, scope: 'profile email openid' })
    expect(decodeJwt(String(body.id_token))).toMatchObject({ typ: 'ID', sid: body.session_state })

    const refresh = { grant_type: 'refresh_token', refresh_token: String(body.refresh_token) }
    const renewed = await post(issuer, 'token', refresh)
    expect(decodeJwt(String(renewed.body.access_token))).toMatchObject({ sid: body.session_state })
    await clock.advance(31 * 60_000)
    expect(await post(issuer, 'token', refresh)).toMatchObject({ status: 400, body: { error: 'invalid_grant' } })
  })

  it.each<[what: string, form: Record<string, string>, status: number, error: string]>([
    ['a wrong password', { ...password, password: 'x' }, 401, 'invalid_grant'],
    ['an unknown user', { ...password, username: 'x' }, 401, 'invalid_grant'],
    ['a disabled user', { ...password, username: 'bob', password: 'bob' }, 400, 'invalid_grant'],
    ['another client', { ...password, client_id: 'x' }, 401, 'invalid_client'],
    ['another grant', { grant_type: 'client_credentials' }, 400, 'unsupported_grant_type'],
    ['no grant', {}, 400, 'invalid_request'],
    ['an unknown refresh token', { grant_type: 'refresh_token', refresh_token: 'x' }, 400, 'invalid_grant'],
  ])('refuse %s', async (_what, form, status, error) => {
    expect(await post(await start(), 'token', form)).toMatchObject({ status, body: { error } })
  })

  it('are rejected for a disabled user', async () => {
    const issuer = await start()
    const { refreshToken } = issuer.login('ada')
    issuer.setUser({ ...ada, enabled: false })
    expect(await post(issuer, 'token', { grant_type: 'refresh_token', refresh_token: refreshToken })).toMatchObject({
      status: 400,
      body: { error_description: 'User disabled' },
    })
  })
})

describe('its logout', () => {
  async function listen(): Promise<{ url: string; received: URLSearchParams[] }> {
    const received: URLSearchParams[] = []
    const server = createServer((request, response) => {
      let text = ''
      request.setEncoding('utf8')
      request.on('data', (chunk: string) => {
        text += chunk
      })
      request.on('end', () => {
        received.push(new URLSearchParams(text))
        response.writeHead(200).end()
      })
    }).listen(0, '127.0.0.1')
    onTestFinished(() => void server.close())
    await new Promise((resolve) => server.once('listening', resolve))
    const address = server.address()
    return { received, url: `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}/logout` }
  }

  it('by the user ends the session and notifies the application', async () => {
    const { url, received } = await listen()
    const issuer = await start({ backchannelLogoutUrl: url })
    const { refreshToken, sid } = issuer.login('ada')
    expect((await post(issuer, 'logout', { refresh_token: refreshToken })).status).toBe(204)
    expect(received).toHaveLength(1)
    expect(await verify(issuer, received[0]?.get('logout_token') ?? '')).toMatchObject({ sid })
    expect((await post(issuer, 'logout', { refresh_token: refreshToken })).status).toBe(400)
  })

  it('by an administrator ends one session or all of a user', async () => {
    const { url, received } = await listen()
    const issuer = await start()
    const [one, two, three] = [issuer.login('ada'), issuer.login('ada'), issuer.login('ada')]
    expect(await issuer.logout({ sid: one.sid })).toEqual([0])
    issuer.setBackchannelLogoutUrl(url)
    expect(await issuer.logout({ username: 'ada' })).toEqual([200, 200])
    const told = received.map((form) => decodeJwt(form.get('logout_token') ?? '').sid)
    expect(told.sort()).toEqual([two.sid, three.sid].sort())
    issuer.setBackchannelLogoutUrl('http://127.0.0.1:9/')
    expect(await issuer.logout({ sid: issuer.login('ada').sid })).toEqual([0])
  })

  it('includes sessions of tokens that were created without a login', async () => {
    const { url, received } = await listen()
    const issuer = await start({ backchannelLogoutUrl: url })
    const otherUser = { username: 'cleo', id: 'u-cleo' }
    const sids = [issuer.token('ada'), issuer.token('ada'), issuer.token(otherUser)].map(
      (token) => decodeJwt(token).sid,
    )
    issuer.token('ada', { sid: 's-1' })
    expect(await issuer.logout({ sid: 's-1' })).toEqual([200])
    expect(await issuer.logout({ username: 'ada' })).toEqual([200, 200])
    expect(await issuer.logout({ username: 'cleo' })).toEqual([200])
    const told = await Promise.all(received.map((form) => verify(issuer, form.get('logout_token') ?? '')))
    expect(told[0]).toMatchObject({ sid: 's-1' })
    expect(told.slice(1).map(({ sid }) => sid)).toEqual(expect.arrayContaining(sids))
    expect(told.at(-1)).toMatchObject({ sub: 'u-cleo' })
    // They have ended.
    expect(await issuer.logout({ username: 'ada' })).toEqual([])
  })

  it('of an unknown user rejects', async () => {
    const issuer = await start()
    await expect(issuer.logout({ username: 'adda' })).rejects.toThrow("The test issuer has no user 'adda'")
  })
})

describe('its faults', () => {
  it('apply to every request until they are cleared, and each request is counted', async () => {
    const issuer = await start()
    const url = `${issuer.issuer}/protocol/openid-connect/certs`
    issuer.setFault('certs', { status: 503 })
    expect((await fetch(url)).status).toBe(503)
    issuer.setFault('certs', 'garbage')
    await expect(getJson(url)).rejects.toThrow(SyntaxError)
    issuer.setFault('certs', 'empty')
    expect(await getJson(url)).toEqual({})
    issuer.setFault('certs', 'redirect')
    expect((await fetch(url, { redirect: 'manual' })).status).toBe(302)
    issuer.setFault('certs', 'down')
    await expect(fetch(url)).rejects.toThrow()
    issuer.setFault('certs', 'huge')
    const reader = (await fetch(url)).body?.getReader()
    let bytes = 0
    while (bytes < 5_000_000) bytes += (await reader?.read())?.value?.length ?? 5_000_000
    await reader?.cancel()
    expect((await fetch(issuer.issuer)).status).toBe(200)
    issuer.clearFaults()
    expect(await getJson(url)).toHaveProperty('keys')
    expect(issuer.hits).toEqual({ realm: 1, discovery: 0, certs: 7, token: 0, logout: 0 })
  })

  it('delay a request until they are cleared, or for a time of its clock', async () => {
    const clock = createVirtualClock()
    const issuer = await start({ clock })
    issuer.setFault('certs', 'hang')
    issuer.setFault('realm', { delayMs: 10_000 })
    const hanging = fetch(`${issuer.issuer}/protocol/openid-connect/certs`)
    const late = fetch(issuer.issuer)
    while (issuer.hits.certs + issuer.hits.realm < 2 || clock.pendingTimers < 1) await new Promise(setImmediate)
    await clock.advance(9_999)
    issuer.setFault('certs', null)
    await expect(hanging).rejects.toThrow()
    await clock.advance(1)
    expect((await late).status).toBe(200)
  })

  it('include a stop, and a start on the same port with the same keys', async () => {
    const issuer = await start()
    const token = issuer.token('ada')
    await issuer.stop()
    await issuer.stop()
    await expect(fetch(issuer.issuer)).rejects.toThrow()
    await issuer.start()
    await issuer.start()
    await verify(issuer, token)
  })

  it('do not affect an unknown path (404), a wrong method (405) and a large form (413)', async () => {
    const issuer = await start()
    expect((await fetch(`${issuer.url}/realms/other`)).status).toBe(404)
    expect((await fetch(issuer.issuer, { method: 'POST' })).status).toBe(405)
    expect((await post(issuer, 'token', { x: 'y'.repeat(70_000) })).status).toBe(413)
  })
})
