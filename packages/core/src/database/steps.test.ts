import { drizzle } from 'drizzle-orm/pglite'
import { expect, expectTypeOf, test } from 'vitest'
import type { Call, RouteInfo } from '../call/call.ts'
import { DeadlineExceededError } from '../errors/app-error.ts'
import type { Next, Outcome } from '../pipeline/step.ts'
import type { Database, DatabaseApi } from './database.ts'
import { transaction, type WithDatabase, withDb } from './steps.ts'
import { runInTransaction } from './transaction.ts'

const db: Database = drizzle.mock()
const tx: Database = drizzle.mock()
const route = {} as RouteInfo
const done = {} as Outcome

/** A database of which only the ends of transactions show. */
function fakeApi(commit: () => Promise<void> = async () => {}) {
  const log: string[] = []
  const begin = async <T>(run: (tx: Database) => Promise<T>): Promise<T> => {
    log.push('begin')
    try {
      const result = await run(tx)
      await commit()
      log.push('commit')
      return result
    } catch (error) {
      log.push('rollback')
      throw error
    }
  }
  const api: DatabaseApi = { db, transaction: (run) => runInTransaction(begin, run) }
  return { api, log }
}

function bound(api: DatabaseApi) {
  const bind = transaction().bind as (
    api: DatabaseApi,
    route: RouteInfo,
  ) => (call: Call, next: Next<WithDatabase>) => Promise<Outcome>
  return bind(api, route)
}

function fakeCall(): { call: Call; abort: (reason?: unknown) => void } {
  const controller = new AbortController()
  return { call: { signal: controller.signal } as Call, abort: (reason) => controller.abort(reason) }
}

test('withDb adds the handle of the pool, without a promise', () => {
  const step = withDb()
  const run = (step.bind as (api: DatabaseApi, route: RouteInfo) => () => unknown)(fakeApi().api, route)
  expect(run()).toEqual({ db })
  expect([step.kind, step.name, step.needs?.name]).toEqual(['guard', 'database.withDb', 'database'])
})

test('transaction is an around that holds effects, and adds the handle of the transaction', async () => {
  const step = transaction()
  expect([step.kind, step.name, step.holdsEffects]).toEqual(['around', 'database.transaction', true])
  const { api, log } = fakeApi()
  const outcome = await bound(api)(fakeCall().call, async (adds) => {
    expect(adds.db).toBe(tx)
    log.push('handler')
    return done
  })
  expect(outcome).toBe(done)
  expect(log).toEqual(['begin', 'handler', 'commit'])
})

test('an error of the handler rolls back and passes as it is', async () => {
  const { api, log } = fakeApi()
  const mine = new Error('mine')
  await expect(bound(api)(fakeCall().call, () => Promise.reject(mine))).rejects.toBe(mine)
  expect(log).toEqual(['begin', 'rollback'])
})

test('a call that ended meanwhile is rolled back, with the reason it ended for', async () => {
  const { api, log } = fakeApi()
  const { call, abort } = fakeCall()
  const late = new DeadlineExceededError(30_000)
  const run = bound(api)(call, async () => {
    abort(late)
    return done
  })
  await expect(run).rejects.toBe(late)
  expect(log).toEqual(['begin', 'rollback'])
})

test('a call that ended while it waited for a connection never runs', async () => {
  const { api, log } = fakeApi()
  const { call, abort } = fakeCall()
  abort()
  const run = bound(api)(call, () => expect.fail('must not run'))
  await expect(run).rejects.toMatchObject({ code: 'unavailable', cause: call.signal.reason })
  expect(log).toEqual(['begin', 'rollback'])
})

test('a commit that fails is an error of the database', async () => {
  const lost = Object.assign(new Error('write CONNECTION_CLOSED'), { code: 'CONNECTION_CLOSED' })
  const { api } = fakeApi(() => Promise.reject(lost))
  await expect(bound(api)(fakeCall().call, async () => done)).rejects.toMatchObject({
    code: 'unavailable',
    cause: lost,
  })
  const refused = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' })
  const api2: DatabaseApi = { db, transaction: (run) => runInTransaction(() => Promise.reject(refused), run) }
  await expect(bound(api2)(fakeCall().call, async () => done)).rejects.toMatchObject({ code: 'unavailable' })
})

test('both steps add a Database', () => {
  expectTypeOf<NonNullable<ReturnType<typeof withDb>['~step']>['adds']>().toEqualTypeOf<WithDatabase>()
  expectTypeOf<NonNullable<ReturnType<typeof transaction>['~step']>['adds']>().toEqualTypeOf<WithDatabase>()
})
