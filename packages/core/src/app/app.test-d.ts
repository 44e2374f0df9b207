import * as v from 'valibot'
import { describe, expectTypeOf, test } from 'vitest'
import type { Jsonified } from '../base/jsonified.ts'
import { event } from '../call/event.ts'
import type { Identity } from '../call/identity.ts'
import { type EventsReply, type Reply, reply, type StreamReply } from '../call/reply.ts'
import { defineTopics } from '../hub/topic.ts'
import { group } from '../route/group.ts'
import { type Route, route } from '../route/route.ts'
import { type App, createApp } from './app.ts'

const PkgID = { GET: 1, CREATE: 2, CREATED: 100 } as const
const get = route({ input: v.object({ id: v.number() }), handler: () => ({ at: new Date() }) })
const create = route({ handler: () => 1 })
const created = event({ data: v.object({ id: v.number() }) })

describe('the table', () => {
  test('of routes and events covers every PkgID', () => {
    const app = createApp({ pkgIds: PkgID, routes: { GET: get, CREATE: create }, events: { CREATED: created } })
    expectTypeOf(app).toEqualTypeOf<App<{ GET: typeof get; CREATE: typeof create }, { CREATED: typeof created }>>()
  })

  test('may have no events, or no routes', () => {
    expectTypeOf(createApp({ pkgIds: { GET: 1 }, routes: { GET: get } })).toEqualTypeOf<
      App<{ GET: typeof get }, Record<never, never>>
    >()
    createApp({ pkgIds: { GET: 1 } as const, routes: { GET: get }, events: {} })
    createApp({ pkgIds: { CREATED: 1 }, routes: {}, events: { CREATED: created } })
    createApp({ pkgIds: {}, routes: {} })
  })

  test('needs no `as const` for its names', () => {
    const widened = { GET: 1, CREATE: 2 }
    createApp({ pkgIds: widened, routes: { GET: get, CREATE: create } })
    // @ts-expect-error CREATE has no entry
    createApp({ pkgIds: widened, routes: { GET: get } })
  })

  test('lacks nothing', () => {
    // @ts-expect-error CREATED has no entry
    createApp({ pkgIds: PkgID, routes: { GET: get, CREATE: create } })
    // @ts-expect-error CREATE has no entry
    createApp({ pkgIds: PkgID, routes: { GET: get }, events: { CREATED: created } })
    // @ts-expect-error nothing has one
    createApp({ pkgIds: PkgID, routes: {} })
  })

  test('has nothing more', () => {
    // @ts-expect-error DELETE is not declared in pkgIds
    createApp({ pkgIds: { GET: 1 }, routes: { GET: get, DELETE: create } })
    // @ts-expect-error CREATED is not declared in pkgIds
    createApp({ pkgIds: { GET: 1 }, routes: { GET: get }, events: { CREATED: created } })
    createApp({
      pkgIds: { GET: 1, CREATED: 2 },
      // @ts-expect-error CREATED is a route and an event
      routes: { GET: get, CREATED: create },
      events: { CREATED: created },
    })
  })

  test('has no route that answers with a stream', () => {
    const stream = route({ http: 'GET /a', handler: () => reply.stream(['x']) })
    const maybe = route({ http: 'GET /b', handler: async (): Promise<StreamReply | Reply<number>> => reply(1) })
    // @ts-expect-error a stream has no form as a package
    createApp({ pkgIds: { A: 1 }, routes: { A: stream } })
    // @ts-expect-error neither has one that may be one
    createApp({ pkgIds: { A: 1 }, routes: { A: maybe } })
    createApp({ pkgIds: {}, routes: {}, endpoints: [stream, maybe] })
    createApp({
      pkgIds: { LIST: 1, TEXT: 2, BYTES: 3, RECORD: 4, UNKNOWN: 5, ANY: 6 },
      routes: {
        LIST: route({ handler: () => ['x'] }),
        TEXT: route({ handler: () => 'x' }),
        BYTES: route({ handler: () => reply.bytes(new Uint8Array()) }),
        RECORD: route({ output: v.record(v.string(), v.number()), handler: () => ({}) }),
        UNKNOWN: route({ handler: (): unknown => 1 }),
        ANY: route({ handler: () => JSON.parse('1') }),
      },
    })
  })

  test('has no route that answers with server-sent events', () => {
    const source = route({ http: 'GET /a', handler: () => reply.events([]) })
    const topic = route({ http: 'GET /b', handler: async () => reply.events({ topic: 'news' }) })
    const maybe = route({ http: 'GET /c', handler: async (): Promise<EventsReply | Reply<number>> => reply(1) })
    // @ts-expect-error events of an iterable have no form as a package
    createApp({ pkgIds: { A: 1 }, routes: { A: source } })
    // @ts-expect-error neither have those of a topic
    createApp({ pkgIds: { A: 1 }, routes: { A: topic } })
    // @ts-expect-error neither has a route that may answer with them
    createApp({ pkgIds: { A: 1 }, routes: { A: maybe } })
    createApp({ pkgIds: {}, routes: {}, endpoints: [source, topic, maybe] })
  })

  test('has no route whose body is a stream', () => {
    const upload = route({ http: { route: 'POST /a', body: 'stream' }, handler: () => 1 })
    // @ts-expect-error a package is not a stream
    createApp({ pkgIds: { A: 1 }, routes: { A: upload } })
    createApp({ pkgIds: {}, routes: {}, endpoints: [upload] })
    const form = route({ http: { route: 'POST /b', body: 'multipart' }, handler: () => 1 })
    // @ts-expect-error a package has no files
    createApp({ pkgIds: { B: 1 }, routes: { B: form } })
  })

  test('has rules of topics that are typed outside of it too', () => {
    const topics = defineTopics({
      'author:*': {
        authorize: (identity, topic) => {
          expectTypeOf(identity).toEqualTypeOf<Identity | null>()
          expectTypeOf(topic).toEqualTypeOf<string>()
          return true
        },
      },
      news: { authorize: async () => true },
    })
    expectTypeOf<keyof typeof topics>().toEqualTypeOf<'author:*' | 'news'>()
    const options = { pkgIds: {}, routes: {}, topics } as const
    createApp(options)
    // @ts-expect-error a rule says whether, and not who
    defineTopics({ news: { authorize: (identity) => identity } })
    // @ts-expect-error a rule is missing
    defineTopics({ news: {} })
  })

  test('has routes where routes are, and events where events are', () => {
    // @ts-expect-error an event is not a route
    createApp({ pkgIds: { CREATED: 1 }, routes: { CREATED: created } })
    // @ts-expect-error a route is not an event
    createApp({ pkgIds: { GET: 1 }, routes: {}, events: { GET: get } })
    // @ts-expect-error a handler is not a route
    createApp({ pkgIds: { GET: 1 }, routes: { GET: () => 1 } })
    // @ts-expect-error a PkgID is a number
    createApp({ pkgIds: { GET: '1' }, routes: { GET: get } })
  })

  test('may come from groups', () => {
    const app = createApp({
      pkgIds: { GET: 1, CREATE: 2 },
      routes: { ...group({ prefix: '/a' }, { GET: get }), ...group({}, { CREATE: create }) },
    })
    expectTypeOf(app['~routes']!.GET).toEqualTypeOf<typeof get>()
    // @ts-expect-error CREATE has no entry
    createApp({ pkgIds: { GET: 1, CREATE: 2 }, routes: { ...group({ prefix: '/a' }, { GET: get }) } })
  })
})

