import type { AppOptions, EventTable, PkgIds, RouteTable } from '../app-options.ts'
import { createTestApp, type TestApp, type TransportName } from './create-test-app.ts'

/** What a test runner brings: vitest's and node:test's own functions fit. */
export interface TestRunner {
  describe(name: string, suite: () => void): unknown
  afterEach(hook: () => Promise<void>): unknown
}

/** What a suite gets for one transport. */
export interface Subject {
  readonly transport: TransportName
  /** As `createTestApp`, on this transport; closed after the test. */
  start<const Ids extends PkgIds, Routes extends RouteTable, Events extends EventTable = Record<never, never>>(
    options: AppOptions<Ids, Routes, Events>,
  ): Promise<TestApp<Routes, Events>>
}

/**
 * Runs one suite twice: over the memory transport and over real sockets.
 *
 * @example
 * onTransports({ describe, afterEach }, ({ start }) => {
 *   it('greets', async () => {
 *     const { request } = await start({ pkgIds: { GREET: 1 }, routes: { GREET: greet } })
 *     expect((await request('GET /greetings/Ursula')).status).toBe(200)
 *   })
 * })
 */
export function onTransports({ describe, afterEach }: TestRunner, suite: (subject: Subject) => void): void {
  for (const transport of ['memory', 'uws'] as const) {
    describe(`over ${transport}`, () => {
      const open: { close(): Promise<void> }[] = []
      afterEach(async () => {
        for (const app of open.splice(0).reverse()) await app.close()
      })
      suite({
        transport,
        async start(options) {
          const app = await createTestApp(options, { transport })
          open.push(app)
          return app
        },
      })
    })
  }
}
