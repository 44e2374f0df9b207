import type { SimulatedProcess } from '../../../testing/simulation/simulated-node.ts'
import type { OpenDriver } from '../../drivers/driver.ts'
import { openPglite } from '../../drivers/pglite-driver.ts'
import { openTestDatabase, type TestDatabase, type TestDatabaseOptions } from '../test-database.ts'
import { directConnection, SimulatedConnection } from './simulated-connection.ts'
import { SimulatedServer } from './simulated-server.ts'

/** A PostgreSQL (PGlite) that the processes of simulations reach over simulated networks. */
export interface SimulatedDatabase extends Pick<TestDatabase, 'db' | 'transaction' | 'close'> {
  /** For `database({ driver })` in the app of a simulated process. Leave `migrations` and `onStart` to `createSimulatedDatabase`. */
  driver(process: SimulatedProcess): OpenDriver
  /** As that of a test database, for `before` of `runSchedules`. Ends the sessions of the schedule before. */
  reset(): Promise<void>
}

/**
 * Opens a PGlite in memory, applies the migrations, and copies the rows of its tables, outside of a simulation. In one, each process has
 * connections of its own to it: statements and answers travel as late as `network` says, the fault `service` cuts them or holds them back, and a
 * process that is killed leaves its transaction to be rolled back. So a COMMIT may be lost before it was executed, or its answer
 * afterwards. `db` reaches the database at once, for checks of the schedule.
 *
 * Transactions run one after the other: a statement of another connection waits until the open one has ended, so serialization failures, deadlocks
 * and reads beside an open transaction do not occur. A handler that waits inside of a transaction for a statement of another connection waits until its
 * deadline.
 *
 * Requires the packages `drizzle-orm` and `@electric-sql/pglite`. Boot errors: those of `database()`.
 *
 * @example
 * const simulated = await createSimulatedDatabase({ migrations: new URL('../drizzle', import.meta.url) })
 * afterAll(() => simulated.close())
 *
 * it('adds each author once', async () => {
 *   const app = (process: SimulatedProcess) => ({ pkgIds, routes, plugins: [database({ driver: simulated.driver(process) })] })
 *   await runSchedules({ runs: 100, nodes: 2, before: () => simulated.reset(), app }, async (sim) => {
 *     sim.disturb()
 *     await sim.client().call('CREATE_AUTHOR', { name: 'Ursula' })
 *     await sim.calm()
 *     expect(await new AuthorRepository(simulated.db).count()).toBe(1)
 *   })
 * })
 */
export async function createSimulatedDatabase(options: TestDatabaseOptions = {}): Promise<SimulatedDatabase> {
  const pglite = await openPglite('pglite://memory', options.embeddedExtensions)
  const connection = pglite.connect()
  await connection.open()
  const server = new SimulatedServer(connection)
  const { embeddedExtensions: _, ...rest } = options
  const { db, transaction, reset, close } = await openTestDatabase(rest, () => ({
    location: 'simulated',
    embedded: true,
    connect: () => directConnection(server.connect()),
    close: async () => pglite.close?.(),
  }))
  return {
    db,
    transaction,
    close,
    driver: (process) => () => ({
      location: 'simulated',
      connect: () => new SimulatedConnection(process, server.connect()),
    }),
    reset: async () => {
      await server.reset()
      await reset()
    },
  }
}
