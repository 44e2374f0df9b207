import { describe, expect, it } from 'vitest'
import { type BootErrorCode, createApp } from '../index.ts'
import { boot, expectBootError } from '../testing/boot.fixtures.ts'
import { memoryTransport } from '../testing.ts'

const production = { environment: 'production', http: { hosts: ['*'] }, defaultAccess: 'public' }

describe('an app does not boot', () => {
  const cases: readonly [string, object, BootErrorCode, string | RegExp][] = [
    [
      'with an option that is none',
      { rotues: {} },
      'unknown_option',
      /^createApp has the unknown option 'rotues'; known are pkgIds, routes/,
    ],
    [
      'with an http option that is none',
      { http: { host: [] } },
      'unknown_option',
      /^createApp\({ http }\) has the unknown option 'host'/,
    ],
    [
      'with a websocket option that is none',
      { websocket: { pth: '/ws' } },
      'unknown_option',
      /^websocket has the unknown option 'pth'/,
    ],
    [
      'with a default access that is none',
      { defaultAccess: 'autenticated' },
      'bad_option',
      "defaultAccess is 'public' or 'authenticated', not 'autenticated'",
    ],
    [
      'with a deadline out of range',
      { deadlineMs: -1 },
      'bad_option',
      'createApp: deadlineMs must be 0 (none) to 86400000, not -1',
    ],
    [
      'with a drain out of range',
      { drainTimeoutMs: Number.NaN },
      'bad_option',
      'drainTimeoutMs must be 0 to 3600000 milliseconds, not NaN',
    ],
    [
      'with a time for a COMMIT out of range',
      { commitTimeoutMs: -1 },
      'bad_option',
      'commitTimeoutMs must be 0 to 3600000 milliseconds, not -1',
    ],
    [
      'with a time for a COMMIT that a drain does not have',
      { commitTimeoutMs: 3000, drainTimeoutMs: 3000 },
      'bad_option',
      'commitTimeoutMs (3000) must be less than drainTimeoutMs (3000): a drain waits so long for a COMMIT that was sent',
    ],
    [
      'with a body cap of nothing',
      { http: { maxBodyBytes: 0 } },
      'bad_option',
      'http.maxBodyBytes must be a positive integer of bytes, not 0',
    ],
    [
      'with a word for unknown keys that is none',
      { http: { unknownKeys: JSON.parse('"strip"') } },
      'bad_option',
      "http.unknownKeys is 'validate' or 'ignore', not 'strip'",
    ],
    [
      'with no call in flight',
      { websocket: { maxInFlight: 0 } },
      'bad_option',
      'websocket.maxInFlight must be an integer from 1, not 0',
    ],
    [
      'with an idle time that uWS would not take',
      { websocket: { idleTimeoutSeconds: 7 } },
      'bad_option',
      'createApp(): websocket.idleTimeoutSeconds must be 0 or an integer from 8 to 960, received 7',
    ],
    [
      'with messages over the native limit',
      { websocket: { maxMessageBytes: 2 ** 21 } },
      'bad_option',
      'websocket.maxMessageBytes (2097152) must not be over maxPayloadBytes (1048576)',
    ],
    [
      'with a path that is a pattern',
      { websocket: { path: '/:ws' } },
      'bad_option',
      "websocket.path must be a plain path such as '/ws', not '/:ws'",
    ],
    [
      'with an origin that is none',
      { websocket: { origins: ['app.example'] } },
      'bad_option',
      "websocket.origins: 'app.example' is not an origin; write it as 'https://app.example'",
    ],
    [
      'with an order that is none',
      { websocket: { ordered: true } },
      'bad_option',
      "websocket.ordered must be 'connection' or 'none', not 'true'",
    ],
    [
      'with a proxy that is not an address',
      { http: { trustedProxies: ['proxy'] } },
      'bad_option',
      "trustedProxies: 'proxy' is not an IP address or a CIDR network",
    ],
    [
      'with a header that is none',
      { http: { securityHeaders: { 'X-Frame-Options': 'DENY' } } },
      'bad_option',
      "securityHeaders has 'X-Frame-Options', which is not a lower-case header name",
    ],
    [
      'with a topic of two stars',
      { topics: { 'a*:*': { authorize: () => true } } },
      'bad_option',
      "createApp(): topics['a*:*']: a pattern may have only one '*', at its end",
    ],
    [
      'in an environment that is none',
      { environment: 'prod' },
      'bad_option',
      "environment must be one of dev, test, staging, production, not 'prod'",
    ],
    [
      'in production for any host, unsaid',
      { environment: 'production' },
      'bad_option',
      /^In production say which hosts the app answers to/,
    ],
    [
      'in production without a plugin that owns the identity',
      { ...production, defaultAccess: undefined },
      'default_access_missing',
      /^No plugin provides identities, so every route that does not state its access would be public: add auth\(\)/,
    ],
  ]
  it.each(cases)('%s', async (_name, options, code, message) => {
    expectBootError(await boot(options), code, message)
  })
})

describe('listen', () => {
  it.each([-1, 65_536, 1.5, Number.NaN])('rejects with the port %d', async (port) => {
    const app = createApp({ pkgIds: {}, routes: {}, environment: 'test', transport: memoryTransport() })
    await expect(app.listen({ port })).rejects.toMatchObject({
      code: 'bad_option',
      message: `port must be an integer from 0 to 65535, not ${port}`,
    })
  })
})
