import { createApp } from '@twinwire/core'
import { defineSettings } from '@twinwire/core/settings'
import { createTestApp, createTestLogger, createVirtualClock } from '@twinwire/core/testing'
import { describe, expect, it } from 'vitest'
import { authOf, bearer, counted, pkgIds, routes, startApp, startIssuer } from './auth.fixtures.ts'
import { type AuthOptions, resolveAuthOptions } from './auth-options.ts'
import { auth } from './auth-plugin.ts'
import { keycloakIssuer, keycloakSettings } from './keycloak-settings.ts'

const good: AuthOptions = { issuer: 'https://sso.example.com/realms/app', audience: 'api', clientId: 'api' }

/** Possible in JavaScript. */
const options = (changes: object): AuthOptions => ({ ...good, ...changes })

describe('an option of auth()', () => {
  it.each<[string, object, string]>([
    ['no issuer', { issuer: undefined }, 'issuer is required: set it to an http(s) URL'],
    ['an issuer that is not a URL', { issuer: 'sso' }, 'issuer must be an http(s) URL'],
    ['another scheme', { issuer: 'file:///etc/passwd' }, 'issuer must be an http(s) URL'],
    [
      'a password in it',
      { issuer: 'https://a:b@sso.example.com/' },
      'issuer must be an http(s) URL without user, password, query',
    ],
    [
      'a query in it',
      { issuer: 'https://sso.example.com/?x=1' },
      'issuer must be an http(s) URL without user, password, query',
    ],
    [
      'no audience and no parties',
      { audience: undefined },
      'audience is required: set it to what tokens contain in aud',
    ],
    ['an empty audience', { audience: '' }, 'audience must be a string that is not empty, or a list of them'],
    ['an empty list of audiences', { audience: [] }, 'audience must be a string that is not empty, or a list of them'],
    [
      'an audience that is a number',
      { audience: [7] },
      'audience must be a string that is not empty, or a list of them',
    ],
    ['empty parties', { authorizedParties: [] }, 'authorizedParties must be a list of client ids with at least one'],
    ['no client', { clientId: undefined }, 'clientId is required'],
    ['the algorithm none', { algorithms: ['none'] }, "algorithms[0] must be one of 'RS256', 'RS384'"],
    ['an algorithm with a secret', { algorithms: ['RS256', 'HS256'] }, "received 'HS256'"],
    ['a cookie that is a string', { cookie: 'token' }, 'cookie must be true, false or an object of options'],
    ['a cookie without a name', { cookie: { name: '' } }, 'cookie.name must be the name of a cookie'],
    ['a cookie with a semicolon', { cookie: { name: 'a;b' } }, 'cookie.name must be the name of a cookie'],
    [
      'an origin with a path',
      { cookie: { origins: ['https://a.example/'] } },
      'cookie.origins[0] must be an origin such as',
    ],
    ['no algorithms', { algorithms: [] }, 'algorithms must be a list of algorithms with at least one'],
    ['a negative tolerance', { toleranceMs: -1 }, 'toleranceMs must be an integer from 0'],
    ['a token size of nothing', { maxTokenBytes: 0 }, 'maxTokenBytes must be an integer from 256'],
    ['a time that is not a number', { handshakeTimeoutMs: '5s' }, 'handshakeTimeoutMs must be an integer'],
    ['half a cache entry', { cachedTokens: 0.5 }, 'cachedTokens must be an integer'],
    ['a word for a flag', { hideMissingRoles: 'yes' }, 'hideMissingRoles must be true or false'],
    [
      'a logout path with a parameter',
      { backChannelLogout: { path: '/:x' } },
      'backChannelLogout.path must be a path of letters',
    ],
    [
      'a logout of no clients',
      { backChannelLogout: { clients: [] } },
      'backChannelLogout.clients must be a list of client ids with at least one',
    ],
    ['a time for keys', { keys: { timeoutMs: 0 } }, 'keys.timeoutMs must be an integer from 1'],
    ['a breaker of no failures', { breaker: { failures: 0 } }, 'breaker.failures must be an integer from 1'],
    ['a number for the logout', { backChannelLogout: 1 }, 'backChannelLogout must be true, false or an object'],
  ])('that is invalid is a boot error: %s', (_, changes, message) => {
    expect(() => resolveAuthOptions(options(changes), 'test')).toThrow(
      expect.objectContaining({ code: 'bad_option', message: expect.stringContaining(message) }),
    )
  })

  it.each([{ audiences: 'api' }, { keys: { ttl: 1 } }, { breaker: { max: 1 } }, { backChannelLogout: { url: '/x' } }])(
    'that is unknown is a boot error: %j',
    (changes) => {
      expect(() => resolveAuthOptions(options(changes), 'test')).toThrow(
        expect.objectContaining({ code: 'unknown_option' }),
      )
    },
  )

  it('must be an issuer with https in production, without allowInsecureIssuer', () => {
    const insecure = options({ issuer: 'http://sso.example.com/realms/app' })
    expect(() => resolveAuthOptions(insecure, 'production')).toThrow('issuer must use https in production')
    expect(resolveAuthOptions(insecure, 'dev').requireHttps).toBe(false)
    expect(resolveAuthOptions({ ...insecure, allowInsecureIssuer: true }, 'production').requireHttps).toBe(false)
    const inside = options({ internalUrl: 'http://keycloak:8080/realms/app' })
    expect(() => resolveAuthOptions(inside, 'production')).toThrow('internalUrl must use https')
  })

  it('has the documented default', () => {
    expect(resolveAuthOptions(good, 'production')).toMatchObject({
      audience: ['api'],
      authorizedParties: null,
      toleranceMs: 10_000,
      maxTokenBytes: 16_384,
      maxTokenLifetimeMs: 86_400_000,
      cachedTokens: 10_000,
      expiryWarningMs: 60_000,
      logout: null,
      keys: { timeoutMs: 5000, cooldownMs: 30_000, maxAgeMs: 600_000, maxStaleMs: 3_600_000 },
      breaker: { enabled: true, failures: 5, resetMs: 60_000 },
    })
  })
})

