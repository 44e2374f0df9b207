import { defineErrors, defineTopics, event, guard, type Plugin, pageOf, route, topic } from '@twinwire/core'
import { createTestApp } from '@twinwire/core/testing'
import { openapi } from '@twinwire/plugin-openapi'
import { limit, rateLimit } from '@twinwire/plugin-ratelimit'
import * as v from 'valibot'

/** The documents of one release, as the app serves them. */
export interface Documents {
  readonly openapi: string
  readonly asyncapi: string
}

const identities: Plugin<void> = {
  name: 'identities',
  setup(host) {
    host.identify(({ headers }) => (headers.authorization === undefined ? null : { id: 'ann', name: 'Ann' }))
  },
}
const role = (name: string) =>
  guard({ name: `roles(${name})`, demands: { roles: [name] }, identity: 'required', run: () => {} })
const { closed } = defineErrors('shop', { closed: { httpStatus: 409, message: 'The shop is closed' } })

const Author = v.pipe(v.object({ id: v.number(), name: v.string(), born: v.optional(v.string()) }), v.title('Author'))

export async function describeOldRelease(): Promise<Documents> {
  const test = await createTestApp({
    pkgIds: { LIST: 1, CREATE: 3, REMOVE: 4, CREATED: 100, CONFIRM: 101 },
    routes: {
      LIST: route({
        http: 'GET /authors',
        access: 'public',
        input: v.object({ search: v.optional(v.string()) }),
        output: pageOf(Author),
        handler: () => Promise.reject(new Error('Only described')),
      }),
      CREATE: route({
        http: { route: 'POST /authors', status: 201 },
        use: [role('editor'), limit('10/m')],
        input: v.object({
          name: v.pipe(v.string(), v.minLength(1)),
          kind: v.optional(v.picklist(['poet', 'novelist'])),
        }),
        output: Author,
        deadlineMs: 5000,
        handler: ({ name }) => ({ id: 1, name }),
      }),
      REMOVE: route({
        http: 'DELETE /authors/:id',
        access: 'public',
        input: v.object({ id: v.number() }),
        handler: () => undefined,
      }),
    },
    events: {
      CREATED: event({ data: Author }),
      CONFIRM: event({ data: v.object({ text: v.string() }), answer: v.object({ accepted: v.boolean() }) }),
    },
    topics: defineTopics({
      'authors:{id}': topic({ subscribe: true, presence: true, authorize: () => true }),
    }),
    plugins: [identities, rateLimit(), openapi()],
  })
  return documentsOf(test)
}

/** What changed is in the names and values here; the order, and the name of a schema, do not matter. */
export async function describeNewRelease(): Promise<Documents> {
  const Person = v.pipe(
    v.object({ name: v.string(), country: v.string(), id: v.string(), born: v.optional(v.string()) }),
    v.title('Person'),
  )
  const test = await createTestApp({
    pkgIds: { CREATE: 4, LIST: 1, CREATED: 100 },
    routes: {
      CREATE: route({
        http: { route: 'POST /authors', status: 201 },
        use: [role('editor'), role('admin'), limit('5/m')],
        input: v.object({
          name: v.pipe(v.string(), v.minLength(2)),
          kind: v.optional(v.picklist(['poet'])),
          country: v.string(),
        }),
        output: Person,
        errors: [closed],
        deadlineMs: 1000,
        handler: ({ name, country }) => ({ id: '1', name, country }),
      }),
      LIST: route({
        deprecated: true,
        http: 'GET /authors',
        access: 'public',
        input: v.object({ search: v.optional(v.string()), country: v.optional(v.string()) }),
        output: pageOf(Author),
        handler: () => Promise.reject(new Error('Only described')),
      }),
    },
    events: { CREATED: event({ data: Person }) },
    topics: defineTopics({ 'authors:{author}': topic({ subscribe: true, authorize: () => true }) }),
    plugins: [identities, rateLimit(), openapi()],
  })
  return documentsOf(test)
}

interface Described {
  request(route: string): Promise<{ readonly text: string }>
  close(): Promise<void>
}

async function documentsOf({ request, close }: Described): Promise<Documents> {
  const read = async (path: string): Promise<string> => (await request(`GET ${path}`)).text
  const documents = { openapi: await read('/openapi.json'), asyncapi: await read('/asyncapi.json') }
  await close()
  return documents
}
