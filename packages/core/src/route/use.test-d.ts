import * as v from 'valibot'
import { describe, expectTypeOf, test } from 'vitest'
import { type PluginKey, pluginKey } from '../base/plugin-key.ts'
import type { Call, Wire } from '../call/call.ts'
import { route } from './route.ts'
import { type AnyStep, check, guard, interceptor, type Next, type Step } from './step.ts'
import type { AddsOf, Use } from './use.ts'

interface User {
  readonly id: string
}
interface Db {
  query(text: string): Promise<string>
}
declare const user: User
declare const db: Db

const requireUser = () => guard({ name: 'user', run: () => ({ user }) })
const withDb = () => guard({ name: 'db', run: () => ({ db }) })
const limit = () => guard({ name: 'limit', run: () => {} })
const transaction = () => interceptor({ name: 'tx', run: (_call, next: Next<{ db: Db }>) => next({ db }) })
const ownAuthor = () =>
  check({ name: 'own', run: async (input: { id: string }, call: Call & { db: Db }) => void [input, call] })
const handler = (): void => {}

describe('what steps add', () => {
  test('is typed on that route, and only there', () => {
    route({
      use: [requireUser(), limit(), transaction()],
      handler: (_input, call) => {
        expectTypeOf(call).not.toBeAny()
        expectTypeOf(call.user).toEqualTypeOf<User>()
        expectTypeOf(call.db).toEqualTypeOf<Db>()
        expectTypeOf(call.wire).toEqualTypeOf<'ws' | 'http'>()
      },
    })
    route({
      use: [limit()],
      handler: (_input, call) => {
        expectTypeOf(call).toEqualTypeOf<Call>()
        // @ts-expect-error no user without the step that adds one
        void call.user
      },
    })
    route({
      handler: (_input, call) => {
        expectTypeOf(call).toEqualTypeOf<Call>()
        // @ts-expect-error nothing adds a database
        void call.db
      },
    })
  })

  test('stays one of several when the step says so, and narrows', () => {
    const optional = guard({
      name: 'optional',
      run: (): { user: User; isGuest: false } | { user: null; isGuest: true } => ({ user: null, isGuest: true }),
    })
    route({ use: [optional], handler: (_input, call) => (call.isGuest ? '' : call.user.id) })
    route({ use: [optional], handler: (_input, { isGuest, user }) => (isGuest ? '' : user.id) })
    // @ts-expect-error isGuest was not checked
    route({ use: [optional], handler: (_input, call) => call.user.id })
  })

  test('AddsOf', () => {
    expectTypeOf<AddsOf<[]>>().toEqualTypeOf<unknown>()
    const list = [requireUser(), limit(), transaction()] as const
    expectTypeOf<AddsOf<typeof list>>().toEqualTypeOf<{ user: User } & { db: Db }>()
  })

  test('a guard that always refuses adds nothing', () => {
    const closed = guard({
      name: 'closed',
      run: () => {
        throw new Error('closed')
      },
    })
    route({
      use: [closed, requireUser()],
      handler: (_input, call) => expectTypeOf(call.user).toEqualTypeOf<User>() && undefined,
    })
  })
})

describe('steps written in place', () => {
  test('fit a route with an input and add what they return', () => {
    route({
      use: [
        guard({ name: 'a', run: (call) => ({ wire1: call.wire }) }),
        guard({ name: 'b', run: () => {} }),
        check({ name: 'c', run: (given: { id: number }, call) => void [given.id, call.id] }),
        interceptor({ name: 'd', run: (_call, next: Next<{ since: Date }>) => next({ since: new Date() }) }),
      ],
      input: v.object({ id: v.number() }),
      handler: ({ id }, call) => {
        expectTypeOf(id).toEqualTypeOf<number>()
        expectTypeOf(call.wire1).toEqualTypeOf<Wire>()
        expectTypeOf(call.since).toEqualTypeOf<Date>()
      },
    })
  })

  test('a check of another input is refused', () => {
    route({
      // @ts-expect-error the route has no `name`
      use: [check({ name: 'c', run: ({ name }: { name: string }) => void name })],
      input: v.object({ id: v.number() }),
      handler: () => {},
    })
  })
})

describe('two steps that add one key', () => {
  test('of one type: the later wins', () => {
    route({
      use: [withDb(), ownAuthor(), transaction()],
      input: v.object({ id: v.string() }),
      handler: (_input, call) => expectTypeOf(call.db).toEqualTypeOf<Db>() && undefined,
    })
  })

  test('of different types do not go together', () => {
    const other = guard({ name: 'other', run: () => ({ db: 'a database' }) })
    // @ts-expect-error two steps add 'db' with different types
    route({ use: [withDb(), other], handler })
    const wider = guard({ name: 'wider', run: (): { db: Db | null } => ({ db }) })
    // @ts-expect-error the later one may be null
    route({ use: [withDb(), wider], handler })
    // @ts-expect-error nor in the other order
    route({ use: [wider, transaction()], handler })
  })

  test('of different types do not go together across a base', () => {
    const other = guard({ name: 'other', run: () => ({ db: 'a database' }) })
    const based = route.with(withDb())
    // @ts-expect-error two steps add 'db' with different types
    based({ use: [other], handler })
    // @ts-expect-error the same in a further base
    based.with(other)
  })
})

describe('keys of the call', () => {
  test('are reserved', () => {
    // @ts-expect-error 'identity' is a key of the call itself
    route({ use: [guard({ name: 'a', run: () => ({ identity: null }) })], handler })
    const log = interceptor({ name: 'a', run: (_call, next: Next<{ log: string }>) => next({ log: '' }) })
    // @ts-expect-error so is 'log', in an interceptor
    route({ use: [log], handler })
    const either = guard({ name: 'a', run: (): { id: string; a: 1 } | { id: string; a: 2 } => ({ id: '', a: 1 }) })
    // @ts-expect-error in each of several additions
    route({ use: [either], handler })
  })

  test('that core works with are reserved too', () => {
    // @ts-expect-error 'services' is a key that core uses on the call
    route({ use: [guard({ name: 'a', run: () => ({ services: 1 }) })], handler })
  })
})

