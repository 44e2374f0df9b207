import { sql } from 'drizzle-orm'
import { createApp } from '../../app/app.ts'
import type { ErrorMapper } from '../../errors/normalize.ts'
import type { PluginHost } from '../../plugin/host.ts'
import { definePlugin, type Plugin } from '../../plugin/plugin.ts'
import { memoryTransport } from '../../testing/memory-transport/memory-transport.ts'
import { createTestLogger } from '../../testing/test-logger.ts'
import { type DatabaseApi, databaseKey } from '../database.ts'
import type { DatabaseOptions } from '../database-options.ts'
import { database } from '../database-plugin.ts'
import type { OpenDriver } from '../drivers/driver.ts'
import { createReset } from './reset.ts'

/** Options of `database()` without the address. `onStart` adds the rows that each test starts with. */
export type TestDatabaseOptions = Omit<DatabaseOptions, 'url' | 'driver' | 'allowEmbedded' | 'connect'>

/** A PostgreSQL in this process (PGlite) for the tests of one file: opened and migrated once, reset before each test. */
export interface TestDatabase extends Pick<DatabaseApi, 'db' | 'transaction'> {
  /** Replaces `database()` in any number of apps: closing an app leaves the database open. With `outbox`, its events go to all that run. */
  readonly plugin: Plugin<DatabaseApi>
  /**
   * Restores all rows and sequences to their state after the migrations and `onStart`. Changes of the schema stay. Waits for a transaction
   * that is still open.
   */
  reset(): Promise<void>
  close(): Promise<void>
}

/**
 * Opens a PGlite in memory, applies the migrations, and copies the rows of its tables. Tests use it as the application uses its database, with
 * transactions that really commit; `reset` restores the rows in milliseconds.
 *
 * Requires the packages `drizzle-orm` and `@electric-sql/pglite`. Boot errors: those of `database()`.
 *
 * @example
 * const database = await createTestDatabase({ migrations: new URL('../drizzle', import.meta.url) })
 * beforeEach(() => database.reset())
 * afterAll(() => database.close())
 *
 * it('renames an author', async () => {
 *   const authors = new AuthorRepository(database.db)
 *   const { id } = await authors.create({ name: 'Ursula' })
 *   const { client, close } = await createTestApp({ pkgIds, routes, plugins: [database.plugin] })
 *   await (await client()).call('RENAME_AUTHOR', { id, name: 'Octavia' })
 *   expect(await authors.getById(id)).toMatchObject({ name: 'Octavia' })
 *   await close()
 * })
 */
export function createTestDatabase(options: TestDatabaseOptions = {}): Promise<TestDatabase> {
  return openTestDatabase(options)
}

/** By `driver`; without it a PGlite in memory. */
export async function openTestDatabase(options: TestDatabaseOptions, driver?: OpenDriver): Promise<TestDatabase> {
  const inner = database({ ...options, ...(driver === undefined ? { url: 'pglite://memory' } : { driver }) })
  const mappers: ErrorMapper[] = []
  const opened: DatabaseApi[] = []
  const apps = new Set<PluginHost>()
  const setup: Plugin['setup'] = async (host) => {
    opened.push(await inner.setup({ ...host, ...publishTo(apps), mapErrors: (mapper) => void mappers.push(mapper) }))
  }
  // A separate app keeps it open while tests open and close theirs.
  const log = createTestLogger()
  const owner = createApp({
    pkgIds: {},
    routes: {},
    environment: 'test',
    log,
    transport: memoryTransport(),
    plugins: [{ name: 'test-database', setup }],
  })
  await owner.ready()
  const [api] = opened
  if (api === undefined) throw new Error('The database was not opened')
  return {
    db: api.db,
    transaction: api.transaction,
    plugin: definePlugin(databaseKey, {
      setup(host) {
        for (const mapper of mappers) host.mapErrors(mapper)
        host.onReady(() => void apps.add(host))
        host.onClose(() => void apps.delete(host))
        host.health('database', async () => {
          await api.db.execute(sql`select 1`)
        })
        return api
      },
    }),
    reset: await createReset(api.db),
    close: () => owner.close(),
  }
}

/** What an outbox sends goes to the apps under test, as if they shared a broker; while none runs it waits. */
function publishTo(apps: ReadonlySet<PluginHost>): Pick<PluginHost, 'publishOnce' | 'checkPublication'> {
  return {
    async publishOnce(publication, key) {
      if (apps.size === 0) throw new Error('No app with this test database is running')
      await Promise.all([...apps].map((host) => host.publishOnce(publication, key)))
    },
    checkPublication(publication) {
      for (const host of apps) host.checkPublication(publication)
    },
  }
}
