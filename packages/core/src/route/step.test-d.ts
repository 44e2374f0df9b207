import { describe, expectTypeOf, test } from 'vitest'
import { pluginKey } from '../base/plugin-key.ts'
import type { Call } from '../call/call.ts'
import { type AnyStep, check, guard, interceptor, type Next, type Outcome, type Step } from './step.ts'

interface User {
  readonly id: string
}
declare const user: User
declare const isKnown: boolean

describe('guard', () => {
  test('has the type of what it adds', () => {
    const plain = guard({ name: 'a', run: () => ({ user }) })
    expectTypeOf(plain).toEqualTypeOf<Step<'guard', { user: User }, Call, unknown, unknown, 'a'>>()
    const later = guard({ name: 'a', run: async () => ({ user }) })
    expectTypeOf(later).toEqualTypeOf(plain)
    const now = guard({ name: 'a', run: () => (isKnown ? { user } : Promise.resolve({ user })) })
    expectTypeOf(now).toEqualTypeOf(plain)
  })

  test('adds nothing when it returns nothing', () => {
    expectTypeOf(guard({ name: 'a', run: () => {} })).toEqualTypeOf<Step<'guard', void, Call, unknown, unknown, 'a'>>()
    expectTypeOf(guard({ name: 'a', run: async () => {} })).toEqualTypeOf<
      Step<'guard', void, Call, unknown, unknown, 'a'>
    >()
    const refusing = guard({
      name: 'a',
      run: () => {
        throw new Error('no')
      },
    })
    expectTypeOf(refusing).toExtend<AnyStep>()
  })

  test('has a typed call', () => {
    guard({ name: 'a', run: (call) => expectTypeOf(call).toEqualTypeOf<Call>() && undefined })
  })

  test('adds on every path or on none', () => {
    // @ts-expect-error nothing is added for an unknown caller
    guard({ name: 'a', run: () => (isKnown ? { user } : undefined) })
    // @ts-expect-error the same, asynchronous
    guard({ name: 'a', run: async () => (isKnown ? { user } : undefined) })
    // @ts-expect-error null is not an addition
    guard({ name: 'a', run: () => (isKnown ? { user } : null) })
    // @ts-expect-error an empty addition lacks the key
    guard({ name: 'a', run: () => (isKnown ? { user } : {}) })
    // @ts-expect-error two additions of which each lacks a key of the other
    guard({ name: 'a', run: (): { user: User } | { db: string } => (isKnown ? { user } : { db: '' }) })
    // @ts-expect-error a key that may be missing
    guard({ name: 'a', run: (): { user?: User } => ({}) })
    // @ts-expect-error a path that forgets to return
    guard({
      name: 'a',
      run: () => {
        if (isKnown) return { user }
        return
      },
    })
  })

  test('may add one of several whole additions', () => {
    const either = guard({
      name: 'a',
      run: (): { user: User; isGuest: false } | { user: null; isGuest: true } =>
        isKnown ? { user, isGuest: false } : { user: null, isGuest: true },
    })
    expectTypeOf(either).toExtend<AnyStep>()
    const orNull = guard({ name: 'a', run: () => ({ user: isKnown ? user : null }) })
    expectTypeOf(orNull).toEqualTypeOf<Step<'guard', { user: User | null }, Call, unknown, unknown, 'a'>>()
  })

  test('adds an object of a type', () => {
    // @ts-expect-error a string has no keys to add
    guard({ name: 'a', run: () => 'user' })
    // @ts-expect-error any would make the whole call any
    guard({ name: 'a', run: () => JSON.parse('{}') })
    // @ts-expect-error what is unknown cannot be added
    guard({ name: 'a', run: (): unknown => ({ user }) })
  })

  test('is bound to the API of its key', () => {
    const key = pluginKey('auth').of<{ find(id: string): User }>()
    const bound = guard({
      name: 'a',
      needs: key,
      bind: (api, route) => {
        expectTypeOf(api).toEqualTypeOf<{ find(id: string): User }>()
        expectTypeOf(route.name).toBeString()
        return (call) => {
          expectTypeOf(call).toEqualTypeOf<Call>()
          return { user: api.find(call.id) }
        }
      },
    })
    expectTypeOf(bound).toEqualTypeOf<Step<'guard', { user: User }, Call, unknown, typeof key, 'a'>>()
    // @ts-expect-error what is bound needs to know to what
    guard({ name: 'a', bind: () => () => {} })
    // @ts-expect-error a key without `bind` binds nothing
    guard({ name: 'a', needs: key, run: () => {} })
    // @ts-expect-error a guard has to run
    guard({ name: 'a' })
    // @ts-expect-error the API has no such function
    guard({ name: 'a', needs: key, bind: (api) => () => api.nope() })
  })

  test('asks by the type of its call', () => {
    const asking = guard({ name: 'a', run: (call: Call & { user: User }) => ({ userId: call.user.id }) })
    expectTypeOf(asking).toEqualTypeOf<
      Step<'guard', { userId: string }, Call & { user: User }, unknown, unknown, 'a'>
    >()
  })
})

