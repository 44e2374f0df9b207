import * as v from 'valibot'
import { describe, expect, it } from 'vitest'
import {
  type BootErrorCode,
  check,
  defineErrors,
  event,
  fromFetch,
  group,
  guard,
  interceptor,
  type Next,
  route,
} from '../index.ts'
import { boot, expectBootError, thrownBy } from '../testing/boot.fixtures.ts'

const ok = () => route({ handler: () => null })
const authenticated = () => guard({ name: 'authenticated', run: () => {} })
const exportAll = () => null
const repeating = interceptor({ name: 'repeating', mayRepeat: true, run: (_call, next: Next) => next() })
const said = event({ data: v.object({}) })

describe('an app does not boot', () => {
  const cases: readonly [string, object, BootErrorCode, string | RegExp][] = [
    [
      'with a PkgID out of range',
      { pkgIds: { A: 2 ** 31 }, routes: { A: ok() } },
      'bad_pkg_id',
      'PkgID A must be an integer from 1 to 2147483647, received 2147483648',
    ],
    [
      'with a path parameter that is not a key of the input',
      {
        pkgIds: { A: 1 },
        // Put together: of a path written in place the types say it.
        routes: {
          A: route({
            http: `GET /a/${':id' as string}` as 'GET /a',
            input: v.object({ name: v.string() }),
            handler: () => null,
          }),
        },
      },
      'unused_path_parameter',
      "Route A: the path /a/:id has the parameter 'id', which is not a key of the input: add it to the input, or remove it from the path",
    ],
    [
      'with two names for one number',
      { pkgIds: { A: 1, B: 1 }, routes: { A: ok(), B: ok() } },
      'duplicate_pkg_id',
      'PkgIDs A and B are both 1: change one of them',
    ],
    [
      'with a route that is an event too',
      { pkgIds: { A: 1 }, routes: { A: ok() }, events: { A: said } },
      'duplicate_pkg_id',
      'PkgID A is both a route and an event: keep one',
    ],
    [
      'with a PkgID that has no entry',
      { pkgIds: { A: 1 } },
      'missing_route',
      'PkgID A has no entry: add it to routes or events',
    ],
    [
      'with an entry that is not in pkgIds',
      { routes: { A: ok() } },
      'unknown_route',
      'A is not declared in pkgIds: add it, or remove the entry',
    ],
    [
      'with a route of HTTP alone among the packages',
      { routes: { EXPORT: route({ http: 'GET /export', handler: () => null }) } },
      'unknown_route',
      'EXPORT (GET /export) is not declared in pkgIds: add it, or put HTTP-only routes into endpoints',
    ],
    [
      'with a route that route() did not make',
      { pkgIds: { A: 1 }, routes: { A: {} } },
      'bad_route',
      'routes.A was not made by route(…)',
    ],
    [
      'with an event among the routes',
      { pkgIds: { A: 1 }, routes: { A: said } },
      'bad_route',
      'routes.A was not made by route(…): put events into events',
    ],
    [
      'with one event under two names',
      { pkgIds: { A: 1, B: 2 }, events: { A: said, B: said } },
      'duplicate_route',
      'Events A and B are the same definition: declare each with its own event(…)',
    ],
    ...[
      { given: { summary: 'Export', handler: () => null }, label: " ('Export')" },
      { given: { handler: exportAll }, label: ' (exportAll)' },
      { given: { summary: 'Export', handler: exportAll }, label: " ('Export', exportAll)" },
      { given: { handler: () => null }, label: '' },
    ].map(({ given, label }): (typeof cases)[number] => [
      `with an endpoint without http${label}`,
      { endpoints: [route({ http: 'GET /a', handler: () => null }), route(given)] },
      'bad_route',
      `endpoints[1]${label} is an endpoint without http: set its method and path, such as http: 'GET /export', or give it a PkgID and put it into routes`,
    ]),
    [
      'with an endpoint that is ordered',
      { endpoints: [route({ http: 'GET /a', ordered: true, handler: () => null })] },
      'bad_route',
      'endpoints[0] (GET /a) is ordered, which applies to the packages of one connection: remove it, or give the route a PkgID',
    ],
    [
      'with an endpoint that route() did not make',
      { endpoints: [undefined] },
      'bad_route',
      'endpoints[0] was not made by route(…)',
    ],
    [
      'with an event among the endpoints',
      { endpoints: [said] },
      'bad_route',
      'endpoints[0] was not made by route(…): put events into events',
    ],
    [
      'with an error that defineErrors did not make',
      { endpoints: [route({ http: 'GET /a', errors: [undefined as never], handler: () => null })] },
      'bad_option',
      'errors has an entry that defineErrors did not make: undefined',
    ],
    ...[
      {
        http: { route: 'POST /a', body: 'stream' } as const,
        message: 'Route A takes a streamed body, which cannot be a package: move it to endpoints',
      },
      {
        http: { route: 'POST /a', body: 'raw' } as const,
        message: 'Route A takes a raw body, which cannot be a package: move it to endpoints',
      },
      {
        http: { route: 'POST /a', body: 'multipart' } as const,
        message: 'Route A takes a multipart body, which cannot be a package: move it to endpoints',
      },
    ].map(({ http, message }): (typeof cases)[number] => [
      `with a package whose body is ${http.body}`,
      { pkgIds: { A: 1 }, routes: { A: route({ http, handler: () => null }) } },
      'bad_route',
      message,
    ]),
    [
      'with a package that fromFetch made',
      { pkgIds: { A: 1 }, routes: { A: fromFetch('/a', () => new Response()) } },
      'bad_route',
      'Route A mounts a fetch handler with fromFetch, which cannot be a package: move it to endpoints',
    ],
    [
      'with files that may be larger than the body, whose cap is that of the app',
      {
        http: { maxBodyBytes: 1000 },
        endpoints: [
          route({ http: { route: 'POST /a', body: 'multipart', files: { maxFileBytes: 1001 } }, handler: () => null }),
        ],
      },
      'bad_option',
      'Route POST /a: http.files.maxFileBytes must be at most http.maxBodyBytes (1000), received 1001',
    ],
    [
      'with a streamed body that a transaction may need twice',
      { endpoints: [route({ http: { route: 'POST /a', body: 'stream' }, use: [repeating], handler: () => null })] },
      'bad_route',
      "Route POST /a streams its body, which can be read once, and its interceptor 'repeating' may run the handler again: remove its retries",
    ],
    ...(
      [
        ['TRACE', 'its answer shows a page what it must not see, such as cookies and tokens'],
        ['CONNECT', 'it opens a tunnel through a proxy'],
      ] as const
    ).map(([method, why]): (typeof cases)[number] => [
      `with the method ${method}`,
      { endpoints: [route({ http: `${method} /a`, handler: () => null })] },
      'bad_path',
      `${method} /a cannot be a route: ${why}; choose another method`,
    ]),
    ...(['query', 'params'] as const).map((option): (typeof cases)[number] => [
      `with ${option} that the input does not have`,
      {
        endpoints: [
          route({
            http: { route: 'POST /a', ...(option === 'query' ? { query: ['nmae'] } : { params: { nmae: 'int' } }) },
            input: v.object({ name: v.string() }),
            handler: () => null,
          }),
        ],
      },
      'bad_route',
      `Route POST /a: http.${option} has 'nmae', which is not a key of the input: correct it, or add it to the input`,
    ]),
    [
      'with a raw body on a package',
      {
        pkgIds: { A: 1 },
        routes: {
          A: route({
            http: { route: 'POST /a', body: 'raw' },
            input: v.object({ body: v.instance(Uint8Array) }),
            handler: () => null,
          }),
        },
      },
      'bad_route',
      'Route A takes a raw body, which cannot be a package: move it to endpoints',
    ],
    [
      'with two routes on one method and path',
      {
        endpoints: [
          route({ http: 'GET /a/:id', input: v.object({ id: v.string() }), handler: () => null }),
          route({ http: 'GET /a/:name', input: v.object({ name: v.string() }), handler: () => null }),
        ],
      },
      'duplicate_path',
      'GET /a/:name and GET /a/:id are the same path: change or remove one of them',
    ],
    [
      'with a path that is none',
      { endpoints: [route({ http: 'GET /a*', handler: () => null })] },
      'bad_path',
      /^The path '\/a\*' has the segment 'a\*'/,
    ],
    [
      'with one error code twice',
      {
        errors: [
          defineErrors('b', { x: { httpStatus: 402, message: '' } }).x,
          defineErrors('b', { x: { httpStatus: 403, message: '' } }).x,
        ],
      },
      'duplicate_error_code',
      "The error code 'b.x' is defined twice: rename one, or share the definition",
    ],
  ]
  it.each(cases)('%s', async (_name, options, code, message) => {
    expectBootError(await boot(options), code, message)
  })

  it('with steps out of order', async () => {
    const one = check({ name: 'one', run: () => {} })
    const two = guard({ name: 'two', run: () => {} })
    const three = interceptor({ name: 'three', run: (_call, next: Next) => next() })
    // @ts-expect-error the type says it as well
    const first = route({ http: 'GET /a', use: [two, one, two], handler: () => null })
    // @ts-expect-error the type says it as well
    const second = route({ http: 'GET /a', use: [three, two], handler: () => null })
    expect(await boot({ endpoints: [first] })).toMatchObject({
      code: 'bad_step_order',
      message:
        "Route GET /a: the guard 'two' comes after the check 'one'; guards run before the input is read: put them first in use",
    })
    expect((await boot({ endpoints: [second] })).code).toBe('bad_step_order')
  })
})

