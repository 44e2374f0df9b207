import { route } from '@twinwire/core'
import { fakeIdentity, pluginSuite } from '@twinwire/core/testing'
import * as vitest from 'vitest'
import { limit, memoryStore, type RateLimitSettings, rateLimit, rateLimitSettings } from './index.ts'

const { expect } = vitest
const once = route({ http: 'POST /once', use: [limit('1/h')], handler: () => 'done' })

pluginSuite(vitest, {
  createPlugin: () => rateLimit(),
  createApp: (plugin) => ({ pkgIds: { ONCE: 1 }, routes: { ONCE: once }, plugins: [fakeIdentity(), plugin] }),
  exercise: async ({ client }, n) => {
    const one = await client({ headers: { authorization: `Bearer ann-${n}` }, address: `10.2.0.${n % 200}` })
    expect(await one.call('ONCE')).toBe('done')
    await expect(one.http('ONCE')).rejects.toMatchObject({ code: 'rate_limit_exceeded' })
  },
  instruments: ['rate_limit_'],
  options: {
    create: rateLimit,
    valid: {
      enabled: true,
      store: memoryStore(),
      onStoreError: 'deny',
      breaker: { failures: 2, resetMs: 1000 },
      http: '10/m',
      files: false,
      websocket: ['10/m', '100/h'],
      preAuthentication: { points: 10, per: '1m', burst: 1, failureCost: 2 },
      connections: { perIdentity: 2, perAddress: 3, leaseMs: 2000 },
      closeAfterViolations: 3,
      skip: ['/health'],
    },
    refused: {
      enabled: ['no'],
      store: [{}, null],
      onStoreError: ['ignore'],
      'breaker.failures': [0],
      http: ['10', '0/m', { points: 0, per: '1m' }, 10],
      files: [true, 'x'],
      websocket: [{}, 'x/y'],
      preAuthentication: [true],
      'preAuthentication.points': [0],
      connections: [true],
      'connections.perIdentity': [0],
      closeAfterViolations: [0],
      skip: ['/health', ['']],
    },
  },
  settings: {
    group: rateLimitSettings,
    prefixes: ['RATE_LIMIT_', 'WS_', 'REDIS_CIRCUIT_BREAKER_'],
    variables: { RATE_LIMIT_PER_MINUTE: '10', WS_MESSAGE_RATE_LIMIT: '20', RATE_LIMIT_FAIL_MODE: 'open' },
    refused: {
      RATE_LIMIT_PER_MINUTE: ['0', 'many'],
      RATE_LIMIT_FAIL_MODE: ['half'],
      REDIS_CIRCUIT_BREAKER_TIMEOUT: ['x'],
    },
    create: (settings: RateLimitSettings) => rateLimit(settings),
  },
})
