import { drizzle } from 'drizzle-orm/pglite'
import * as v from 'valibot'
import { expect, expectTypeOf, test } from 'vitest'
import { systemClock } from '../../base/clock.ts'
import { Instruments } from '../../base/instruments.ts'
import { check, guard, interceptor, type Next, reply, route, stream } from '../../index.ts'
import { definePlugin } from '../../plugin/plugin.ts'
import { createTestLogger } from '../../testing/test-logger.ts'
import { createTestApp, fakeIdentity } from '../../testing.ts'
import { type Database, type DatabaseApi, databaseKey } from '../database.ts'
import { FirstStatements } from '../drivers/first-statement.ts'
import { transaction } from '../steps.ts'
import { Once, setOnce } from './once.ts'
import { once } from './once-step.ts'

const db: Database = drizzle.mock()

/** The plugin of the database without one: no route is called here. */
function fakeDatabase() {
  return definePlugin(databaseKey, {
    setup() {
      const api: DatabaseApi = {
        db,
        hasOutbox: false,
        forCall: () => db,
        beforeCommit: () => {},
        transaction: (run) => run(db),
      }
      const services = { db, clock: systemClock, log: createTestLogger(), instruments: new Instruments() }
      setOnce(api, new Once({ ...services, firstStatements: new FirstStatements() }))
      return api
    },
  })
}

const day = 86_400_000
const input = v.object({ id: v.number() })
const handler = () => 1
const own = check({ name: 'own', run: () => {} })
const plain = interceptor({ name: 'plain', run: (_call, next: Next) => next() })
const keyed = once({ retention: day })

test.each([
  ['no transaction()', { use: [keyed] }, 'bad_step_order', /needs a transaction\(\): write it directly behind/],
  ['a check between', { use: [keyed, own, transaction()] }, 'bad_step_order', /needs a transaction\(\)/],
  ['an interceptor between', { use: [keyed, plain, transaction()] }, 'bad_step_order', /directly behind once\(\)/],
  ['the other order', { use: [transaction(), keyed] }, 'bad_step_order', /needs a transaction\(\)/],
  ['one inside', { use: [transaction(), keyed, transaction()] }, 'bad_step_order', /inside of 'database.transaction'/],
  [
    'a check before',
    { use: [own, keyed, transaction()] },
    'bad_step_order',
    /'own' is before once\(\).*behind transact/,
  ],
  ['a check before, inside', { use: [plain, own, keyed, transaction()] }, 'bad_step_order', /'own' is before once\(\)/],
  ['two', { use: [keyed, transaction(), keyed, transaction()] }, 'bad_step_order', /twice/],
  ['a readOnly one', { use: [keyed, transaction({ readOnly: true })] }, 'bad_route', /readOnly: remove readOnly/],
  ['a public route', { use: [keyed, transaction()], access: 'public' }, 'bad_route', /callers without one would share/],
  [
    'an optional identity',
    { use: [guard({ name: 'o', identity: 'optional', run: () => {} }), keyed, transaction()], access: 'public' },
    'bad_route',
    /certain identity/,
  ],
  [
    'a stream',
    { use: [keyed, transaction()], output: stream(v.number()), handler: () => [1] },
    'bad_route',
    /a stream/,
  ],
  [
    'no retention',
    { use: [once(JSON.parse('{}')), transaction()] },
    'bad_option',
    /once\(\) of DO: retention is required/,
  ],
  ['a short retention', { use: [once({ retention: 999 }), transaction()] }, 'bad_option', /from 1000 to 31622400000/],
  ['a long retention', { use: [once({ retention: 31_622_400_001 }), transaction()] }, 'bad_option', /retention/],
  [
    'another option',
    { use: [once(JSON.parse('{"retention":1000,"replay":1}')), transaction()] },
    'unknown_option',
    /replay/,
  ],
] as const)('%s is a boot error', async (_what, options: object, code, message) => {
  const wrong = route({ input, handler, ...options })
  const starting = createTestApp({
    pkgIds: { DO: 1 },
    routes: { DO: wrong },
    plugins: [fakeDatabase(), fakeIdentity()],
  })
  await expect(starting).rejects.toMatchObject({ code, message: expect.stringMatching(message) })
})

test('a plugin that is not that of core is a boot error', async () => {
  const other = definePlugin(databaseKey, {
    setup: (): DatabaseApi => ({
      db,
      hasOutbox: false,
      forCall: () => db,
      beforeCommit: () => {},
      transaction: (run) => run(db),
    }),
  })
  const routes = { DO: route({ use: [keyed, transaction()], handler: () => reply(1) }) }
  const starting = createTestApp({ pkgIds: { DO: 1 }, routes, plugins: [other, fakeIdentity()] })
  await expect(starting).rejects.toMatchObject({ code: 'missing_plugin' })
})

test('is in the description and the manifest of the app', () => {
  expect(keyed.once).toEqual({ retentionMs: day, required: false })
  expect([keyed.kind, keyed.name]).toEqual(['interceptor', 'database.once'])
  expect(once({ retention: 1000, required: true }).once).toEqual({ retentionMs: 1000, required: true })
  expectTypeOf<NonNullable<(typeof keyed)['~step']>['adds']>().toEqualTypeOf<void>()
})
