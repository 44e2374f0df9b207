import * as v from 'valibot'
import { describe, expectTypeOf, test } from 'vitest'
import type { Sendable } from '../base/sendable.ts'
import { event } from '../call/event.ts'
import { stream } from '../call/item-stream.ts'
import { defineErrors, type ErrorFactory } from '../errors/define-errors.ts'
import { route } from './route.ts'
import type { AnswerOf, AnswerTo, ErrorCodeOf, ItemOf, ReceivedData, SentOverHttp, SentTo } from './wire-types.ts'

describe('Sendable', () => {
  test('a date, a bigint and bytes may be text', () => {
    expectTypeOf<Sendable<Date>>().toEqualTypeOf<string | Date>()
    expectTypeOf<Sendable<bigint>>().toEqualTypeOf<string | bigint>()
    expectTypeOf<Sendable<Uint8Array>>().toEqualTypeOf<string | Uint8Array>()
    expectTypeOf<Sendable<Buffer>>().toEqualTypeOf<string | Uint8Array>()
    expectTypeOf<Sendable<Date | null | undefined>>().toEqualTypeOf<string | Date | null | undefined>()
  })

  test('at any depth, with optional and read-only keys as they are', () => {
    interface Nested {
      readonly id: bigint
      at?: Date | undefined
      list: readonly { at: Date }[]
      pair: [Date, number]
      byName: Record<string, Uint8Array>
    }
    expectTypeOf<Sendable<Nested>>().toEqualTypeOf<{
      readonly id: string | bigint
      at?: string | Date | undefined
      list: readonly { at: string | Date }[]
      pair: [string | Date, number]
      byName: Record<string, string | Uint8Array>
    }>()
    interface Tree {
      at: Date
      children: Tree[]
    }
    expectTypeOf<Sendable<Tree>['children'][number]['children'][number]['at']>().toEqualTypeOf<string | Date>()
  })

  test('does not change what JSON has', () => {
    interface Plain {
      kind: 'a' | 'b'
      count: number
      on?: boolean
      none: null
    }
    expectTypeOf<Sendable<Plain>>().toEqualTypeOf<Plain>()
    expectTypeOf<Sendable<unknown>>().toEqualTypeOf<unknown>()
    expectTypeOf<Sendable<undefined>>().toEqualTypeOf<undefined>()
    expectTypeOf<Sendable<never>>().toEqualTypeOf<never>()
    type Branded = string & { readonly __brand: 'id' }
    expectTypeOf<Sendable<Branded>>().toEqualTypeOf<Branded>()
  })

  test('what has no JSON form cannot be sent', () => {
    expectTypeOf<Sendable<Map<string, number>>>().toEqualTypeOf<never>()
    expectTypeOf<Sendable<{ set: Set<string> }>>().toEqualTypeOf<{ set: never }>()
    expectTypeOf<Sendable<() => void>>().toEqualTypeOf<never>()
  })
})

describe('a route', () => {
  const save = route({
    http: 'PUT /files/:id',
    input: v.object({ id: v.bigint(), at: v.optional(v.date(), () => new Date()), body: v.instance(Uint8Array) }),
    output: v.object({ id: v.bigint(), at: v.date() }),
    handler: ({ id, at }) => ({ id, at }),
  })

  test('takes text or values, and answers with text', () => {
    type Sent = { id: string | bigint; at?: string | Date | undefined; body: string | Uint8Array }
    expectTypeOf<SentTo<typeof save>>().toEqualTypeOf<Sent>()
    expectTypeOf<SentOverHttp<typeof save>>().toEqualTypeOf<Sent>()
    expectTypeOf<AnswerOf<typeof save>>().toEqualTypeOf<{ id: string; at: string }>()
  })

  test('without input takes nothing', () => {
    const ping = route({ handler: () => 1 })
    expectTypeOf<SentTo<typeof ping>>().toEqualTypeOf<undefined>()
  })

  test('whose input is mapped over HTTP has an answer, and items, too', () => {
    const http = { route: 'GET /mapped', input: () => ({ id: 1 }) } as const
    const input = v.object({ id: v.number() })
    const mapped = route({ http, input, output: v.object({ at: v.date() }), handler: () => ({ at: new Date() }) })
    expectTypeOf<AnswerOf<typeof mapped>>().toEqualTypeOf<{ at: string }>()
    const items = route({ http, input, output: stream(v.number()), handler: () => [1] })
    expectTypeOf<ItemOf<typeof items>>().toEqualTypeOf<number>()
  })

  test('that streams answers with items', () => {
    const tail = route({ output: stream(v.date()), handler: () => [new Date()] })
    expectTypeOf<ItemOf<typeof tail>>().toEqualTypeOf<string>()
    expectTypeOf<AnswerOf<typeof tail>>().toEqualTypeOf<never>()
    expectTypeOf<ItemOf<typeof save>>().toEqualTypeOf<never>()
  })
})

describe('errors of a route', () => {
  const shop = defineErrors('shop', {
    sold_out: { httpStatus: 409, message: 'Sold out' },
    closed: { httpStatus: 503, message: 'Closed' },
  })

  test('are known by their codes', () => {
    const one = route({ errors: [shop.sold_out], handler: () => 1 })
    const two = route.with()({ errors: [shop.sold_out, shop.closed], handler: () => 1 })
    expectTypeOf<ErrorCodeOf<typeof one>>().toEqualTypeOf<'shop.sold_out'>()
    expectTypeOf<ErrorCodeOf<typeof two>>().toEqualTypeOf<'shop.sold_out' | 'shop.closed'>()
    expectTypeOf<AnswerOf<typeof two>>().toEqualTypeOf<number>()
  })

  test('are none where none is declared', () => {
    const none = route({ handler: () => 1 })
    const empty = route({ errors: [], handler: () => 1 })
    const computed = route({ errors: Object.values<ErrorFactory>(shop), handler: () => 1 })
    expectTypeOf<ErrorCodeOf<typeof none>>().toEqualTypeOf<never>()
    expectTypeOf<ErrorCodeOf<typeof empty>>().toEqualTypeOf<never>()
    expectTypeOf<ErrorCodeOf<typeof computed>>().toEqualTypeOf<never>()
  })
})

test('an event carries its data and its answer', () => {
  const told = event({ data: v.object({ at: v.date() }) })
  const asked = event({ data: v.object({ id: v.bigint() }), answer: v.object({ until: v.date(), ok: v.boolean() }) })
  expectTypeOf<ReceivedData<typeof told>>().toEqualTypeOf<{ at: string }>()
  expectTypeOf<ReceivedData<typeof asked>>().toEqualTypeOf<{ id: string }>()
  expectTypeOf<AnswerTo<typeof asked>>().toEqualTypeOf<{ until: string | Date; ok: boolean }>()
  expectTypeOf<AnswerTo<typeof told>>().toEqualTypeOf<never>()
})