describe('what is wrong by itself is said where it is written', () => {
  const cases: readonly [string, () => unknown, BootErrorCode, string | RegExp][] = [
    [
      'a route option that is none',
      () => route({ http: 'GET /a', handler: () => null, ouput: null } as never),
      'unknown_option',
      /^GET \/a: ouput is not an option. Did you mean 'output'\?/,
    ],
    [
      'an http option that is none',
      () => route({ http: { route: 'GET /a', statuss: 1 }, handler: () => null } as never),
      'unknown_option',
      /^GET \/a: http.statuss is not an option. Did you mean 'status'\?/,
    ],
    [
      'a route that does nothing',
      () => route({ http: 'GET /a' } as never),
      'bad_route',
      'GET /a requires either a handler or a command',
    ],
    [
      'a status that is not one of success',
      () => route({ http: { route: 'GET /a', status: 404 }, handler: () => null }),
      'bad_option',
      'GET /a: http.status must be an integer from 200 to 299, received 404',
    ],
    [
      'limits of files where there are none',
      () => route({ http: { route: 'POST /a', body: 'stream', files: { maxFiles: 1 } }, handler: () => null } as never),
      'bad_route',
      "POST /a: http.files is for body: 'multipart': remove it",
    ],
    [
      'a limit of files that is none',
      () =>
        route({ http: { route: 'POST /a', body: 'multipart', files: { maxFils: 1 } }, handler: () => null } as never),
      'unknown_option',
      /^POST \/a: http.files.maxFils is not an option. Did you mean 'maxFiles'\?/,
    ],
    [
      'a limit of files that is out of range',
      () => route({ http: { route: 'POST /a', body: 'multipart', files: { maxFiles: -1 } }, handler: () => null }),
      'bad_option',
      'POST /a: http.files.maxFiles must be an integer of at least 0, received -1',
    ],
    ...(['query', 'body', 'maxBodyBytes'] as const).map((option): (typeof cases)[number] => [
      `http.${option} where there is no body`,
      () => {
        const given = { query: ['x'], body: 'raw', maxBodyBytes: 1 } as const
        return route({ http: { route: 'GET /a', [option]: given[option] }, handler: () => null })
      },
      'bad_route',
      `GET /a: http.${option} is for methods with a body (POST, PUT, PATCH, QUERY): remove it${option === 'query' ? ', the whole query is input here' : ''}`,
    ]),
    [
      'a step that was not called',
      () => route({ http: 'GET /a', use: [authenticated] as never, handler: () => null }),
      'bad_route',
      'GET /a: use[0] is not a step: call it, as in use: [authenticated(…)]',
    ],
    [
      'a step of a group that was not called',
      () => group({ prefix: '/a', use: [authenticated] as never }, {}),
      'bad_route',
      'group(/a): use[0] is not a step: call it, as in use: [authenticated(…)]',
    ],
    [
      'a deadline out of range',
      () => route({ http: 'GET /a', deadlineMs: Number.POSITIVE_INFINITY, handler: () => null }),
      'bad_option',
      'GET /a: deadlineMs must be an integer from 0 to 86400000 (milliseconds), received Infinity',
    ],
    [
      'an access that is none, which would be open',
      () => route({ http: 'GET /a', access: 'autenticated', handler: () => null } as never),
      'bad_option',
      "GET /a: access must be 'public' or 'authenticated', received 'autenticated'",
    ],
    [
      'an error with the status of a success',
      () => defineErrors('billing', { declined: { httpStatus: 200, message: '' } }),
      'bad_option',
      'defineErrors(): billing.declined.httpStatus must be an integer from 400 to 599, received 200',
    ],
    [
      'a prefix that ends with a slash',
      () => group({ prefix: '/a/' }, {}),
      'bad_path',
      "The prefix '/a/' must not end with a slash",
    ],
  ]
  it.each(cases)('%s', (_name, write, code, message) => {
    expectBootError(thrownBy(write), code, message)
  })
})