describe('check', () => {
  test('has the type of the input it takes', () => {
    const own = check({ name: 'a', run: (input: { id: string }, call) => void [input.id, call.identity] })
    expectTypeOf(own).toEqualTypeOf<Step<'check', void, Call, { id: string }, unknown, 'a'>>()
    check({ name: 'a', run: (input) => expectTypeOf(input).toEqualTypeOf<unknown>() && undefined })
  })

  test('adds nothing', () => {
    // @ts-expect-error it runs after the input was read: there is nothing left to add for
    check({ name: 'a', run: async () => ({ user }) })
  })
})

describe('interceptor', () => {
  test('has the type of what it hands to next', () => {
    const locked = interceptor({ name: 'a', run: async (_call, next: Next<{ lock: string }>) => next({ lock: 'x' }) })
    expectTypeOf(locked).toEqualTypeOf<Step<'interceptor', { lock: string }, Call, unknown, unknown, 'a'>>()
    const spanned = interceptor({ name: 'a', run: (_call, next) => next() })
    expectTypeOf(spanned).toEqualTypeOf<Step<'interceptor', void, Call, unknown, unknown, 'a'>>()
  })

  test('returns what next resolves with', () => {
    // @ts-expect-error the end of what it wraps is not waited for
    interceptor({ name: 'a', run: async (_call, next) => void next() })
    // @ts-expect-error it wraps nothing
    interceptor({ name: 'a', run: async () => {} })
    // @ts-expect-error an outcome cannot be made up
    interceptor({ name: 'a', run: async () => ({}) })
    interceptor({
      name: 'a',
      run: async (_call, next) => {
        const outcome = await next()
        expectTypeOf(outcome).toEqualTypeOf<Outcome>()
        return outcome
      },
    })
  })

  test('hands over the whole addition', () => {
    // @ts-expect-error nothing is handed over
    interceptor({ name: 'a', run: (_call, next: Next<{ lock: string }>) => next() })
    // @ts-expect-error not what was promised
    interceptor({ name: 'a', run: (_call, next: Next<{ lock: string }>) => next({ lock: 1 }) })
    // @ts-expect-error it promised to add nothing
    interceptor({ name: 'a', run: (_call, next) => next({ lock: '' }) })
    // @ts-expect-error a key that may be missing
    interceptor({ name: 'a', run: (_call, next: Next<{ lock?: string }>) => next({}) })
  })

  test('holds effects only here', () => {
    interceptor({ name: 'a', holdsEffects: true, run: (_call, next) => next() })
    // @ts-expect-error a guard wraps nothing that could hold them
    guard({ name: 'a', holdsEffects: true, run: () => {} })
  })
})
