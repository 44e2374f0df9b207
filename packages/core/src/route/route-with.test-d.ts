import * as v from 'valibot'
import { describe, expectTypeOf, test } from 'vitest'
import type { Call } from '../call/call.ts'
import { type Route, route } from './route.ts'
import { check, guard } from './step.ts'

const NameInput = v.object({ name: v.string(), age: v.optional(v.pipe(v.string(), v.transform(Number)), '7') })
const Author = v.object({ id: v.number(), name: v.string() })
type Name = { name: string; age: number }

describe('route.with', () => {
  const admin = route.with(guard({ name: 'admin', run: () => ({ admin: { id: '' } }) }))

  test('types what the base adds', () => {
    const made = admin({
      input: NameInput,
      handler: (input, call) => {
        expectTypeOf(input).toEqualTypeOf<Name>()
        expectTypeOf(call.admin).toEqualTypeOf<{ id: string }>()
        return call.admin.id
      },
    })
    expectTypeOf(made).toEqualTypeOf<Route<{ name: string; age?: string | undefined }, string>>()
  })

  test('goes with steps of the route', () => {
    const asking = guard({
      name: 'asks',
      run: (call: Call & { admin: { id: string } }) => ({ n: call.admin.id.length }),
    })
    admin({ use: [asking], handler: (_input, { admin: { id }, n }) => [id, n] })
    // @ts-expect-error only its own routes have it
    route({ use: [asking], handler: () => {} })
  })

  test('goes on', () => {
    const more = admin
      .with(guard({ name: 'b', run: () => ({ b: 1 }) }))
      .with(guard({ name: 'c', run: () => ({ c: '' }) }))
    more({
      use: [check({ name: 'd', run: (input: { name: string }) => void input })],
      input: NameInput,
      handler: (_input, call) => {
        expectTypeOf(call.admin).toEqualTypeOf<{ id: string }>()
        expectTypeOf(call.b).toEqualTypeOf<number>()
        expectTypeOf(call.c).toEqualTypeOf<string>()
      },
    })
    // @ts-expect-error a base of it does not have what was added behind it
    admin({ handler: (_input, call) => call.b })
  })

  test('without steps is a route as ever', () => {
    expectTypeOf(route.with()({ handler: () => 1 })).toEqualTypeOf<Route<undefined, number>>()
  })

  test('keeps the errors of a route', () => {
    // @ts-expect-error no key 'no'
    admin({ http: 'GET /:no', input: NameInput, handler: () => {} })
    // @ts-expect-error wrong output
    admin({ output: Author, handler: () => 1 })
    // @ts-expect-error a mistyped option
    admin({ sumary: '', handler: () => {} })
  })
})
