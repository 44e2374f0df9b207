// A plugin as an outside author writes it: every import is a public export.
import { createApp, event, guard, PermissionDeniedError, type Plugin, route } from '@twinwire/core'
import { definePlugin, type PackageOptions, pluginKey } from '@twinwire/core/plugin'
import { createTestApp, createTestClient, createTestLogger } from '@twinwire/core/testing'
import * as v from 'valibot'
import { describe, expect, it } from 'vitest'

const presenceKey = pluginKey('presence').of<{ readonly online: Set<string> }>()

const withPresence = guard({
  name: 'presence.api',
  needs: presenceKey,
  bind: (api) => () => ({ presence: api }),
})
const nameSchema = v.object({ name: v.string() })
const cameOnline = event({ data: nameSchema, summary: 'A user came online' })
const announce = route({
  summary: 'Announce a user',
  access: 'public',
  http: 'POST /presence',
  use: [withPresence],
  input: nameSchema,
  output: v.array(v.string()),
  handler: ({ name }, call) => {
    call.presence.online.add(name)
    call.publish('presence:all', cameOnline, { name })
    return [...call.presence.online]
  },
})
const watch = route({ access: 'public', handler: (_input, call) => call.connection?.join('presence:all') })

const presence = (own: { readonly announce?: PackageOptions; readonly event?: PackageOptions } = {}): Plugin =>
  definePlugin(presenceKey, {
    setup(host) {
      host.route('ANNOUNCE', announce, own.announce ?? { pkgId: 900 })
      host.route('WATCH', watch, { pkgId: 901 })
      host.event('CAME_ONLINE', cameOnline, own.event ?? { pkgId: 902 })
      host.topics({ 'presence:*': { authorize: (_identity, topic) => topic === 'presence:all' } })
      return { online: new Set<string>() }
    },
  })
/** The types of what the plugin adds, for typed clients. */
type PresenceRoutes = { readonly 'presence.ANNOUNCE': typeof announce; readonly 'presence.WATCH': typeof watch }
type PresenceEvents = { readonly 'presence.CAME_ONLINE': typeof cameOnline }

const app = { pkgIds: { PING: 1 }, routes: { PING: route({ access: 'public', handler: () => 'pong' }) } } as const

describe('a plugin adds', () => {
  it('routes on both wires, an event and a topic, with its own PkgIDs', async () => {
    const test = await createTestApp({ ...app, plugins: [presence()] })
    const client = createTestClient<PresenceRoutes, PresenceEvents>(test.app, await test.connect())
    await client.call('presence.WATCH')
    expect(await client.call('presence.ANNOUNCE', { name: 'Ada' })).toEqual(['Ada'])
    expect(await client.nextEvent('presence.CAME_ONLINE')).toEqual({ name: 'Ada' })
    const answer = await test.request('POST /presence', { json: { name: 'Bob' } })
    expect(answer.json()).toEqual(['Ada', 'Bob'])
    expect(await client.nextEvent('presence.CAME_ONLINE')).toEqual({ name: 'Bob' })
    expect(test.app.describe()).toMatchObject({
      routes: expect.arrayContaining([
        expect.objectContaining({ name: 'presence.ANNOUNCE', pkgId: 900, http: 'POST /presence', access: 'public' }),
        expect.objectContaining({ name: 'presence.WATCH', pkgId: 901, http: null }),
      ]),
      events: [{ name: 'presence.CAME_ONLINE', pkgId: 902, summary: 'A user came online' }],
    })
    await test.close()
  })

  it('PkgIDs that the app can move, and must set where the plugin sets none', async () => {
    const plugins = [presence({ event: {} })]
    const pluginPkgIds = { presence: { ANNOUNCE: 7, CAME_ONLINE: 8 } }
    const test = await createTestApp({ ...app, plugins, pluginPkgIds })
    const { routes, events } = test.app.describe()
    expect([...routes, ...events].flatMap(({ name, pkgId }) => (pkgId === null ? [] : [[name, pkgId]]))).toEqual([
      ['PING', 1],
      ['presence.ANNOUNCE', 7],
      ['presence.WATCH', 901],
      ['presence.CAME_ONLINE', 8],
    ])
    await test.close()
  })

  it('routes that app-wide guards and instruments cover like those of the app', async () => {
    const closed = definePlugin(pluginKey('closed').of<void>(), {
      setup(host) {
        const refuse = guard({ name: 'closed', run: () => Promise.reject(new PermissionDeniedError()) })
        host.guard(refuse, { when: ({ name }) => name.startsWith('presence.') })
      },
    })
    const test = await createTestApp({ ...app, plugins: [closed, presence()] })
    const client = createTestClient<PresenceRoutes, PresenceEvents>(test.app, await test.connect())
    await expect(client.call('presence.ANNOUNCE', { name: 'Ada' })).rejects.toMatchObject({ code: 'permission_denied' })
    const cells = test.app.instruments.families().flatMap((family) => family.cells)
    expect(cells.map(({ labels }) => labels.pkg_id)).toContain('900')
    await test.close()
  })
})