describe('typeof app', () => {
  test('carries what a client needs', () => {
    const app = createApp({ pkgIds: { GET: 1, CREATE: 2 }, routes: { GET: get, CREATE: create } })
    type Routes = NonNullable<(typeof app)['~routes']>
    type Sees<Name extends keyof Routes> =
      Routes[Name] extends Route<infer Input, infer Output> ? [Input, Jsonified<Output>] : never
    expectTypeOf<Sees<'GET'>>().toEqualTypeOf<[{ id: number }, { at: string }]>()
    expectTypeOf<Sees<'CREATE'>>().toEqualTypeOf<[undefined, number]>()
    expectTypeOf(app).toExtend<App>()
  })

  test('carries its events', () => {
    const app = createApp({ pkgIds: PkgID, routes: { GET: get, CREATE: create }, events: { CREATED: created } })
    expectTypeOf<NonNullable<(typeof app)['~events']>>().toEqualTypeOf<{ CREATED: typeof created }>()
    expectTypeOf(app).toExtend<App>()
    expectTypeOf(app).toExtend<App<{ GET: typeof get; CREATE: typeof create }>>()
  })

  test('may be declared as any app, also without events', () => {
    const app: App = createApp({ pkgIds: { GET: 1 }, routes: { GET: get } })
    expectTypeOf(app).toExtend<App>()
  })
})

test('createApp knows its options', () => {
  const base = { pkgIds: { GET: 1 }, routes: { GET: get } }
  createApp({ ...base, endpoints: [create], environment: 'test', defaultAccess: 'public' })
  // @ts-expect-error a mistyped option
  createApp({ pkgIds: { GET: 1 }, routes: { GET: get }, pluginss: [] })
  // @ts-expect-error no such environment
  createApp({ ...base, environment: 'prod' })
  // @ts-expect-error an event is not an endpoint
  createApp({ ...base, endpoints: [created] })
})
