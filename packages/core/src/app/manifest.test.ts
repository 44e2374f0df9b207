import * as v from 'valibot'
import { expect, it } from 'vitest'
import { pluginKey } from '../base/plugin-key.ts'
import { event } from '../call/event.ts'
import { stream } from '../call/item-stream.ts'
import { page, pageOf } from '../call/reply.ts'
import { disconnects } from '../errors/disconnect.ts'
import { definePlugin } from '../plugin/plugin.ts'
import { fromFetch } from '../route/from-fetch.ts'
import { group } from '../route/group.ts'
import { route } from '../route/route.ts'
import { createApp } from './app.ts'
import type { AppManifest } from './manifest.ts'

const Author = v.object({ id: v.number(), name: v.string() })
const Id = v.object({ id: v.number() })
const authors = {
  GET_AUTHOR: route({
    http: 'GET /authors/:id',
    input: Id,
    output: Author,
    handler: ({ id }) => ({ id, name: 'Ursula' }),
  }),
  GET_AUTHORS: route({
    http: { route: 'GET /authors', input: ({ search = '' }) => ({ name: String(search) }) },
    input: v.object({ name: v.string() }),
    output: pageOf(Author),
    handler: () => page([], { page: 1, per_page: 20, total: 0 }),
  }),
  UPDATE_AUTHOR: route({
    http: { route: 'PUT /authors/:id', query: ['version'] },
    input: v.object({ id: v.number(), version: v.number(), name: v.string() }),
    handler: (input) => input,
  }),
}
const TAIL = route({ output: stream(v.string()), handler: () => ['one'] })
const created = event({ data: Author })
const presence = definePlugin(pluginKey('presence').of<null>(), {
  setup(host) {
    host.route('WATCH', route({ access: 'public', handler: () => null }), { pkgId: 900 })
    host.event('CAME_ONLINE', event({ data: v.object({ name: v.string() }) }), { pkgId: 901 })
    host.endpoint(route({ http: 'GET /presence-metrics', access: 'public', handler: () => null }))
    return null
  },
})

function appOf(names: 'in order' | 'in another order' = 'in order') {
  const { GET_AUTHOR, GET_AUTHORS, UPDATE_AUTHOR } = group({ prefix: '/v1' }, authors)
  const pkgIds = { GET_AUTHOR: 1, GET_AUTHORS: 2, UPDATE_AUTHOR: 3, TAIL: 4, AUTHOR_CREATED: 100 } as const
  const exported = route({ http: 'GET /export', handler: () => 'all' })
  // A client could not send the body of these as an input.
  const upload = route({ http: { route: 'POST /upload', body: 'stream' }, handler: () => null })
  const mounted = fromFetch('/mounted', () => new Response())
  return createApp({
    environment: 'test',
    log: 'fatal',
    pkgIds,
    routes:
      names === 'in order'
        ? { GET_AUTHOR, GET_AUTHORS, UPDATE_AUTHOR, TAIL }
        : { TAIL, UPDATE_AUTHOR, GET_AUTHORS, GET_AUTHOR },
    events: { AUTHOR_CREATED: created },
    endpoints: [exported, upload, mounted],
    plugins: [presence],
    websocket: { path: '/socket', maxMessageBytes: 4096 },
  })
}

async function manifestOf(app: ReturnType<typeof appOf>): Promise<AppManifest> {
  await app.ready()
  const manifest = app.manifest()
  await app.close()
  return manifest
}

it('has the routes, endpoints and events that a client may use, those of plugins too', async () => {
  const { closes, ...manifest } = await manifestOf(appOf())
  expect(manifest).toEqual({
    version: 1,
    path: '/socket',
    maxMessageBytes: 4096,
    routes: {
      GET_AUTHOR: { pkgId: 1, http: 'GET /v1/authors/:id' },
      GET_AUTHORS: { pkgId: 2, http: 'GET /v1/authors', reply: 'page' },
      UPDATE_AUTHOR: { pkgId: 3, http: 'PUT /v1/authors/:id', query: ['version'], reply: 'any' },
      TAIL: { pkgId: 4, reply: 'stream' },
      'GET /export': { http: 'GET /export', reply: 'any' },
      'presence.WATCH': { pkgId: 900, reply: 'any' },
    },
    events: { AUTHOR_CREATED: { pkgId: 100 }, 'presence.CAME_ONLINE': { pkgId: 901 } },
  })
})

it('has every close code, with its reason where a code has several', async () => {
  const { closes } = await manifestOf(appOf())
  expect(closes).toHaveLength(Object.keys(disconnects).length)
  expect(closes).toContainEqual({ code: 4003, reconnect: 'with a new token' })
  expect(closes.filter(({ code }) => code === 1008)).toEqual([
    { code: 1008, reason: 'Maximum concurrent connections exceeded', reconnect: 'later' },
    { code: 1008, reason: 'Message rate limit exceeded', reconnect: 'later' },
    { code: 1008, reason: 'Too many malformed frames', reconnect: 'no' },
    { code: 1008, reason: 'Too many held frames', reconnect: 'no' },
  ])
})

it('is JSON, and the same text for another order in the source', async () => {
  const manifest = await manifestOf(appOf())
  const text = JSON.stringify(manifest)
  expect(JSON.parse(text)).toEqual(manifest)
  expect(JSON.stringify(await manifestOf(appOf('in another order')))).toBe(text)
  expect(Object.keys(manifest.routes)).toEqual(Object.keys(manifest.routes).toSorted())
})

it('throws before the app is ready: plugins can still add routes', () => {
  expect(() => appOf().manifest()).toThrow('await app.ready() before app.manifest()')
})
