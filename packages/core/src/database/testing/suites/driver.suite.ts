import { sql } from 'drizzle-orm'
import { createApp } from '../../../app/app.ts'
import { memoryTransport } from '../../../testing/memory-transport/memory-transport.ts'
import { createTestLogger } from '../../../testing/test-logger.ts'
import type { TestRunner } from '../../../testing/test-runner.ts'
import type { DatabaseApi } from '../../database.ts'
import { database } from '../../database-plugin.ts'
import type { OpenDriver } from '../../drivers/driver.ts'
import { bulkSuite } from './bulk.suite.ts'
import { authorsOf, booksOf, repositorySuite } from './repository.suite.ts'
import { rowsSuite } from './rows.suite.ts'
import { refused } from './suite-tools.ts'
import { ddl } from './tables.ts'
import { transactionsSuite } from './transactions.suite.ts'
import { valuesSuite } from './values.suite.ts'

export interface DatabaseDriverSubject {
  /** The driver, of an empty database in which the suite creates its tables: what `database({ driver })` takes. */
  readonly driver: OpenDriver
}

/**
 * What `database()` requires of a driver: rows, values of each type, errors, transactions and savepoints. Opens the driver once, in an app.
 * Opening may take some seconds: raise the hook timeout of the runner for a slow database.
 *
 * @example
 * import * as vitest from 'vitest'
 * databaseDriverSuite(vitest, { driver })
 */
export function databaseDriverSuite(runner: TestRunner, { driver }: DatabaseDriverSubject): void {
  describeDatabase(runner, 'a database driver', async () => {
    const opened: DatabaseApi[] = []
    const plugin = database({ driver })
    const app = createApp({
      pkgIds: {},
      routes: {},
      environment: 'test',
      log: createTestLogger(),
      transport: memoryTransport(),
      plugins: [{ name: 'driver-suite', setup: async (host) => void opened.push(await plugin.setup(host)) }],
    })
    await app.ready()
    const [api] = opened
    if (api === undefined) throw new Error('The database was not opened')
    for (const statement of ddl.split('--> statement-breakpoint')) await api.db.execute(sql.raw(statement))
    return { api, close: () => app.close() }
  })
}

/** A database with the tables of `ddl`. */
type Open = () => Promise<{ readonly api: DatabaseApi; readonly close: () => Promise<void> }>

export function describeDatabase(
  runner: TestRunner,
  name: string,
  start: Open,
  more?: (open: () => DatabaseApi) => void,
): void {
  const { describe, it, expect, beforeAll, afterAll, beforeEach } = runner
  describe(name, () => {
    let api: DatabaseApi
    let close: () => Promise<void> = async () => {}
    const open = (): DatabaseApi => api
    beforeAll(async () => {
      ;({ api, close } = await start())
    })
    afterAll(() => close())
    beforeEach(async () => {
      await api.db.execute(sql`truncate books, authors, kinds restart identity`)
    })

    it('rolls back when the call ends, and serves the next one', async () => {
      const call = { signal: AbortSignal.timeout(50), log: createTestLogger() }
      const work = api.transaction(
        async (tx) => {
          await authorsOf(tx).create({ name: 'Ursula' })
          await new Promise((resolve) => setTimeout(resolve, 200))
          await authorsOf(tx).create({ name: 'Octavia' })
        },
        { call },
      )
      expect((await refused(work)).code).toBe('unavailable')
      expect(await authorsOf(api.db).count()).toBe(0)
    })

    valuesSuite(runner, open)
    repositorySuite(runner, open)
    rowsSuite(runner, open)
    bulkSuite(runner, open)
    transactionsSuite(runner, {
      open,
      authors: authorsOf,
      books: booksOf,
    })
    more?.(open)
  })
}
