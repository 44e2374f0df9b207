import * as v from 'valibot'
import { describe, expectTypeOf, test } from 'vitest'
import { createApp, event, page, pageOf, route } from '../index.ts'
import { createTestApp, createTestClient, type RawSocket } from '../testing.ts'

const Author = v.object({ id: v.number(), name: v.string(), born: v.date() })

const options = {
  pkgIds: { CREATE: 1, LIST: 2, PING: 3, FIND: 4, MAPPED: 5, CREATED: 100 },
  routes: {
    CREATE: route({
      input: v.object({ name: v.string(), year: v.optional(v.pipe(v.string(), v.transform(Number)), '1929') }),
      output: Author,
      handler: ({ name, year }) => ({ id: 1, name, born: new Date(year, 0) }),
    }),
    LIST: route({ output: pageOf(Author), handler: () => page([], { page: 1, per_page: 20, total: 0 }) }),
    PING: route({ handler: () => ({ at: new Date(), size: 1n }) }),
    MAPPED: route({
      http: { route: 'GET /mapped', input: ({ name }) => ({ filters: { name } }) },
      input: v.object({ filters: v.object({ name: v.string() }) }),
      handler: () => null,
    }),
    FIND: route({ input: v.object({ id: v.optional(v.number()) }), handler: () => null }),
  },
  events: { CREATED: event({ data: Author }) },
} as const

describe('a test client is typed by the app', () => {
  test('the input is what a caller sends, the answer what arrives', async () => {
    const { client: connect, app } = await createTestApp(options)
    const client = await connect()
    expectTypeOf(client.call('CREATE', { name: 'Ursula' })).resolves.toEqualTypeOf<{
      id: number
      name: string
      born: string
    }>()
    void client.call('CREATE', { name: 'Ursula', year: '1929' })
    // @ts-expect-error the schema takes the year as text
    void client.call('CREATE', { name: 'Ursula', year: 1929 })
    // @ts-expect-error the input is missing
    void client.call('CREATE')
    // @ts-expect-error no such route
    void client.call('NOPE')
    // @ts-expect-error an event is not a route
    void client.call('CREATED')
    expectTypeOf(createTestClient(app, {} as RawSocket).call('PING')).resolves.toEqualTypeOf<{
      at: string
      size: string
    }>()
  })

  test('a date, a bigint and bytes may be text', async () => {
    const save = route({
      http: 'PUT /files/:id',
      input: v.object({ id: v.bigint(), at: v.date(), body: v.optional(v.instance(Uint8Array)) }),
      handler: () => null,
    })
    const client = createTestClient(createApp({ pkgIds: { SAVE: 1 }, routes: { SAVE: save } }), {} as RawSocket)
    for (const send of [client.call, client.http]) {
      void send('SAVE', { id: '7', at: '2024-02-29', body: 'AQID' })
      void send('SAVE', { id: 7n, at: new Date(), body: new Uint8Array() })
      // @ts-expect-error a number may have changed on its way
      void send('SAVE', { id: 7, at: new Date() })
      // @ts-expect-error nor is it a date
      void send('SAVE', { id: '7', at: 0 })
    }
  })

  test('over HTTP it is the same call', async () => {
    const { client: connect } = await createTestApp(options)
    const client = await connect()
    expectTypeOf(client.http('CREATE', { name: 'Ursula' })).resolves.toEqualTypeOf<{
      id: number
      name: string
      born: string
    }>()
    // @ts-expect-error the schema takes the year as text
    void client.http('CREATE', { name: 'Ursula', year: 1929 })
    // @ts-expect-error the input is missing
    void client.http('CREATE')
    // @ts-expect-error no such route
    void client.http('NOPE')
    // The mapping of a route makes its input from the query, whose form only it knows.
    void client.http('MAPPED', { anything: 1 })
    void client.http('MAPPED')
    void client.call('MAPPED', { filters: { name: 'x' } })
    // @ts-expect-error over WebSocket it is the input itself
    void client.call('MAPPED', { anything: 1 })
    expectTypeOf((await client.http('LIST')).meta.has_more).toEqualTypeOf<boolean>()
  })

  test('a route without input takes none, one whose input is empty may be called without', async () => {
    const client = createTestClient(createApp(options), {} as RawSocket)
    expectTypeOf(client.call('PING')).resolves.toEqualTypeOf<{ at: string; size: string }>()
    // @ts-expect-error it has no input
    void client.call('PING', {})
    void client.call('FIND')
    void client.call('FIND', { id: 1 })
  })

  test('a page arrives as items and meta', async () => {
    const client = createTestClient(createApp(options), {} as RawSocket)
    const { items, meta } = await client.call('LIST')
    expectTypeOf(items).toEqualTypeOf<readonly { id: number; name: string; born: string }[]>()
    expectTypeOf(meta.has_more).toEqualTypeOf<boolean>()
  })

  test('events', async () => {
    const { client } = await createTestApp(options)
    expectTypeOf((await client()).nextEvent('CREATED')).resolves.toEqualTypeOf<{
      id: number
      name: string
      born: string
    }>()
    // @ts-expect-error a route is not an event
    void (await client()).nextEvent('PING')
  })
})
