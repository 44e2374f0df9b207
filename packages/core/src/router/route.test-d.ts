import * as v from 'valibot'
import { describe, expectTypeOf, test } from 'vitest'
import { around, check, guard, type Next, type Wire } from '../index.ts'
import { route } from './route.ts'

const input = v.object({ id: v.number() })

describe('steps written in place', () => {
  test('fit a route with an input and add what they return', () => {
    route({
      use: [
        guard({ name: 'a', run: (call) => ({ wire1: call.wire }) }),
        guard({ name: 'b', run: () => {} }),
        check({ name: 'c', run: (given: { id: number }, call) => void [given.id, call.id] }),
        around({ name: 'd', run: (_call, next: Next<{ since: Date }>) => next({ since: new Date() }) }),
      ],
      input,
      handler: ({ id }, call) => {
        expectTypeOf(id).toEqualTypeOf<number>()
        expectTypeOf(call.wire1).toEqualTypeOf<Wire>()
        expectTypeOf(call.since).toEqualTypeOf<Date>()
      },
    })
  })

  test('a check of another input is refused', () => {
    route({
      // @ts-expect-error the route has no `name`
      use: [check({ name: 'c', run: ({ name }: { name: string }) => void name })],
      input,
      handler: () => {},
    })
  })
})

describe('http', () => {
  test('`input` gets what the query has, untyped as it came', () => {
    route({
      http: {
        route: 'GET /authors/:id',
        input: (query) => {
          expectTypeOf(query).toEqualTypeOf<Readonly<Record<string, unknown>>>()
          return query
        },
      },
      input,
      handler: () => {},
    })
  })

  test('a parameter of the path is a key of the input, in both ways to write it', () => {
    route({ http: 'GET /authors/:id', input, handler: () => {} })
    // @ts-expect-error no key `name`
    route({ http: 'GET /authors/:name', input, handler: () => {} })
    // @ts-expect-error no key `name`
    route({ http: { route: 'GET /authors/:name', status: 201 }, input, handler: () => {} })
    // @ts-expect-error no such method
    route({ http: 'FETCH /authors', input, handler: () => {} })
  })
})
