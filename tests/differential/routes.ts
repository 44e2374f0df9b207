// Routes that every app of the differential test serves, without plugins: each kind of input, of reply and of failure once.
import {
  AuthenticationError,
  type Call,
  ConflictError,
  check,
  DatabaseError,
  defineErrors,
  errorCodes,
  event,
  guard,
  InternalError,
  interceptor,
  MalformedRequestError,
  type Next,
  NotFoundError,
  OutcomeUnknownError,
  PermissionDeniedError,
  page,
  pageOf,
  RateLimitError,
  reply,
  route,
  UnavailableError,
  ValidationError,
} from '@twinwire/core'
import * as v from 'valibot'

const access = 'public'
const Author = v.object({ id: v.number(), name: v.string(), born: v.optional(v.string()) })
const Id = v.pipe(v.number(), v.integer(), v.minValue(1))

/** Turns of the event loop that an asynchronous handler waits. */
const turns = async (count: number): Promise<void> => {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve))
}

const billing = defineErrors('billing', {
  card_declined: { httpStatus: 402, message: 'The card was declined' },
  teapot: { httpStatus: 418, message: 'Short and stout', status: 3 },
})

const thrown: Readonly<Record<string, () => unknown>> = {
  malformed: () => new MalformedRequestError('broken'),
  validation: () => new ValidationError('bad', [{ path: 'a.0', message: 'is bad' }]),
  authentication: () => new AuthenticationError(undefined, { headers: { 'www-authenticate': 'Bearer realm="x"' } }),
  permission: () => new PermissionDeniedError(),
  not_found: () => new NotFoundError('No such thing', { details: { id: 7 } }),
  conflict: () => new ConflictError(undefined, { headers: { 'x-conflict': 'yes' } }),
  limit: () => new RateLimitError({ retryAfterMs: 1500, limit: 3, remaining: 0 }),
  outcome: () => new OutcomeUnknownError(),
  unavailable: () => new UnavailableError('Later'),
  database: () => new DatabaseError(),
  internal: () => new InternalError(),
  declined: () => billing.card_declined(),
  teapot: () => billing.teapot('Shorter', { details: { steam: true } }),
  cyclic: () => new NotFoundError('cyclic', { details: cyclic() }),
  error: () => new Error('secret'),
  string: () => 'a string',
  nothing: () => undefined,
}
export const errorNames: readonly string[] = Object.keys(thrown)

function cyclic(): object {
  const value: { self?: object } = {}
  value.self = value
  return value
}

const fail = (name: string): never => {
  const create = thrown[name]
  if (create === undefined) throw new NotFoundError(`No error ${name}`)
  throw create()
}

const AuthorInput = v.object({
  name: v.pipe(v.string(), v.minLength(1), v.maxLength(100)),
  page: v.pipe(v.number(), v.integer(), v.minValue(1)),
  tags: v.optional(v.array(v.string())),
})

/** Adds a header before the input is read, so that failures have it too. */
const stamp = guard({
  name: 'stamp',
  run: (call) => {
    call.replyHeaders.set('x-stamp', `${call.wire}-${call.route.name}`)
    return { stamped: true }
  },
})
const even = check({
  name: 'even',
  run: (input: { id: number }) => {
    if (input.id % 2 === 1) throw new ConflictError('odd')
  },
})
const wrapped = interceptor({
  name: 'wrapped',
  run: async (call, next: Next<{ wrapped: string }>) => {
    call.replyHeaders.append('x-wrapped', 'before')
    const result = await next({ wrapped: call.wire })
    call.replyHeaders.append('x-wrapped', 'after')
    return result
  },
})

export const noted = event({ data: v.object({ n: v.number(), text: v.string() }) })

/** What a handler can see of a request, without what differs from run to run. */
function describe(call: Call): object {
  const { wire, address, query, traceparent, headers, route: info, connection, identity } = call
  const { 'x-probe': probe, cookie, accept, 'user-agent': agent, 'x-list': list } = headers
  return {
    wire,
    address,
    query,
    traceparent,
    probe,
    cookie,
    accept,
    agent,
    list,
    route: info.name,
    ws: connection !== null,
    identity,
  }
}

