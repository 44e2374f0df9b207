import { drizzle } from 'drizzle-orm/pglite'
import { expect, expectTypeOf, test } from 'vitest'
import type { Call, RouteInfo } from '../call/call.ts'
import type { Next, Outcome } from '../route/step.ts'
import type { Database, DatabaseApi, TransactionRequest } from './database.ts'
import { transaction, type WithDatabase, withDb } from './steps.ts'
import type { TransactionOptions } from './transaction-options.ts'

const db: Database = drizzle.mock()
const tx: Database = drizzle.mock()
const route = { name: 'WRITE' } as RouteInfo
const done = {} as Outcome

function fakeApi() {
  const requests: (TransactionRequest | undefined)[] = []
  const api: DatabaseApi = {
    db,
    hasOutbox: false,
    forCall: () => db,
    beforeCommit: () => {},
    transaction: (run, request) => {
      requests.push(request)
      return run(tx)
    },
  }
  return { api, requests }
}

type Bind = (api: DatabaseApi, route: RouteInfo) => (call: Call, next: Next<WithDatabase>) => Promise<Outcome>
const bind = (options: TransactionOptions, api: DatabaseApi) => (transaction(options).bind as Bind)(api, route)
const call = { signal: new AbortController().signal } as Call

test('withDb adds the handle of the pool on behalf of the call, without a promise', () => {
  const step = withDb()
  const calls: unknown[] = []
  const api: DatabaseApi = {
    ...fakeApi().api,
    forCall: (each) => {
      calls.push(each)
      return db
    },
  }
  const run = (step.bind as (api: DatabaseApi, route: RouteInfo) => (call: Call) => unknown)(api, route)
  expect(run(call)).toEqual({ db })
  expect(calls).toEqual([call])
  expect([step.kind, step.name, step.needs?.name]).toEqual(['guard', 'database.withDb', 'database'])
})

test('transaction is an interceptor that holds effects, and adds the handle of the transaction', async () => {
  const step = transaction()
  expect([step.kind, step.name, step.holdsEffects, step.mayRepeat]).toEqual([
    'interceptor',
    'database.transaction',
    true,
    false,
  ])
  expect(transaction({ retries: 2 }).mayRepeat).toBe(true)
  const { api, requests } = fakeApi()
  const outcome = await bind({ isolation: 'serializable', retries: 2 }, api)(call, async (adds) => {
    expect(adds.db).toBe(tx)
    return done
  })
  expect(outcome).toBe(done)
  expect(requests).toEqual([{ isolation: 'serializable', retries: 2, call }])
})

test.each([
  [{ isolation: 'snapshot' }, 'bad_option', /transaction\(\) of WRITE: isolation must be one of 'read committed'/],
  [{ readOnly: 'yes' }, 'bad_option', /readOnly/],
  [{ retries: -1 }, 'bad_option', /transaction\(\) of WRITE: retries must be an integer from 0 to 10/],
  [{ retries: 11 }, 'bad_option', /retries/],
  [{ retires: 1 }, 'unknown_option', /retires is not an option. Did you mean 'retries'\?/],
] as const)('%j is a boot error', (options: object, code, message) => {
  expect(() => bind(options, fakeApi().api)).toThrow(
    expect.objectContaining({ code, message: expect.stringMatching(message) }),
  )
})

test('both steps add a Database', () => {
  expectTypeOf<NonNullable<ReturnType<typeof withDb>['~step']>['adds']>().toEqualTypeOf<WithDatabase>()
  expectTypeOf<NonNullable<ReturnType<typeof transaction>['~step']>['adds']>().toEqualTypeOf<WithDatabase>()
})