describe('the list', () => {
  test('is a tuple', () => {
    const steps: Step<'guard', { user: User }, Call, unknown>[] = [requireUser()]
    // @ts-expect-error an array of unknown length loses what its steps add
    route({ use: steps, handler })
    // @ts-expect-error the same of any steps
    route({ use: [] as AnyStep[], handler })
    // @ts-expect-error the same of a Use
    route({ use: [] as Use, handler })
    // @ts-expect-error one that begins as a tuple and ends as an array
    route({ use: [requireUser(), ...steps], handler })
    // @ts-expect-error the same for a base
    route.with(...steps)
    const shared = [requireUser(), limit()] as const
    route({ use: shared, handler: (_input, call) => expectTypeOf(call.user).toEqualTypeOf<User>() && undefined })
    route({
      use: [...shared, transaction()],
      handler: (_input, call) => expectTypeOf(call.db).toEqualTypeOf<Db>() && undefined,
    })
    route({ use: [], handler: (_input, call) => expectTypeOf(call).toEqualTypeOf<Call>() && undefined })
  })

  test('has its guards first', () => {
    const anyInput = check({ name: 'any', run: () => {} })
    route({ use: [limit(), anyInput, transaction(), transaction()], handler })
    route({ use: [transaction(), anyInput, transaction(), anyInput], handler })
    // @ts-expect-error a guard behind a check
    route({ use: [anyInput, limit()], handler })
    // @ts-expect-error a guard behind an interceptor
    route({ use: [transaction(), limit()], handler })
    const based = route.with(transaction())
    // @ts-expect-error a guard behind the interceptor of its base
    based({ use: [limit()], handler })
    // @ts-expect-error the same in a further base
    based.with(limit())
  })
})

describe('what steps ask for', () => {
  test('an earlier step has to add', () => {
    const asking = guard({ name: 'asks', run: (call: Call & { user: User }) => void call.user })
    route({ use: [requireUser(), asking], handler })
    route.with(requireUser())({ use: [asking], handler })
    // @ts-expect-error nothing adds a user
    route({ use: [asking], handler })
    // @ts-expect-error a later step is too late
    route({ use: [asking, requireUser()], handler })
    // @ts-expect-error nor does a base have one
    route.with(limit())({ use: [asking], handler })
    // @ts-expect-error the same for a base
    route.with(asking)
    const askingElse = interceptor({ name: 'asks', run: (_call: Call & { user: string }, next) => next() })
    // @ts-expect-error a user of another type
    route({ use: [requireUser(), askingElse], handler })
  })

  test('a check takes what validation gives', () => {
    route({ use: [withDb(), ownAuthor()], input: v.object({ id: v.string(), name: v.string() }), handler })
    // @ts-expect-error the input has no id
    route({ use: [withDb(), ownAuthor()], input: v.object({ name: v.string() }), handler })
    // @ts-expect-error the id is a number
    route({ use: [withDb(), ownAuthor()], input: v.object({ id: v.number() }), handler })
    // @ts-expect-error there is no input
    route({ use: [withDb(), ownAuthor()], handler })
    const transformed = v.object({ id: v.pipe(v.string(), v.transform(Number)) })
    // @ts-expect-error what the check sees is a number
    route({ use: [withDb(), ownAuthor()], input: transformed, handler })
  })

  test('a check may follow the interceptor that adds it', () => {
    const input = v.object({ id: v.string() })
    route({ use: [transaction(), ownAuthor()], input, handler })
    route.with(transaction())({ use: [ownAuthor()], input, handler })
    route.with(transaction(), ownAuthor())({ input, handler })
    // @ts-expect-error before it there is no db
    route({ use: [ownAuthor(), transaction()], input, handler })
    // @ts-expect-error the input has no id
    route.with(transaction(), ownAuthor())({ input: v.object({ name: v.string() }), handler })
  })

  test('a check of a base takes what each of its routes has', () => {
    const based = route.with(withDb(), ownAuthor())
    based({ input: v.object({ id: v.string() }), handler })
    // @ts-expect-error the input has no id
    based({ input: v.object({ name: v.string() }), handler })
    // @ts-expect-error there is no input
    based({ handler })
  })
})

describe('plugin keys', () => {
  const key = pluginKey('auth').of<{ a(): void }>()
  const same = pluginKey('auth').of<{ a(): void }>()
  const other = pluginKey('auth').of<{ b(): void }>()
  const more = pluginKey('auth').of<{ a(): void; b(): void }>()
  const step = <Api>(needs: PluginKey<'auth', Api>) => guard({ name: 'a', needs, bind: () => () => {} })

  test('of one name stand for one API', () => {
    route({ use: [step(key), step(same)], handler })
    // @ts-expect-error two keys of one name with different APIs
    route({ use: [step(key), step(other)], handler })
    // @ts-expect-error one that offers more is another one too
    route({ use: [step(key), step(more)], handler })
    // @ts-expect-error across a base
    route.with(step(key))({ use: [step(other)], handler })
    // @ts-expect-error with steps between them
    route({ use: [step(key), limit(), requireUser(), step(other)], handler })
  })

  test('of different names have nothing to do with one another', () => {
    const elsewhere = guard({ name: 'b', needs: pluginKey('else').of<{ b(): void }>(), bind: () => () => {} })
    route({ use: [step(key), elsewhere], handler })
  })
})
