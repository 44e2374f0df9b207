import { systemClock } from '../base/clock.ts'
import { Instruments } from '../base/instruments.ts'
import type { Logger } from '../base/logger.ts'
import { connect } from './connect.ts'
import { checkOptions, type DatabaseOptions } from './database-options.ts'
import type { DatabaseDriver } from './drivers/driver.ts'
import { handOutAlone } from './drivers/hand-out.ts'
import { openDriver } from './drivers/open-driver.ts'
import { toPool } from './drivers/pool-options.ts'
import { QueryMeter } from './drivers/query-meter.ts'
import { type MigrationEntry, readMigrations, runMigrations } from './migrate.ts'

/** Those of `database()` that say where the database is, and the folder. */
export interface MigrateOptions extends Pick<DatabaseOptions, 'url' | 'connect' | 'pool'> {
  /** A folder made by `drizzle-kit generate`: a URL or a path. */
  readonly migrations: URL | string
  /** Hears of attempts to connect, and of migrations that are skipped or changed. Default: nobody does. */
  readonly log?: Logger | undefined
}

const silent: Logger = {
  trace: () => {},
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
  fatal: () => {},
  child: () => silent,
}

/**
 * Applies migrations without an app, as a step of a deployment: one process at a time, however many are started at once. `database()`
 * does the same at start when it is given `migrations`. Each file is a transaction of its own: a failure stops at its file, the message
 * names those that were applied before it, and the next time goes on there. A file that begins with `-- no transaction` runs without one.
 * Resolves with the state of each migration after it.
 *
 * Throws BootError `bad_option`, `unknown_option`, `peer_missing`, `database_unreachable`, `migration_failed`.
 *
 * @example
 * const entries = await migrate({ url: settings.database.url, migrations: new URL('../drizzle', import.meta.url) })
 */
export function migrate(options: MigrateOptions): Promise<readonly MigrationEntry[]> {
  const { migrations, log = silent } = options
  const work = withDriver(options, (driver) =>
    driver.exclusively((maintenance) => runMigrations(maintenance, migrations, driver.place, log)),
  )
  return handOutAlone(work, 'migrate', null)
}

/**
 * Says which migrations of a folder are applied, in their order, and which of the others `migrate` will refuse (`problem`). Changes nothing.
 * Throws as `migrate` does.
 *
 * @example
 * const entries = await migrationStatus({ url: settings.database.url, migrations: new URL('../drizzle', import.meta.url) })
 * const isCurrent = entries.every(({ state }) => state === 'applied')
 */
export function migrationStatus(options: MigrateOptions): Promise<readonly MigrationEntry[]> {
  const work = withDriver(options, (driver) => readMigrations(driver.db, options.migrations, driver.place))
  return handOutAlone(work, 'migrationStatus', null)
}

async function withDriver<T>(options: MigrateOptions, run: (driver: DatabaseDriver) => Promise<T>): Promise<T> {
  const { migrations, log = silent, ...database } = options
  checkOptions({ ...database, migrations }, { environment: 'dev' })
  const instruments = new Instruments()
  const clock = systemClock
  const driver = await openDriver({
    url: database.url,
    schema: undefined,
    pool: toPool(database.pool),
    handOut: handOutAlone,
    meter: new QueryMeter({ instruments, clock, log, slowQueryMs: 0 }),
    instruments,
    log,
    clock,
  })
  try {
    await connect(driver, database.connect ?? {}, { clock, log })
    return await run(driver)
  } finally {
    await driver.close()
  }
}