/** On both wires. */
export const routes = {
  GET_AUTHOR: route({
    http: 'GET /authors/:id',
    access,
    input: v.object({ id: Id, fields: v.optional(v.string()) }),
    output: Author,
    handler: ({ id }) => ({ id, name: `Author ${id}`, secret: 'hidden' }),
  }),
  CREATE_AUTHOR: route({
    http: { route: 'POST /authors', status: 201, query: ['page'] },
    access,
    input: AuthorInput,
    output: Author,
    handler: ({ name, page: id }) => ({ name, id }),
  }),
  RENAME_AUTHOR: route({
    http: 'PUT /authors/:id',
    access,
    use: [stamp, even],
    input: v.object({ id: Id, name: v.string() }),
    handler: (input) => input,
  }),
  REMOVE_AUTHOR: route({
    http: { route: 'DELETE /authors/:id', status: 204 },
    access,
    input: v.object({ id: Id }),
    handler: ({ id }) => (id === 1 ? { ignored: true } : undefined),
  }),
  PATCH_STRICT: route({
    http: { route: 'PATCH /strict/:key', query: ['dry', 'when'] },
    access,
    input: v.strictObject({
      key: v.string(),
      dry: v.optional(v.boolean()),
      when: v.optional(v.date()),
      value: v.unknown(),
    }),
    handler: async (input) => {
      await turns(1)
      return input
    },
  }),
  LIST_AUTHORS: route({
    http: 'GET /authors',
    access,
    input: v.object({
      page: v.optional(v.number(), 1),
      per_page: v.optional(v.number(), 2),
      tags: v.optional(v.array(v.string())),
    }),
    output: pageOf(Author),
    handler: ({ page: number, per_page }) =>
      page([{ id: number, name: 'First' }], { page: number, per_page, total: 7 }),
  }),
  TRANSFORM: route({
    http: 'POST /transform',
    access,
    use: [wrapped],
    input: v.object({
      text: v.pipe(
        v.string(),
        v.trim(),
        v.transform((text) => text.length),
      ),
    }),
    output: v.object({
      length: v.pipe(
        v.number(),
        v.transform((length) => `${length} characters`),
      ),
    }),
    handler: ({ text }) => ({ length: text }),
  }),
  VALUES: route({
    http: 'GET /values',
    access,
    handler: () => ({
      date: new Date(86_400_000),
      big: 12_345_678_901_234_567_890n,
      bytes: Uint8Array.of(1, 2, 250),
      nothing: undefined,
      nan: Number.NaN,
      text: 'é\u2028"\\',
      list: [undefined, null, [1n]],
    }),
  }),
  ASYNC: route({
    http: 'POST /async/:count',
    access,
    input: v.object({
      count: v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(5)),
      value: v.optional(v.unknown()),
    }),
    handler: async ({ count, value }) => {
      await turns(count)
      return { count, value }
    },
  }),
  ORDERED: route({
    access,
    ordered: true,
    input: v.object({ count: v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(3)) }),
    handler: async ({ count }) => {
      await turns(count)
      return { count }
    },
  }),
  FAIL: route({
    http: 'GET /errors/:name',
    access,
    errors: [billing.card_declined, billing.teapot],
    use: [stamp],
    input: v.object({ name: v.string() }),
    handler: ({ name }) => fail(name),
  }),
  FAIL_LATER: route({
    http: 'POST /errors/:name',
    access,
    errors: [billing.card_declined, billing.teapot],
    input: v.object({ name: v.string() }),
    handler: async ({ name }) => {
      await turns(1)
      return fail(name)
    },
  }),
  BAD_OUTPUT: route({
    http: 'GET /bad-output',
    access,
    output: v.object({ id: v.number() }),
    // Not what the schema says: validated in this environment.
    handler: () => JSON.parse('{"id":"text"}'),
  }),
  ECHO: route({ http: 'GET /echo', access, handler: (_input, call) => describe(call) }),
  REPLY: route({
    http: 'GET /reply/:code',
    access,
    input: v.object({ code: v.number() }),
    handler: ({ code }) => reply({ code }, { status: code }),
  }),
  TEXT: route({
    http: 'GET /text',
    access,
    input: v.object({ text: v.optional(v.string(), 'plain') }),
    handler: ({ text }) => reply.text(text),
  }),
  BYTES: route({ http: 'GET /bytes', access, handler: () => reply.bytes(Uint8Array.of(0, 13, 10, 255)) }),
  JOIN: route({
    access,
    input: v.object({ topic: v.string(), leave: v.optional(v.boolean()) }),
    handler: async ({ topic, leave }, { connection }) => {
      if (leave === true) connection?.leave(topic)
      else await connection?.join(topic)
      return { topic }
    },
  }),
  PUBLISH: route({
    http: 'POST /publish',
    access,
    input: v.object({
      topic: v.string(),
      count: v.pipe(v.number(), v.maxValue(20)),
      text: v.string(),
      later: v.optional(v.boolean()),
    }),
    handler: ({ topic, count, text, later }, call) => {
      const publish = (): void => {
        for (let n = 0; n < count; n++) call.publish(topic, noted, { n, text })
      }
      if (later === true) call.afterCommit(publish)
      else publish()
      return { count }
    },
  }),
}

