import * as v from 'valibot'
import { describe, expectTypeOf, test } from 'vitest'
import type { Call } from '../call/call.ts'
import { group } from './group.ts'
import { type Route, route } from './route.ts'
import { type AnyStep, check, guard, interceptor } from './step.ts'

const purge = route({ http: 'POST /purge', handler: () => 1 })
const rename = route({ http: 'PUT /:id', input: v.object({ id: v.string(), tenant: v.string() }), handler: () => '' })
const limit = guard({ name: 'limit', run: () => {} })

describe('group', () => {
  test('keeps every route as it is', () => {
    const routes = group({ prefix: '/admin', use: [limit] }, { PURGE: purge, RENAME: rename })
    expectTypeOf(routes.PURGE).toEqualTypeOf<Route<undefined, number>>()
    expectTypeOf(routes.RENAME).toEqualTypeOf<Route<{ id: string; tenant: string }, string>>()
    expectTypeOf(group({}, { PURGE: purge })).toEqualTypeOf<{ readonly PURGE: typeof purge }>()
    // @ts-expect-error no such route
    void routes.NOPE
  })

  test('takes its parameters from the input of each route', () => {
    group({ prefix: '/tenants/:tenant' }, { RENAME: rename })
    // @ts-expect-error this one has no tenant
    group({ prefix: '/tenants/:tenant' }, { PURGE: purge })
  })

  test('keeps the rules of a list of steps', () => {
    const asking = guard({ name: 'asks', run: (call: Call & { user: string }) => void call.user })
    // @ts-expect-error nothing adds a user
    group({ use: [asking] }, { PURGE: purge })
    // @ts-expect-error an interceptor before a guard
    group({ use: [interceptor({ name: 'a', run: (_call, next) => next() }), limit] }, { PURGE: purge })
    // @ts-expect-error an array of unknown length
    group({ use: [] as AnyStep[] }, { PURGE: purge })
    group({ use: [check({ name: 'a', run: (input) => void input })] }, { PURGE: purge })
    // @ts-expect-error a check of one input for many routes
    group({ use: [check({ name: 'a', run: (input: { id: string }) => void input })] }, { RENAME: rename })
  })

  test('has a prefix that is a path', () => {
    // @ts-expect-error it begins with a slash
    group({ prefix: 'admin' }, { PURGE: purge })
    // @ts-expect-error no such option
    group({ prefx: '/admin' }, { PURGE: purge })
    // @ts-expect-error only routes
    group({}, { PURGE: () => 1 })
  })
})