describe('auth()', () => {
  it('does nothing before the app starts', () => {
    expect(() => auth(options({ issuer: 'nonsense' }))).not.toThrow()
  })

  it('makes routes without access authenticated, so that production needs no defaultAccess', async () => {
    const { issuer, clock } = await startIssuer()
    const app = createApp({
      environment: 'production',
      log: createTestLogger(),
      http: { hosts: ['*'] },
      clock,
      pkgIds,
      routes,
      plugins: [authOf(issuer, { allowInsecureIssuer: true })],
    })
    await app.ready()
    expect(app.describe().routes.find(({ name }) => name === 'PLAIN')?.access).toBe('authenticated')
    await app.close()
  })

  it('does not start with an issuer of another name', async () => {
    const { issuer, clock } = await startIssuer()
    const plugin = auth({ issuer: `${issuer.issuer}/`, audience: 'x', clientId: 'x' })
    const app = createApp({
      environment: 'test',
      log: createTestLogger(),
      clock,
      pkgIds: {},
      routes: {},
      plugins: [plugin],
    })
    await expect(app.ready()).rejects.toMatchObject({
      code: 'auth.wrong_issuer',
      message: expect.stringContaining(`is of the issuer '${issuer.issuer}'`),
    })
  })

  it('accepts tokens by azp without an audience, of the listed clients only', async () => {
    const { request, issuer } = await startApp(createTestApp, { audience: undefined, authorizedParties: ['web'] })
    const status = async (claims: object) =>
      (await request('GET /who', bearer(issuer.token('ada', { claims: { ...claims } })))).status
    expect(await status({ aud: undefined, azp: 'web' })).toBe(200)
    expect(await status({ aud: 'account', azp: 'web' })).toBe(200)
    for (const azp of ['grafana', undefined, ['web'], 7]) expect([azp, await status({ azp })]).toEqual([azp, 401])
  })

  it('requires both when both are set', async () => {
    const { request, issuer } = await startApp(createTestApp, { authorizedParties: ['web'] })
    const status = async (claims: object) =>
      (await request('GET /who', bearer(issuer.token('ada', { claims: { ...claims } })))).status
    expect(await status({ azp: 'web' })).toBe(200)
    expect(await status({ azp: 'web', aud: 'account' })).toBe(401)
    expect(await status({ azp: 'test-client' })).toBe(401)
  })

  it('verifies a token once, however often and however many at once it is sent [defect 7]', async () => {
    const { request, issuer, app } = await startApp(createTestApp)
    const token = issuer.token('ada')
    const answers = await Promise.all(Array.from({ length: 20 }, () => request('GET /who', bearer(token))))
    expect(answers.every(({ status }) => status === 200)).toBe(true)
    await request('GET /who', bearer(token))
    expect(counted(app, 'keycloak_token_validation_total')).toEqual([
      { labels: { status: 'valid', reason: 'none' }, value: 1 },
    ])
    expect(counted(app, 'token_cache_hits_total')[0]?.value).toBeGreaterThanOrEqual(1)
    expect(counted(app, 'keycloak_auth_attempts_total')).toEqual([
      { labels: { status: 'success', method: 'http' }, value: 21 },
    ])
    expect(counted(app, 'auth_attempts_total')).toEqual([{ labels: { status: 'success' }, value: 21 }])
    expect(counted(app, 'keycloak_operation_duration_seconds')).toContainEqual({
      labels: { operation: 'validate_token' },
      value: 1,
    })
    expect(counted(app, 'auth_backend_requests_total')).toEqual([
      { labels: { type: 'http', outcome: 'success' }, value: 21 },
    ])
    expect(counted(app, 'auth_issuer_requests_total')).toEqual(
      ['discovery', 'keys', 'realm'].map((type) => ({ labels: { type, outcome: 'success' }, value: 1 })),
    )
  })

  it('caches no token beyond its expiry, and none with cachedTokens 0', async () => {
    const test = await startApp(createTestApp)
    const token = test.issuer.token('ada', { lifetimeMs: 5000 })
    await test.request('GET /who', bearer(token))
    await test.clock.advance(5000)
    await test.request('GET /who', bearer(token))
    expect(counted(test.app, 'token_cache_misses_total')).toEqual([{ labels: {}, value: 2 }])
    const none = await startApp(createTestApp, { cachedTokens: 0 })
    const other = none.issuer.token('ada')
    for (let i = 0; i < 3; i++) await none.request('GET /who', bearer(other))
    expect(counted(none.app, 'token_cache_hits_total')).toEqual([])
  })
})

