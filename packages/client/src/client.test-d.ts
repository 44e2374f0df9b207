import { createApp, defineErrors, event, route, stream } from '@twinwire/core'
import * as v from 'valibot'
import { describe, expectTypeOf, test } from 'vitest'
import { createClient } from './client.ts'
import type { CallErrorOf, Client, ClientOptions } from './client-types.ts'

const app = createApp({
  pkgIds: { GET: 1, LIST: 2, NOW: 3, TAIL: 4, MOVED: 10, CONFIRM: 11 },
  routes: {
    GET: route({ http: 'GET /things/:id', input: v.object({ id: v.string() }), handler: ({ id }) => ({ id }) }),
    LIST: route({ input: v.object({ text: v.optional(v.string()) }), handler: () => [new Date()] }),
    NOW: route({ handler: () => 1 }),
    TAIL: route({
      output: stream(v.number()),
      handler: async function* () {
        yield 1
      },
    }),
  },
  events: {
    MOVED: event({ data: v.object({ at: v.date() }) }),
    CONFIRM: event({ data: v.string(), answer: v.object({ accepted: v.boolean() }) }),
  },
})
const silent = createApp({ pkgIds: { NOW: 3 }, routes: { NOW: route({ handler: () => 1 }) } })

declare const client: Client<typeof app>
declare const quiet: Client<typeof silent>

test('a client needs a manifest or PkgIDs', () => {
  const pkgIds = { GET: 1 }
  const options: ClientOptions = { url: 'https://example.com' }
  expectTypeOf(createClient<typeof app>({ ...options, pkgIds })).toEqualTypeOf<Client<typeof app>>()
  // @ts-expect-error neither
  createClient<typeof app>({ url: 'https://example.com' })
  // @ts-expect-error options may have neither
  createClient<typeof app>(options)
})

describe('a call', () => {
  test('has the input and the answer of its route', () => {
    expectTypeOf(client.call('GET', { id: '1' })).resolves.toEqualTypeOf<{ id: string }>()
    // A Date is text when it arrives.
    expectTypeOf(client.call('LIST', {})).resolves.toEqualTypeOf<string[]>()
    // @ts-expect-error no such route
    void client.call('GONE', { id: '1' })
    // @ts-expect-error a number is not a string
    void client.call('GET', { id: 1 })
    // @ts-expect-error the input is missing
    void client.call('GET')
  })

  test('takes options without an input only after `undefined`', () => {
    void client.call('NOW')
    void client.call('NOW', undefined, { timeoutMs: 1 })
    void client.call('LIST')
    void client.call('LIST', undefined, { timeoutMs: 1 })
    void client.call('GET', { id: '1' }, { timeoutMs: 1, wire: 'http' })
    // @ts-expect-error options are not an input
    void client.call('NOW', { timeoutMs: 1 })
    // @ts-expect-error there is no such wire
    void client.call('NOW', undefined, { wire: 'smtp' })
  })

  test('of a streamed reply has items, and no value', () => {
    expectTypeOf(client.stream('TAIL')).toEqualTypeOf<AsyncGenerator<number, void, undefined>>()
    expectTypeOf(client.call('TAIL')).resolves.toBeNever()
    expectTypeOf(client.stream('NOW')).toEqualTypeOf<AsyncGenerator<never, void, undefined>>()
  })
})

describe('an event', () => {
  test('has its data, as JSON', () => {
    client.on('MOVED', (data) => expectTypeOf(data).toEqualTypeOf<{ at: string }>())
    // @ts-expect-error no such event
    client.on('GONE', () => {})
    expectTypeOf(client.callWithEvent('NOW', 'MOVED')).resolves.toEqualTypeOf<{
      readonly answer: number
      readonly event: { at: string }
    }>()
  })

  test('that asks has an answer, others have none', () => {
    client.answer('CONFIRM', (text) => ({ accepted: text === 'yes' }))
    // @ts-expect-error the answer has another shape
    client.answer('CONFIRM', () => true)
    // @ts-expect-error it does not ask
    client.answer('MOVED', () => ({ accepted: true }))
  })

  test('an app without events has no name of one', () => {
    expectTypeOf(quiet.call('NOW')).resolves.toBeNumber()
    // @ts-expect-error no event
    quiet.on('MOVED', () => {})
  })
})

test('an error of a call has the codes of its route', () => {
  const billing = defineErrors('billing', { card_declined: { httpStatus: 402, message: 'The card was declined' } })
  const strict = createApp({
    pkgIds: { PAY: 1 },
    routes: { PAY: route({ errors: [billing.card_declined], handler: () => 1 }) },
  })
  type Offered<Code extends string> = Extract<CallErrorOf<typeof strict, 'PAY'>['code'], Code>
  expectTypeOf<Offered<'billing.card_declined' | 'conflict' | 'timeout'>>().toEqualTypeOf<
    'billing.card_declined' | 'conflict' | 'timeout'
  >()
  expectTypeOf<Offered<'billing.unknown'>>().toBeNever()
})

test('a client with PkgIDs alone takes any name, and answers are unknown', () => {
  const loose = createClient({ url: 'http://127.0.0.1:8000', pkgIds: { GREET: 1, GREETED: 2 } })
  expectTypeOf(loose.call('GREET', { name: 'Ada' })).resolves.toBeUnknown()
  loose.on('GREETED', (data) => expectTypeOf(data).toBeUnknown())
  loose.subscribe('chat:1', { onEvent: ({ event }) => expectTypeOf(event).toBeString() })
})

test('over HTTP an input that is mapped has the fields of its query', () => {
  const mapped = createApp({
    pkgIds: { FIND: 1 },
    routes: {
      FIND: route({
        http: { route: 'GET /things', input: ({ q }) => ({ text: String(q) }) },
        input: v.object({ text: v.string() }),
        handler: () => 1,
      }),
    },
  })
  const { call } = createClient<typeof mapped>({ pkgIds: { FIND: 1 } })
  void call('FIND', { text: 'a' })
  void call('FIND', { q: 'a' }, { wire: 'http' })
  // @ts-expect-error over WebSocket it is the input of the route
  void call('FIND', { q: 'a' })
})