export const pkgIds = Object.fromEntries([...Object.keys(routes), 'NOTED'].map((name, i) => [name, i + 1]))

/** On HTTP only. */
export const endpoints = [
  route({ http: 'GET /plain', access, handler: () => ({ ok: true }) }),
  route({ http: 'GET /nothing', access, handler: () => undefined }),
  route({ http: 'POST /nothing', access, handler: () => undefined }),
  route({ http: 'GET /files/*path', access, input: v.object({ path: v.string() }), handler: (input) => input }),
  route({ http: 'GET /files/static', access, handler: () => 'static' }),
  route({ http: 'GET /rest/*', access, input: v.object({ '*': v.string() }), handler: (input) => input }),
  route({
    http: 'GET /authors/:id/books/:book',
    access,
    input: v.object({ id: v.number(), book: v.string(), flag: v.optional(v.boolean()), on: v.optional(v.date()) }),
    handler: (input) => input,
  }),
  route({
    http: { route: 'GET /mapped', input: (query) => ({ all: query }) },
    access,
    input: v.object({ all: v.record(v.string(), v.unknown()) }),
    handler: (input) => input,
  }),
  route({
    http: { route: 'POST /small', maxBodyBytes: 64 },
    access,
    input: v.object({ text: v.string() }),
    handler: (input) => input,
  }),
  route({
    http: { route: 'POST /raw', body: 'raw', maxBodyBytes: 4096 },
    access,
    input: v.object({ body: v.instance(Uint8Array) }),
    handler: ({ body }) => ({ length: body.length, first: body[0] ?? null }),
  }),
  route({ http: 'POST /ignored', access, handler: () => ({ ignored: true }) }),
  route({
    http: 'GET /headers',
    access,
    use: [stamp],
    input: v.object({ kind: v.optional(v.string()) }),
    handler: ({ kind }, call) => {
      call.replyHeaders.append('set-cookie', 'a=1; HttpOnly')
      const cookies = ['b=2', 'c=3; Path=/']
      if (kind === 'own')
        return reply({}, { headers: { 'x-frame-options': 'SAMEORIGIN', 'cache-control': 'no-store' } })
      if (kind === 'type') return reply.text('<p>', { headers: { 'content-type': 'text/html' } })
      if (kind === 'owned')
        return reply({}, { headers: { 'content-length': '999', date: 'today', connection: 'close' } })
      if (kind === 'bad') return reply({}, { headers: { 'x-bad': 'a\r\nb: c' } })
      return reply({ kind }, { status: 202, headers: { 'set-cookie': cookies, 'X-Upper': 'Case', vary: 'Accept' } })
    },
  }),
  route({ http: 'GET /stream', access, handler: () => reply.stream(['one\n', 'two\n', Uint8Array.of(51, 10)]) }),
  route({ http: 'GET /stream/empty', access, handler: () => reply.stream([], { status: 203 }) }),
  route({
    http: 'GET /stream/later',
    access,
    handler: () => reply.stream(countSlowly(4), { headers: { 'x-kind': 'later' } }),
  }),
  route({ http: 'GET /large', access, handler: () => reply.text('0123456789abcdef'.repeat(20_000)) }),
  route({
    http: 'POST /later',
    access,
    input: AuthorInput,
    handler: async (input) => {
      await turns(2)
      return input
    },
  }),
  route({
    http: 'GET /later',
    access,
    handler: async () => {
      await turns(2)
      return { later: true }
    },
  }),
]

async function* countSlowly(count: number): AsyncGenerator<string> {
  for (let i = 0; i < count; i++) {
    await turns(1)
    yield `${i}\n`
  }
}

/** Never answered by their handler. They need a clock that goes on. */
export const endless = [
  route({ http: 'GET /endless', access, deadlineMs: 20, handler: () => new Promise<never>(() => {}) }),
  route({
    http: 'POST /endless',
    access,
    deadlineMs: 20,
    input: v.object({ name: v.string() }),
    handler: (_input, { signal }) =>
      new Promise<string>((resolve) => signal.addEventListener('abort', () => resolve('too late'))),
  }),
]

export const statusCodes: readonly number[] = [
  ...new Set(Object.values(errorCodes).map(({ httpStatus }) => httpStatus)),
]