describe('settings', () => {
  const declared = defineSettings({ keycloak: keycloakSettings })
  const read = (variables: Record<string, string>, environment: 'dev' | 'production' = 'dev') =>
    declared.read({ variables, environment }).keycloak
  const set = { KEYCLOAK_BASE_URL: 'https://sso.example.com/', KEYCLOAK_REALM: 'app', KEYCLOAK_CLIENT_ID: 'api' }

  it('of the environment become options', () => {
    expect(read(set)).toEqual({
      issuer: 'https://sso.example.com/realms/app',
      audience: 'api',
      clientId: 'api',
      breaker: { failures: 5, resetMs: 60_000 },
    })
    const more = {
      KEYCLOAK_AUDIENCE: 'books',
      KEYCLOAK_CIRCUIT_BREAKER_FAIL_MAX: '3',
      KEYCLOAK_CIRCUIT_BREAKER_TIMEOUT: '30',
    }
    expect(read({ ...set, ...more })).toMatchObject({ audience: 'books', breaker: { failures: 3, resetMs: 30_000 } })
  })

  it('define which tokens are accepted: by audience, by the client that they were issued to, or by both', () => {
    const parties = { KEYCLOAK_AUTHORIZED_PARTIES: '["web","mobile"]' }
    const authorizedParties = ['web', 'mobile']
    const byParties = read({ ...set, ...parties })
    expect(byParties).toMatchObject({ authorizedParties })
    expect(byParties).not.toHaveProperty('audience')
    expect(read({ ...set, ...parties, KEYCLOAK_AUDIENCE: 'account' })).toMatchObject({
      audience: 'account',
      authorizedParties,
    })
    for (const wrong of ['[]', '[""]', 'web', '[1]'])
      expect(() => read({ ...set, KEYCLOAK_AUTHORIZED_PARTIES: wrong })).toThrow('KEYCLOAK_AUTHORIZED_PARTIES')
  })

  it('do not accept an audience that the tokens of all clients have [defect 4]', async () => {
    const { issuer, clock } = await startIssuer({ audience: 'account' })
    for (const audience of ['account', ['api', 'account']]) {
      await expect(createTestApp({ pkgIds, routes, plugins: [authOf(issuer, { audience })] })).rejects.toThrow(
        'also set authorizedParties',
      )
    }
    const { request } = await createTestApp({
      clock,
      pkgIds,
      routes,
      plugins: [authOf(issuer, { audience: 'account', authorizedParties: [issuer.clientId] })],
    })
    const other = issuer.token('ada', { claims: { azp: 'grafana' } })
    const statuses = [issuer.token('ada'), other].map(
      async (token) => (await request('GET /who', bearer(token))).status,
    )
    expect(await Promise.all(statuses)).toEqual([200, 401])
  })

  it('are null when none is set, except in production, and an error when some are missing', () => {
    expect(read({})).toBe(null)
    expect(() => read({}, 'production')).toThrow('KEYCLOAK_BASE_URL')
    expect(() => read({ KEYCLOAK_REALM: 'app' })).toThrow('KEYCLOAK_BASE_URL is required when KEYCLOAK_REALM is set')
    expect(() => read({ ...set, KEYCLOAK_BASE_URL: 'sso' })).toThrow('KEYCLOAK_BASE_URL must be an http(s) URL')
  })

  it('make the issuer of a realm, whatever its name', () => {
    expect(keycloakIssuer('https://sso.example.com/auth//', 'my realm')).toBe(
      'https://sso.example.com/auth/realms/my%20realm',
    )
  })
})

