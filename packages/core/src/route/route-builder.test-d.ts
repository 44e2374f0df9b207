import * as v from 'valibot'
import { describe, expectTypeOf, test } from 'vitest'
import type { AnySchema, InputOf, OutputOf } from '../base/schema.ts'
import type { Call } from '../call/call.ts'
import { type Page, page, pageOf } from '../call/reply.ts'
import { type AnyRoute, type Route, route } from './route.ts'
import type { HttpRouteText, NoSchema, RouteOf, RouteOptions } from './route-types.ts'
import { check, guard, interceptor, type Next, type Step } from './step.ts'
import type { Use } from './use.ts'

interface User {
  readonly id: string
}
interface Db {
  find(id: number): Promise<Author>
}
type Author = { id: number; name: string }
const AuthorSchema = v.object({ id: v.number(), name: v.string() })
const IdInput = v.object({ id: v.number() })
declare const db: Db

const requireUser = (_role?: string): Step<'guard', { user: User }, Call> =>
  guard({ name: 'requireUser', run: (): { user: User } => ({ user: { id: '' } }) })
const transaction = () => interceptor({ name: 'transaction', run: (_call, next: Next<{ db: Db }>) => next({ db }) })

describe('a procedure builder', () => {
  test('is a base', () => {
    const protectedRoute = route.with(requireUser())
    const inTransaction = protectedRoute.with(transaction())
    const made = inTransaction({
      input: IdInput,
      output: AuthorSchema,
      handler: ({ id }, call) => {
        expectTypeOf(call.user).toEqualTypeOf<User>()
        return call.db.find(id)
      },
    })
    expectTypeOf(made).toEqualTypeOf<Route<{ id: number }, Author>>()
  })

  test('is a function of a value', () => {
    const permitted = (role: string) => route.with(requireUser(role))
    const made = permitted('admin')({ handler: (_input, { user }) => user.id })
    expectTypeOf(made).toEqualTypeOf<Route<undefined, string>>()
  })

  test('is a base with a check, whose input each route has', () => {
    const ofOrganization = route.with(
      requireUser(),
      check({
        name: 'member',
        run: (input: { organizationId: string }, call: Call & { user: User }) => void [input, call],
      }),
    )
    ofOrganization({ input: v.object({ organizationId: v.string(), name: v.string() }), handler: ({ name }) => name })
    // @ts-expect-error no organizationId
    ofOrganization({ input: IdInput, handler: ({ id }) => id })
  })
})

describe('a function that takes what route takes', () => {
  function audited<
    const U extends Use = [],
    S extends AnySchema = NoSchema,
    R extends AnySchema = NoSchema,
    const Text extends HttpRouteText = never,
    O = unknown,
    Mapped = never,
  >(
    definition: RouteOptions<[Step<'guard', { user: User }, Call>], U, S, R, Text, O, Mapped>,
  ): RouteOf<S, R, O, Mapped> {
    return route.with(requireUser())(definition)
  }

  test('keeps what is inferred', () => {
    const made = audited({
      http: 'GET /authors/:id',
      use: [transaction()],
      input: IdInput,
      output: AuthorSchema,
      handler: ({ id }, call) => {
        expectTypeOf(id).toEqualTypeOf<number>()
        expectTypeOf(call.user).toEqualTypeOf<User>()
        return call.db.find(id)
      },
    })
    expectTypeOf(made).toEqualTypeOf<Route<{ id: number }, Author>>()
    expectTypeOf(audited({ handler: () => 1 })).toEqualTypeOf<Route<undefined, number>>()
  })

  test('keeps the errors of a route', () => {
    // @ts-expect-error wrong output
    audited({ output: AuthorSchema, handler: () => 1 })
    // @ts-expect-error no key 'no'
    audited({ http: 'GET /:no', input: IdInput, handler: () => {} })
    // @ts-expect-error a mistyped option
    audited({ sumary: '', handler: () => {} })
    // @ts-expect-error nothing adds a db
    audited({ handler: (_input, call) => call.db })
  })
})

describe('a function with options of its own', () => {
  function audited<S extends AnySchema, O>(definition: {
    readonly summary: string
    readonly input: S
    readonly handler: (input: OutputOf<S>, call: Call & { user: User; db: Db }) => Promise<O>
  }) {
    const { summary, input, handler } = definition
    return route({
      access: 'authenticated',
      summary: `Audited: ${summary}`,
      use: [requireUser(), transaction()],
      input,
      handler,
    })
  }

  test('may be generic in the input', () => {
    const made = audited({ summary: 'a', input: IdInput, handler: async ({ id }, call) => call.db.find(id) })
    expectTypeOf(made).toEqualTypeOf<Route<{ id: number }, Author>>()
  })

  test('may spread what it gets', () => {
    const logged = <S extends AnySchema, O>(definition: {
      readonly input: S
      readonly handler: (input: OutputOf<S>, call: Call & { user: User }) => O
    }) => route({ ...definition, use: [requireUser()] })
    const made = logged({ input: IdInput, handler: ({ id }) => id })
    expectTypeOf(made).toEqualTypeOf<Route<{ id: number }, number>>()
  })

  test('may be generic in the output', () => {
    const getById = <R extends AnySchema>(path: string, output: R, find: (id: number, db: Db) => Promise<InputOf<R>>) =>
      route({
        http: `GET /${path}/:id`,
        use: [transaction()],
        input: IdInput,
        output,
        handler: ({ id }, call) => find(id, call.db),
      })
    const made = getById('authors', AuthorSchema, (id, at) => at.find(id))
    expectTypeOf(made).toEqualTypeOf<Route<{ id: number }, Author>>()
    // @ts-expect-error the schema wants a name
    getById('authors', AuthorSchema, async (id) => ({ id }))
  })

  test('may be generic in the items of a page', () => {
    const list = <T extends AnySchema>(item: T, load: () => Promise<readonly InputOf<T>[]>) =>
      route({
        output: pageOf(item),
        handler: async () => {
          const items = await load()
          return page(items, { page: 1, per_page: items.length, total: items.length })
        },
      })
    const made = list(AuthorSchema, async () => [{ id: 1, name: '' }])
    expectTypeOf(made).toEqualTypeOf<Route<undefined, Page<Author>>>()
  })

  test('may be generic in both', () => {
    const made = <S extends AnySchema, R extends AnySchema>(
      input: S,
      output: R,
      handler: (input: OutputOf<S>, call: Call) => Promise<InputOf<R>>,
    ) => route({ http: 'POST /things', use: [requireUser()], input, output, handler })
    expectTypeOf(made(IdInput, AuthorSchema, async ({ id }) => ({ id, name: '' }))).toEqualTypeOf<
      Route<{ id: number }, Author>
    >()
  })
})

describe('a function over routes', () => {
  test('takes any and returns the same', () => {
    const named = <R extends AnyRoute>(made: R): R => made
    expectTypeOf(named(route({ handler: () => 1 }))).toEqualTypeOf<Route<undefined, number>>()
  })
})
