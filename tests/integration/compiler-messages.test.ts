// What a reader sees of the types of routes: messages for common errors, and hovers.
import { beforeAll, describe, expect, test } from 'vitest'
import { type Compiled, compile } from '../support/compiler.ts'

const steps = `
import { type Call, check, guard, interceptor, type Next, page, pageOf, route } from '@twinwire/core'
import { transaction, type WithDatabase, withDb } from '@twinwire/core/database'
import * as v from 'valibot'
interface User { readonly id: string }
const Author = v.object({ id: v.number(), name: v.string() })
const requireUser = () => guard({ name: 'requireUser', run: (): { user: User } => ({ user: { id: '' } }) })
const limitUser = guard({ name: 'limitUser', run: (call: Call & { user: User }) => void call.user })
const ownProfile = check({
  name: 'ownProfile',
  run: async (input: { id: number }, call: Call & { user: User }) => void [input, call],
})
const ownRow = check({ name: 'ownRow', run: async (input: { id: number }, call: Call & WithDatabase) => void [input, call] })
const span = interceptor({ name: 'span', run: (_call, next: Next<{ span: string }>) => next({ span: '' }) })
const handler = (): void => {}
`

describe('the compiler names the error', () => {
  const cases: readonly [string, code: string, message: string][] = [
    [
      'a step without the one that adds what it requires',
      'route({ use: [limitUser], handler })',
      "guard 'limitUser' requires 'user', which no earlier step adds: put the step that adds it before",
    ],
    [
      'a check before the transaction whose db it requires',
      'route({ use: [ownRow, transaction()], input: Author, handler })',
      "check 'ownRow' requires 'db', which no earlier step adds: put the step that adds it before",
    ],
    [
      'the same in a base',
      'route.with(ownProfile)',
      "check 'ownProfile' requires 'user', which no earlier step adds: put the step that adds it before",
    ],
    [
      'a key of another type',
      "route({ use: [guard({ name: 'asText', run: () => ({ user: '' }) }), limitUser], handler })",
      "guard 'limitUser' requires 'user' with another type than it has on the call",
    ],
    [
      'two steps that add one key',
      "route({ use: [requireUser(), guard({ name: 'asText', run: () => ({ user: '' }) })], handler })",
      "guard 'asText' adds 'user' with another type than an earlier step",
    ],
    [
      'a key of the call itself',
      "route({ use: [guard({ name: 'own', run: () => ({ identity: null }) })], handler })",
      "guard 'own' adds 'identity', which the call itself has: choose another key",
    ],
    [
      'a guard behind an interceptor',
      'route({ use: [span, requireUser()], handler })',
      "guard 'requireUser' is behind a check or an interceptor: guards run before the input is read, put them first",
    ],
    [
      'a check on a route without input',
      'route({ use: [withDb(), ownRow], handler })',
      "check 'ownRow' takes an input, and the route has none: add `input`",
    ],
    [
      'a check of a key that the input does not have',
      'route({ use: [withDb(), ownRow], input: v.object({ name: v.string() }), handler })',
      "check 'ownRow' takes 'id' of the input, which the route's input does not have",
    ],
    [
      'a check of a key of another type',
      'route({ use: [withDb(), ownRow], input: v.object({ id: v.string() }), handler })',
      "check 'ownRow' takes 'id' of the input with another type than the route's input has",
    ],
    [
      'a list where a page is due',
      "route({ output: pageOf(Author), handler: () => [{ id: 1, name: '' }] })",
      'return page(items, meta)',
    ],
    [
      'the same, asynchronous',
      "route({ output: pageOf(Author), handler: async () => [{ id: 1, name: '' }] })",
      'return page(items, meta)',
    ],
    [
      'a page by hand',
      'const { items, meta } = page([{ id: 1, name: "" }], { page: 1, per_page: 1, total: 1 })\nroute({ output: pageOf(Author), handler: () => ({ items, meta }) })',
      '[madeByPage]',
    ],
    [
      'a path parameter without a key',
      "route({ http: 'GET /authors/:slug', input: Author, handler })",
      "the path has the parameter 'slug', which is not a key of the input",
    ],
    [
      'a step of an array',
      'route({ use: [limitUser].slice(), handler })',
      '`use` must be a tuple, written in place or `as const`',
    ],
  ]
  // One program for all: each costs seconds.
  let errors: Compiled['errors']
  beforeAll(() => {
    errors = compile([steps, ...cases.map(([, code]) => `{\n${code}\n}`)].join('\n')).errors
  })

  test.each(cases.map(([name, , message], i) => [name, i, message] as const))('%s', (_name, i, message) => {
    expect(errors[i]).toContain(message)
  })

  test('and nothing else', () => {
    expect(errors).toHaveLength(cases.length)
  })
})

describe('an editor shows', () => {
  let shown: Compiled
  beforeAll(() => {
    shown = compile(`${steps}
      export const renameAuthor = route({
        http: 'PUT /authors/:id',
        use: [requireUser(), transaction(), ownRow],
        input: Author,
        output: Author,
        handler: (author, { user, db }) => author,
      })
      export const protectedRoute = route.with(requireUser())
      export const listAuthors = protectedRoute({ output: pageOf(Author), handler: () => page([], { page: 1, per_page: 1, total: 0 }) })
    `)
  })

  test.each([
    [
      'renameAuthor',
      'const renameAuthor: Route<{ id: number; name: string; }, { id: number; name: string; }, "value", string>',
    ],
    ['listAuthors', 'const listAuthors: Route<undefined, Page<{ id: number; name: string; }>, "value", string>'],
    ['requireUser', 'const requireUser: () => Step<"guard", { user: User; }, Call, unknown, unknown, "requireUser">'],
    ['ownRow', 'const ownRow: Step<"check", void, Call & WithDatabase, { id: number; }, unknown, "ownRow">'],
    [
      'protectedRoute',
      'const protectedRoute: RouteFactory<[Step<"guard", { user: User; }, Call, unknown, unknown, "requireUser">]>',
    ],
  ])('%s in one short line', (name, hover) => {
    expect(shown.errors).toEqual([])
    expect(shown.hover(name).replace(/\s+/g, ' ')).toBe(hover)
  })
})