it('an app may start while its issuer is down: 503 and not ready until there are keys', async () => {
  const { issuer } = await startIssuer()
  await issuer.stop()
  const clock = createVirtualClock()
  const { request, connect, logs } = await createTestApp({ clock, pkgIds, routes, plugins: [authOf(issuer)] })
  const token = issuer.token('ada')
  const refused = await request('GET /who', bearer(token))
  expect([refused.status, refused.json()]).toMatchObject([503, { error: { code: 'unavailable' } }])
  expect((await request('GET /who')).status).toBe(401)
  expect((await request('GET /public')).status).toBe(200)
  expect((await request('GET /health')).json()).toMatchObject({ status: 'unhealthy', keycloak: 'unhealthy' })
  const socket = await connect()
  socket.send(JSON.stringify({ type: 'auth', token: `Bearer ${token}` }))
  expect(await socket.closed).toMatchObject({ code: 1011 })
  expect(logs.filter(({ message }) => message.startsWith('Issuer keys cannot be read'))).toHaveLength(1)
  await issuer.start()
  await clock.advance(1000)
  await expect.poll(async () => (await request('GET /who', bearer(token))).status).toBe(200)
  await clock.advance(2000)
  expect((await request('GET /health')).json()).toMatchObject({ status: 'healthy', keycloak: 'healthy' })
})
