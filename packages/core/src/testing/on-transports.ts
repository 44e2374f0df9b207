import type { AppOptions, EventTable, PkgIds, RouteTable } from '../app/app-options.ts'
import { createTestApp, type TestApp, type TestAppOptions, type TransportName } from './create-test-app.ts'
import type { TestRunner } from './test-runner.ts'

/** One transport, for a suite. */
export interface Subject {
  readonly transport: TransportName
  /** As `createTestApp`, on this transport; closed after the test. */
  start<const Ids extends PkgIds, Routes extends RouteTable, Events extends EventTable = Record<never, never>>(
    options: AppOptions<Ids, Routes, Events>,
    kit?: Pick<TestAppOptions, 'leftovers'>,
  ): Promise<TestApp<Routes, Events>>
}

/**
 * Runs one suite twice: over the memory transport and over real sockets. A test fails when a call has no answer at its end or a rejection
 * was unhandled, unless `leftovers` is `allow`, here or in `start`.
 *
 * @example
 * onTransports({ describe, afterEach }, ({ start }) => {
 *   it('greets', async () => {
 *     const { request } = await start({ pkgIds: { GREET: 1 }, routes: { GREET: greet } })
 *     expect((await request('GET /greetings/Ursula')).status).toBe(200)
 *   })
 * })
 */
export function onTransports(
  { describe, afterEach }: Pick<TestRunner, 'describe' | 'afterEach'>,
  suite: (subject: Subject) => void,
  { leftovers = 'fail' }: Pick<TestAppOptions, 'leftovers'> = {},
): void {
  for (const transport of ['memory', 'uws'] as const) {
    describe(`over ${transport}`, () => {
      const open: { close(): Promise<void> }[] = []
      afterEach(async () => {
        const failures: unknown[] = []
        // All of them, also after a failure: an app that stays open would disturb the next test.
        for (const app of open.splice(0).reverse()) await app.close().catch((error: unknown) => failures.push(error))
        if (failures.length > 0) throw failures[0]
      })
      suite({
        transport,
        async start(options, kit = {}) {
          const app = await createTestApp(options, { leftovers, ...kit, transport })
          open.push(app)
          return app
        },
      })
    })
  }
}
