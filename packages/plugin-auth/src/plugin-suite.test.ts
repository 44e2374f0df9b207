import { pluginSuite } from '@twinwire/core/testing'
import * as vitest from 'vitest'
import { pkgIds, routes } from './auth.fixtures.ts'
import { auth, type KeycloakSettings, keycloakSettings } from './index.ts'
import { createTestIssuer } from './testing/index.ts'

const { afterAll, expect } = vitest
const issuer = await createTestIssuer({ algorithms: ['ES256'], users: [{ username: 'ada', roles: ['read'] }] })
afterAll(() => issuer.stop())
const token = issuer.token('ada')
const valid = { issuer: issuer.issuer, audience: issuer.clientId, clientId: issuer.clientId }

pluginSuite(vitest, {
  createPlugin: () => auth({ ...valid, backChannelLogout: true }),
  createApp: (plugin) => ({ pkgIds, routes, plugins: [plugin] }),
  exercise: async ({ client, request }, n) => {
    const headers = { authorization: `Bearer ${token}` }
    const ada = await client({ headers })
    expect([await ada.call('READ'), await ada.http('READ')]).toEqual(['ada', 'ada'])
    await expect(ada.call('ADMIN')).rejects.toMatchObject({ code: 'permission_denied' })
    const wrong = await request('GET /who', { headers: { authorization: `Bearer token-${n}` } })
    expect(wrong.status).toBe(401)
    expect((await request('POST /auth/backchannel-logout', { body: `logout_token=x${n}` })).status).toBe(400)
  },
  instruments: ['auth_', 'keycloak_', 'token_cache_', 'circuit_breaker_'],
  health: ['keycloak'],
  options: {
    create: auth,
    valid: {
      ...valid,
      authorizedParties: ['app'],
      allowInsecureIssuer: true,
      algorithms: ['ES256'],
      toleranceMs: 1000,
      maxTokenBytes: 4096,
      cookie: { name: 'token', origins: ['https://app.example'] },
      backChannelLogout: { path: '/logout', clients: ['app'] },
      breaker: { failures: 2, resetMs: 1000 },
    },
    refused: {
      issuer: [undefined, '', 'sso.example.com'],
      audience: ['', []],
      authorizedParties: [[], ['']],
      clientId: [undefined, ''],
      internalUrl: ['sso'],
      algorithms: [[], ['HS256'], ['none']],
      toleranceMs: [-1, 600_001],
      maxTokenBytes: [1],
      cookie: ['token', { name: 'a b' }, { names: 'x' }, { origins: ['app'] }],
      backChannelLogout: ['yes', { path: 'logout' }, { client: 'app' }],
      'breaker.failures': [0],
      'keys.maxAgeMs': ['x'],
    },
  },
  settings: {
    group: keycloakSettings,
    prefixes: ['KEYCLOAK_'],
    variables: {
      KEYCLOAK_BASE_URL: new URL(issuer.issuer).origin,
      KEYCLOAK_REALM: 'app',
      KEYCLOAK_CLIENT_ID: 'app',
      KEYCLOAK_AUDIENCE: 'app',
    },
    refused: { KEYCLOAK_BASE_URL: ['sso'], KEYCLOAK_CIRCUIT_BREAKER_TIMEOUT: ['x'], KEYCLOAK_REALM: [''] },
    create: (settings: KeycloakSettings) => auth(settings),
  },
})