describe('a boot error names both owners', () => {
  type Setup = Parameters<typeof definePlugin<'other', void>>[1]['setup']
  const other = (setup: Setup): Plugin => definePlugin(pluginKey('other').of<void>(), { setup })
  const failure = async (options: object): Promise<unknown> => {
    try {
      await createApp({ ...app, environment: 'test', log: createTestLogger(), ...options }).ready()
    } catch (error) {
      return error
    }
    return null
  }

  it.each<[string, object, string, string]>([
    [
      'of a PkgID that the app has too',
      { plugins: [presence({ announce: { pkgId: 1 } })] },
      'duplicate_pkg_id',
      "The route 'ANNOUNCE' of plugin 'presence' has the PkgID 1, which PING of the app has too: set another one with createApp({ pluginPkgIds: { 'presence': { ANNOUNCE: … } } })",
    ],
    [
      'of a PkgID that another plugin has too',
      { plugins: [presence(), other((host) => host.event('LATE', event({ data: nameSchema }), { pkgId: 900 }))] },
      'duplicate_pkg_id',
      "The event 'LATE' of plugin 'other' has the PkgID 900, which the route 'ANNOUNCE' of plugin 'presence' has too: set another one with createApp({ pluginPkgIds: { 'other': { LATE: … } } })",
    ],
    [
      'of a topic',
      { plugins: [presence()], topics: { 'presence:*': { authorize: () => true } } },
      'duplicate_topic',
      "Plugin 'presence' and createApp() both declare the topic 'presence:*': rename one",
    ],
    [
      'of an event',
      { plugins: [presence(), other((host) => host.event('SAME', cameOnline, { pkgId: 950 }))] },
      'duplicate_route',
      "The event 'SAME' of plugin 'other' is the same definition as event 'CAME_ONLINE' of plugin 'presence': call event(…) for each",
    ],
    [
      'or the plugin whose route has no PkgID',
      { plugins: [presence({ announce: {} })] },
      'bad_pkg_id',
      "The route 'ANNOUNCE' of plugin 'presence' has no PkgID: set one with createApp({ pluginPkgIds: { 'presence': { ANNOUNCE: … } } })",
    ],
    [
      'or the plugin whose route has no access',
      { plugins: [other((host) => host.route('A', route({ handler: () => 1 }), { pkgId: 9 }))] },
      'bad_route',
      "The route 'A' of plugin 'other' must state its access: 'public' or 'authenticated'",
    ],
    [
      'or the plugin that adds a name twice',
      {
        plugins: [
          other((host) => {
            host.route('A', watch, { pkgId: 9 })
            host.route('A', watch, { pkgId: 10 })
          }),
        ],
      },
      'duplicate_route',
      "Plugin 'other' adds 'A' twice: rename one",
    ],
    [
      'or the option of the app that is not a table of PkgIDs',
      { plugins: [presence()], pluginPkgIds: { presence: null } },
      'bad_option',
      'createApp(): pluginPkgIds must be PkgIDs by plugin and name, such as { presence: { WATCH: 42 } }, received an object',
    ],
    [
      'or a PkgID of the app that nothing uses',
      { plugins: [presence()], pluginPkgIds: { presence: { ANOUNCE: 5 } } },
      'unknown_option',
      "createApp(): pluginPkgIds.presence.ANOUNCE is not a route or event that plugin 'presence' adds. Known names: ANNOUNCE, WATCH, CAME_ONLINE",
    ],
  ])('%s', async (_name, options, code, message) => {
    expect(await failure(options)).toMatchObject({ code, message })
  })
})
