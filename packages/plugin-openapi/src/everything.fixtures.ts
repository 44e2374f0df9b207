import {
  defineErrors,
  defineTopics,
  type EventTable,
  event,
  fromFetch,
  guard,
  type Plugin,
  page,
  pageOf,
  type RouteTable,
  reply,
  route,
  stream,
  topic,
} from '@twinwire/core'
import { createTestApp, type TestApp, type TestAppOptions } from '@twinwire/core/testing'
import { limit, rateLimit } from '@twinwire/plugin-ratelimit'
import * as v from 'valibot'
import { openapi } from './openapi-plugin.ts'
import type { OpenApiOptions } from './options.ts'
import { isRecord, type Json } from './schemas/node.ts'

const Author = v.pipe(
  v.object({
    id: v.pipe(v.number(), v.integer(), v.minValue(1)),
    name: v.pipe(v.string(), v.trim(), v.minLength(1), v.maxLength(80), v.description('As it is printed')),
    born: v.nullable(v.date()),
  }),
  v.title('Author'),
  v.description('Who writes books'),
)

interface Tree {
  name: string
  children: Tree[]
}
const Tree: v.GenericSchema<Tree> = v.object({ name: v.string(), children: v.array(v.lazy(() => Tree)) })

const billing = defineErrors('billing', {
  card_declined: { httpStatus: 402, message: 'The card was declined' },
  busy: { httpStatus: 409, message: 'Another payment runs', retry: true },
})
const appErrors = defineErrors('app', { sleeping: { httpStatus: 503, message: 'The app sleeps' } })

const role = (...roles: readonly string[]) =>
  guard({ name: `roles(${roles.join()})`, demands: { roles }, identity: 'required', run: () => {} })
const anyRole = (...roles: readonly string[]) =>
  guard({ name: `anyRole(${roles.join()})`, demands: { anyRole: roles }, identity: 'required', run: () => {} })

const PkgID = { LIST: 1, PAGES: 2, PAY: 3, TREE: 4, COUNT: 5, RENAME: 6, OLD: 7, CREATED: 100, CONFIRM: 101 } as const

const routes = {
  LIST: route({
    summary: 'List authors',
    http: { route: 'GET /authors', input: ({ search, ...query }) => ({ search_term: search, ...query }) },
    use: [role('read')],
    input: v.strictObject({ search_term: v.optional(v.string()), tags: v.optional(v.array(v.string())) }),
    output: v.array(Author),
    handler: () => [],
  }),
  PAGES: route({
    http: 'GET /authors/pages',
    use: [anyRole('read', 'admin')],
    input: v.object({ page: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1)), 1) }),
    output: pageOf(Author),
    handler: () => page([], { page: 1, per_page: 10, total: 0 }),
  }),
  PAY: route({
    summary: 'Pay',
    http: { route: 'POST /bills/:id/payments', status: 201, query: ['dry_run'] },
    access: 'public',
    use: [limit('10/m'), guard({ name: 'optional', identity: 'optional', run: () => {} })],
    input: v.object({
      id: v.bigint(),
      dry_run: v.optional(v.boolean(), false),
      amount: v.pipe(v.number(), v.gtValue(0), v.examples([12.5])),
      token: v.pipe(
        v.string(),
        v.check((text) => text !== 'bad', 'Not that one'),
      ),
    }),
    output: v.object({ id: v.bigint(), receipt: v.instance(Uint8Array) }),
    errors: [billing.card_declined, billing.busy],
    deadlineMs: 5000,
    ordered: true,
    handler: ({ id }) => ({ id, receipt: new Uint8Array([1]) }),
  }),
  TREE: route({ http: 'PUT /trees', input: Tree, output: Tree, handler: (tree) => tree }),
  COUNT: route({
    http: 'GET /count/:to',
    access: 'public',
    input: v.object({ to: v.number() }),
    output: stream(v.object({ n: v.number() })),
    handler: () => [{ n: 1 }],
  }),
  RENAME: route({
    http: 'PATCH /authors/:author_id',
    input: v.variant('kind', [
      v.object({ kind: v.literal('name'), author_id: v.number(), name: v.string() }),
      v.object({ kind: v.literal('born'), author_id: v.number(), born: v.date() }),
    ]),
    handler: () => undefined,
  }),
  OLD: route({ deprecated: true, handler: () => 1 }),
}

const endpoints = [
  route({
    http: 'GET /authors/:id',
    input: v.object({ id: v.number() }),
    output: Author,
    handler: () => ({ id: 1, name: 'A', born: null }),
  }),
  route({
    http: { route: 'POST /raw', body: 'raw' },
    access: 'public',
    input: v.object({ body: v.instance(Uint8Array) }),
    handler: () => reply.text(''),
  }),
  route({
    http: { route: 'POST /upload/:album', body: 'stream' },
    access: 'public',
    input: v.object({ album: v.string(), title: v.optional(v.string()) }),
    handler: () => 1,
  }),
  route({
    http: { route: 'POST /photos', body: 'multipart', files: { maxFiles: 3 } },
    access: 'public',
    input: v.object({ title: v.string() }),
    handler: () => 1,
  }),
  route({ http: 'GET /files/*path', access: 'public', input: v.object({ path: v.string() }), handler: () => 1 }),
  route({ http: 'PURGE /cache/:key', access: 'public', input: v.object({ key: v.string() }), handler: () => 1 }),
  route({
    http: { route: 'DELETE /cache/:name', status: 204 },
    access: 'public',
    input: v.object({ name: v.string() }),
    handler: () => undefined,
  }),
  fromFetch('/legacy', () => new Response('old'), { access: 'public' }),
]

const identities: Plugin<void> = {
  name: 'identities',
  setup(host) {
    host.identify(({ headers }) => (headers.authorization === undefined ? null : { id: 'ann', name: 'Ann' }))
  },
}

/** The options of an app that has one of everything that a description can be about. */
function everything(options: OpenApiOptions) {
  return {
    pkgIds: PkgID,
    routes,
    endpoints,
    events: {
      CREATED: event({ summary: 'An author was created', data: Author }),
      CONFIRM: event({ data: v.object({ text: v.string() }), answer: v.object({ accepted: v.boolean() }) }),
    },
    topics: defineTopics({
      'authors:{id}': topic({ subscribe: true, history: { size: 10 }, presence: true, authorize: () => true }),
    }),
    errors: [appErrors.sleeping],
    plugins: [identities, rateLimit({ http: '1000/s' }), openapi(options)],
  }
}

/** Starts it. */
export function startEverything(
  options: OpenApiOptions = {},
  testOptions: TestAppOptions = {},
): Promise<Pick<TestApp<RouteTable, EventTable>, 'app' | 'address' | 'logs' | 'request' | 'close'>> {
  return createTestApp(everything(options), testOptions)
}

export function parseJson(text: string): Json {
  const value: unknown = JSON.parse(text)
  if (!isRecord(value)) throw new Error('The document is not an object')
  return value
}
