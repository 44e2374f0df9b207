import { expect, it } from 'vitest'
import { database, transaction } from '../../database.ts'
import { route } from '../../index.ts'
import { plugin } from '../../testing/suite.fixtures.ts'
import { createTestApp } from '../../testing.ts'
import { drizzleSessionOf } from './drizzle-session.ts'

it('ends each operation once, also statements behind one that fails with COMMIT', async () => {
  const begun: string[] = []
  const ended: string[] = []
  const tracer = plugin((host) => {
    host.trace({
      start: () => {},
      run: (call, work) => work(call),
      end: () => {},
      task: (_name, work) => work(),
      operation(operation) {
        const name = operation.kind === 'statement' ? operation.text : operation.kind
        begun.push(name)
        return { run: (work) => work(), end: (failure) => void ended.push(`${name}: ${failure ?? 'ok'}`) }
      },
    })
  }, 'tracer')
  const last = { toFailure: (error: unknown) => error, mayWait: false }
  const { request, close } = await createTestApp({
    pkgIds: {},
    routes: {},
    endpoints: [
      route({
        http: 'POST /write',
        access: 'public',
        use: [transaction()],
        async handler(_input, { db }) {
          await drizzleSessionOf(db).runWithCommit('insert into missing values (1)', [], last)
          await drizzleSessionOf(db).runWithCommit('select 2', [], last)
        },
      }),
    ],
    plugins: [tracer, database({ url: 'pglite://memory' })],
  })
  begun.length = 0
  ended.length = 0
  expect((await request('POST /write')).status).toBe(500)
  expect(begun).toEqual(['transaction', 'begin', 'insert into missing values (?)', 'select ?', 'commit'])
  expect(ended.sort()).toEqual([
    'begin: ok',
    'commit: 42P01',
    'insert into missing values (?): 42P01',
    'select ?: 42P01',
    'transaction: 42P01',
  ])
  await close()
})
