import * as v from 'valibot'
import { describe, expectTypeOf, test } from 'vitest'
import type { MultipartFile } from '../call/multipart-file.ts'
import type { RequestBody } from '../call/request-body.ts'
import { BaseCommand } from './command.ts'
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
    route({ http: 'PURGE /authors', handler })
    route({ http: { route: 'OPTIONS /authors', status: 204 }, handler })
    // @ts-expect-error a method is in upper case
    route({ http: 'Purge /authors', handler })
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

  test('gives a body to the handler that asks for a stream, and to no other', () => {
    route({
      http: { route: 'POST /files/:id', body: 'stream', maxBodyBytes: 1000, bodyTimeoutMs: 1000 },
      input,
      handler: ({ id }, call) => {
        expectTypeOf(id).toEqualTypeOf<number>()
        expectTypeOf(call.body).toEqualTypeOf<RequestBody>()
        return call.body.length
      },
    })
    class Store extends BaseCommand<undefined, void> {
      execute(): void {}
    }
    route({
      http: { route: 'POST /files', body: 'stream' },
      command: (call) => {
        expectTypeOf(call.body).toEqualTypeOf<RequestBody>()
        return new Store()
      },
    })
    // @ts-expect-error the body is the input
    route({ http: { route: 'POST /files', body: 'raw' }, handler: (_input, call) => call.body })
    // @ts-expect-error the same where nothing is said
    route({ http: 'POST /files', handler: (_input, call) => call.body })
    // @ts-expect-error there is no such form
    route({ http: { route: 'POST /files', body: 'streamed' }, handler })
    // @ts-expect-error nothing waits for pieces of a body that is read whole
    route({ http: { route: 'POST /files', bodyTimeoutMs: 1000 }, handler })
    // @ts-expect-error the same
    route({ http: { route: 'POST /files', body: 'raw', bodyTimeoutMs: 1000 }, handler })
  })

  test('gives files to the handler that asks for a multipart body, and to no other', () => {
    route({
      http: { route: 'POST /files/:id', body: 'multipart', bodyTimeoutMs: 1000, files: { maxFiles: 3 } },
      input,
      handler: async ({ id }, call) => {
        expectTypeOf(id).toEqualTypeOf<number>()
        expectTypeOf(call.files).toEqualTypeOf<AsyncIterable<MultipartFile>>()
        for await (const file of call.files) expectTypeOf(file.filename).toEqualTypeOf<string | null>()
        // @ts-expect-error it is read for its fields
        return call.body
      },
    })
    // @ts-expect-error the bytes of a stream are not looked at
    route({ http: { route: 'POST /files', body: 'stream' }, handler: (_input, call) => call.files })
    // @ts-expect-error a form without files
    route({ http: 'POST /files', handler: (_input, call) => call.files })
    // @ts-expect-error no such limit
    route({ http: { route: 'POST /files', body: 'multipart', files: { maxSize: 1 } }, handler })
    // @ts-expect-error a stream has no files
    route({ http: { route: 'POST /files', body: 'stream', files: { maxFiles: 1 } }, handler })
    // @ts-expect-error the same where nothing is said
    route({ http: { route: 'POST /files', files: { maxFiles: 1 } }, handler })
  })

  test('that is known at run time only is checked then', () => {
    route({ http: `GET /${'authors' as string}/:id`, input, handler })
    route({ http: written, input, handler })
  })
})
