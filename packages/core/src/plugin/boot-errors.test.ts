import { describe, expect, it } from 'vitest'
import { type BootErrorCode, createApp, guard, route } from '../index.ts'
import { definePlugin, pluginKey } from '../plugin.ts'
import { boot, expectBootError } from '../testing/boot.fixtures.ts'
import { plugin, testAuth } from '../testing/suite.fixtures.ts'
import { createTestLogger } from '../testing.ts'

const ok = (http: 'GET /a') => route({ http, handler: () => null })
const flags = pluginKey('flags').of<{ isOn: () => boolean }>()
const otherFlags = pluginKey('flags').of<{ isOn: () => boolean }>()
const flagged = guard({ name: 'flagged', needs: flags, bind: () => () => {} })
const needsIdentity = guard({ name: 'needsIdentity', identity: 'required', run: () => {} })

describe('an app does not boot', () => {
  const cases: readonly [string, object, BootErrorCode, string | RegExp][] = [
    [
      'with two plugins of one name',
      { plugins: [plugin(() => {}), plugin(() => {})] },
      'duplicate_plugin',
      "Plugin 'probe' is in the list twice: remove one",
    ],
    [
      'without a plugin that another requires',
      { plugins: [{ ...plugin(() => {}, 'limit'), requires: ['auth'] }] },
      'missing_plugin',
      "Plugin 'limit' requires the plugin 'auth', which is not installed: add auth() to plugins",
    ],
    [
      'without the plugin of a step',
      { endpoints: [route({ http: 'GET /a', use: [flagged], handler: () => null })] },
      'missing_plugin',
      "Route GET /a: the step 'flagged' requires the plugin 'flags', which is not installed: add flags() to plugins",
    ],
    [
      'with another plugin of that name',
      {
        plugins: [definePlugin(otherFlags, { setup: () => ({ isOn: () => true }) })],
        endpoints: [route({ http: 'GET /a', use: [flagged], handler: () => null })],
      },
      'mismatched_plugin_key',
      /^Route GET \/a: the step 'flagged' was made for another plugin 'flags' than the one installed/,
    ],
    [
      'with two owners of identity',
      { plugins: [plugin((host) => host.identify(() => null), 'a'), plugin((host) => host.identify(() => null), 'b')] },
      'duplicate_identity_owner',
      "Plugins 'a' and 'b' both own the identity: install one of them",
    ],
    [
      'with an authenticated route and no plugin that owns the identity',
      { endpoints: [route({ http: 'GET /a', access: 'authenticated', handler: () => null })] },
      'missing_identity_owner',
      "Route GET /a: it is authenticated, and no plugin identifies callers: add auth() of @twinwire/plugin-auth to plugins, or another plugin that does, or set access: 'public'",
    ],
    ...(['public', 'authenticated', undefined] as const).map((access): (typeof cases)[number] => [
      `with a step that needs an identity and no plugin that owns it: ${access}`,
      { endpoints: [route({ http: 'GET /a', ...(access && { access }), use: [needsIdentity], handler: () => null })] },
      'missing_identity_owner',
      "Route GET /a: its step 'needsIdentity' requires an identity, and no plugin identifies callers: add auth() of @twinwire/plugin-auth to plugins, or another plugin that does",
    ]),
    [
      'with a plugin that was not called',
      { plugins: [testAuth] },
      'bad_option',
      'plugins[0] is not a plugin: call it, as in plugins: [testAuth(…)]',
    ],
    [
      'with a step that needs an identity on a public route',
      {
        plugins: [testAuth()],
        endpoints: [route({ http: 'GET /a', access: 'public', use: [needsIdentity], handler: () => null })],
      },
      'conflicting_access',
      "Route GET /a is public, but its step 'needsIdentity' requires an identity: set access: 'authenticated', or remove the step",
    ],
    [
      'with two owners of the handshake',
      {
        plugins: [
          plugin((host) => host.controlFrame('a', () => ({}), {}), 'a'),
          plugin((host) => host.controlFrame('b', () => ({}), {}), 'b'),
        ],
      },
      'duplicate_handshake_owner',
      "Plugins 'a' and 'b' both own the handshake: install one of them",
    ],
    [
      'with a control frame claimed twice',
      {
        plugins: [
          plugin((host) => host.controlFrame('a', () => ({})), 'a'),
          plugin((host) => host.controlFrame('a', () => ({})), 'b'),
        ],
      },
      'duplicate_control_frame',
      "Plugins 'a' and 'b' both handle control frames of type 'a': install one of them",
    ],
    [
      'with two health checks of one name',
      {
        plugins: [
          plugin((host) => host.health('db', () => {}), 'a'),
          plugin((host) => host.health('db', () => {}), 'b'),
        ],
      },
      'duplicate_health_check',
      "Two health checks have the name 'db': rename the one of plugin 'b'",
    ],
    [
      'with one instrument twice',
      { plugins: [plugin((host) => void host.instruments.counter('ws_connections_total', ''))] },
      'duplicate_instrument',
      'The instrument ws_connections_total is declared twice',
    ],
    [
      'with an endpoint of a plugin that does not say its access',
      { plugins: [plugin((host) => host.endpoint(ok('GET /a')))] },
      'bad_route',
      "The endpoint GET /a of plugin 'probe' must state its access: 'public' or 'authenticated'",
    ],
    [
      'with an endpoint of a plugin that has no path',
      { plugins: [plugin((host) => host.endpoint(route({ access: 'public', handler: () => null })))] },
      'bad_route',
      /^An endpoint of plugin 'probe' is an endpoint without http/,
    ],
  ]
  it.each(cases)('%s', async (_name, options, code, message) => {
    expectBootError(await boot(options), code, message)
  })
})

describe('the host of a plugin', () => {
  it('is sealed once setup has ended', async () => {
    const late: (() => void)[] = []
    const app = createApp({
      pkgIds: {},
      routes: {},
      environment: 'test',
      log: createTestLogger(),
      plugins: [
        plugin((host) => {
          late.push(
            () => host.onCall(() => {}),
            () => host.onRequest(() => {}),
            () => host.onUpgradeRejected(() => {}),
            () => host.onClose(() => {}),
            () => host.identify(() => null),
            () => host.guard(guard({ name: 'x', run: () => {} })),
            () => host.endpoint(ok('GET /a')),
            () => host.health('x', () => {}),
            () => host.controlFrame('x', () => ({})),
          )
        }),
      ],
    })
    await app.ready()
    for (const register of late) {
      expect(register).toThrow("Plugin 'probe' registered something after its setup has ended: register it in setup")
    }
    await app.close()
  })

  it('knows every route from onReady on, and describes nothing before', async () => {
    const seen: string[] = []
    const app = createApp({
      pkgIds: { A: 1 },
      routes: { A: ok('GET /a') },
      environment: 'test',
      log: createTestLogger(),
      plugins: [plugin((host) => host.onReady(() => void seen.push(...host.routes.map(({ name }) => name))))],
    })
    expect(() => app.describe()).toThrow('await app.ready() before app.describe()')
    await app.ready()
    expect(seen).toEqual(expect.arrayContaining(['A', 'GET /health']))
    await app.close()
  })
})
