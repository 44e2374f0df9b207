import { describe, expect, it } from 'vitest'
import { brokerOf } from '../hub/broker.fixtures.ts'
import { type BootErrorCode, createApp, memoryBroker } from '../index.ts'
import { boot, expectBootError } from '../testing/boot.fixtures.ts'
import { memoryTransport } from '../testing.ts'
import { resolveBroker } from './resolve-broker.ts'

const production = { environment: 'production', http: { hosts: ['*'] }, defaultAccess: 'public' }

describe('the broker of an app', () => {
  it('reaches all workers in production', () => {
    const two = { id: 2, workers: 2 }
    expect(() => resolveBroker(undefined, 'production', two)).toThrowError(
      expect.objectContaining({
        code: 'conflicting_workers',
        message:
          'The broker is memory, which reaches the connections of one process, and this is one of 2 workers: pass createApp a broker that ' +
          'connects processes, such as redisBroker() of @twinwire/broker-redis, or set workers to 1',
      }),
    )
    const redis = brokerOf({ name: 'redis' })
    expect(resolveBroker(redis, 'production', two)).toBe(redis)
    for (const environment of ['dev', 'test', 'staging'] as const)
      expect(resolveBroker(undefined, environment, two).name).toBe('memory')
    expect(resolveBroker(undefined, 'production', { id: 1, workers: 1 }).name).toBe('memory')
    expect(resolveBroker(undefined, 'production', null).name).toBe('memory')
  })
})

describe('an app does not boot', () => {
  const cases: readonly [string, object, BootErrorCode, string | RegExp][] = [
    [
      'with an option that is none',
      { rotues: {} },
      'unknown_option',
      /^createApp\(\): rotues is not an option. Did you mean 'routes'\? Known options: pkgIds, routes/,
    ],
    [
      'with an http option that is none',
      { http: { host: [] } },
      'unknown_option',
      /^createApp\(\): http.host is not an option. Did you mean 'hosts'\?/,
    ],
    [
      'with a websocket option that is none',
      { websocket: { pth: '/ws' } },
      'unknown_option',
      /^createApp\(\): websocket.pth is not an option. Did you mean 'path'\?/,
    ],
    [
      'with a default access that is none',
      { defaultAccess: 'autenticated' },
      'bad_option',
      "createApp(): defaultAccess must be 'public' or 'authenticated', received 'autenticated'",
    ],
    [
      'with a broker that was not called',
      { broker: memoryBroker },
      'bad_option',
      'createApp(): broker must be what a broker such as memoryBroker() returns, received a function',
    ],
    [
      'with a deadline out of range',
      { deadlineMs: -1 },
      'bad_option',
      'createApp(): deadlineMs must be an integer from 0 to 86400000 (milliseconds), received -1',
    ],
    [
      'with a drain out of range',
      { drainTimeoutMs: Number.NaN },
      'bad_option',
      'createApp(): drainTimeoutMs must be an integer from 0 to 3600000 (milliseconds), received NaN',
    ],
    [
      'with a time for a COMMIT out of range',
      { commitTimeoutMs: -1 },
      'bad_option',
      'createApp(): commitTimeoutMs must be an integer from 0 to 3600000 (milliseconds), received -1',
    ],
    [
      'with a time for a COMMIT that a drain does not have',
      { commitTimeoutMs: 3000, drainTimeoutMs: 3000 },
      'bad_option',
      'createApp(): commitTimeoutMs must be less than drainTimeoutMs (3000), which includes the wait for a COMMIT that was sent, received 3000',
    ],
    [
      'with a body cap of nothing',
      { http: { maxBodyBytes: 0 } },
      'bad_option',
      'createApp(): http.maxBodyBytes must be an integer of at least 1 (bytes), received 0',
    ],
    [
      'with a word for unknown keys that is none',
      { http: { unknownKeys: JSON.parse('"strip"') } },
      'bad_option',
      "createApp(): http.unknownKeys must be 'validate' or 'ignore', received 'strip'",
    ],
    [
      'with no call in flight',
      { websocket: { maxInFlight: 0 } },
      'bad_option',
      'createApp(): websocket.maxInFlight must be an integer of at least 1, received 0',
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
      'createApp(): websocket.maxMessageBytes must not be more than maxPayloadBytes (1048576), received 2097152',
    ],
    [
      'with a path that is a pattern',
      { websocket: { path: '/:ws' } },
      'bad_option',
      "createApp(): websocket.path must be a path of letters, digits and -._~, such as '/health', received '/:ws'",
    ],
    [
      'with an origin that is none',
      { websocket: { origins: ['app.example'] } },
      'bad_option',
      "createApp(): websocket.origins[0] must be an origin such as 'https://app.example.com', received 'app.example'",
    ],
    [
      'with an order that is none',
      { websocket: { ordered: true } },
      'bad_option',
      "createApp(): websocket.ordered must be 'connection' or 'none', received true",
    ],
    [
      'with a proxy that is not an address',
      { http: { trustedProxies: ['proxy'] } },
      'bad_option',
      "createApp(): http.trustedProxies[0] must be an IP address or a CIDR network, such as 10.0.0.0/8, received 'proxy'",
    ],
    [
      'with a header that is none',
      { http: { securityHeaders: { 'X-Frame-Options': 'DENY' } } },
      'bad_option',
      "createApp(): http.securityHeaders['X-Frame-Options'] must be named in lower case, as a header name",
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
      "createApp(): environment must be one of 'dev', 'test', 'staging', 'production', received 'prod'",
    ],
    [
      'in production for any host, unsaid',
      { environment: 'production' },
      'bad_option',
      /^createApp\(\): http.hosts is required in production: set it to the names of this app/,
    ],
    [
      'in production without a plugin that owns the identity',
      { ...production, defaultAccess: undefined },
      'missing_default_access',
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
      message: `app.listen(): port must be an integer from 0 to 65535, received ${port}`,
    })
  })
})
