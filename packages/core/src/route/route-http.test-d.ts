import * as v from 'valibot'
import { describe, expectTypeOf, test } from 'vitest'
import { route } from './route.ts'
import type { HttpRouteText } from './route-types.ts'

declare const written: HttpRouteText

describe('http', () => {
  const input = v.object({ id: v.number(), name: v.string() })
  const handler = (): void => {}

  test('takes its path parameters from the keys of the input', () => {
    route({ http: 'GET /authors/:id', input, handler })
    route({ http: 'GET /authors/:id/:name', input, handler })
    route({ http: { route: 'PUT /authors/:id', status: 202 }, input, handler })
    route({ http: 'GET /authors', handler })
    route({ http: 'GET /files/*', input: v.object({ '*': v.string() }), handler })
    route({ http: 'GET /files/:id/*name', input, handler })
    // @ts-expect-error no key '*'
    route({ http: 'GET /files/*', input, handler })
    // @ts-expect-error no key 'rest'
    route({ http: 'GET /files/*rest', input, handler })
    // @ts-expect-error no key 'no'
    route({ http: 'GET /authors/:no', input, handler })
    // @ts-expect-error one of two is none
    route({ http: 'GET /authors/:id/books/:isbn', input, handler })
    // @ts-expect-error the same in an object
    route({ http: { route: 'PUT /authors/:no', status: 202 }, input, handler })
    // @ts-expect-error there is no input
    route({ http: 'GET /authors/:id', handler })
    // @ts-expect-error the same in an object
    route({ http: { route: 'GET /authors/:id' }, handler })
  })

  test('of a union has them in any of its members', () => {
    const either = v.union([v.object({ id: v.number() }), v.object({ slug: v.string(), id: v.number() })])
    route({ http: 'GET /authors/:id', input: either, handler })
    route({ http: 'GET /authors/:slug', input: either, handler })
    route({ http: 'GET /authors/:any', input: v.record(v.string(), v.string()), handler })
  })

  test('is a method and a path', () => {
    // @ts-expect-error no such method
    route({ http: 'FETCH /authors', handler })
    // @ts-expect-error a path begins with a slash
    route({ http: 'GET authors', handler })
    // @ts-expect-error no such method in an object
    route({ http: { route: 'get /authors' }, handler })
    // @ts-expect-error no such option
    route({ http: { route: 'GET /authors', statsu: 201 }, handler })
    // @ts-expect-error no such type
    route({ http: { route: 'GET /authors', params: { id: 'uuid' } }, handler })
  })

  test('maps what the wires name differently', () => {
    route({
      http: {
        route: 'GET /authors',
        input: ({ search, ...query }) => {
          expectTypeOf(search).toEqualTypeOf<unknown>()
          return { name: search, ...query }
        },
      },
      input,
      handler,
    })
  })

  test('that is known at run time only is checked then', () => {
    route({ http: `GET /${'authors' as string}/:id`, input, handler })
    route({ http: written, input, handler })
  })
})
