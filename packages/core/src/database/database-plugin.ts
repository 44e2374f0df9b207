import type { Logger } from '../base/logger.ts'
import type { PluginHost } from '../plugin/host.ts'
import { definePlugin, type Plugin } from '../plugin/plugin.ts'
import { connect } from './connect.ts'
import type { ConstraintWordings } from './constraint-wording.ts'
import { type DatabaseApi, databaseKey } from './database.ts'
import { checkOptions, type DatabaseOptions, defaultSlowQueryMs } from './database-options.ts'
import { checkBeforeStart, checkConnections } from './doctor.ts'
import type { DatabaseDriver } from './drivers/driver.ts'
import type { HandOut } from './drivers/hand-out.ts'
import { openDriver } from './drivers/open-driver.ts'
import { toPool } from './drivers/pool-options.ts'
import { QueryMeter } from './drivers/query-meter.ts'
import { checkSettings } from './drivers/session-settings.ts'
import { mapDatabaseError } from './errors.ts'
import { runMigrations } from './migrate.ts'
import { definePageSettings } from './page-settings.ts'
import { createTransactions } from './transaction.ts'

/**
 * Connects at start, and gives routes `withDb()` and `transaction()`. Adds `database` to `GET /health`, maps the errors of
 * PostgreSQL, counts queries and connections (`db_*`), and closes the pool with the app.
 *
 * Boot errors: `bad_option`, `unknown_option`, `peer_missing`, `database_unreachable`, `migration_failed`.
 *
 * @example
 * database({ url: 'pglite://memory', migrations: new URL('../drizzle', import.meta.url) })
 */
export function database(options: DatabaseOptions): Plugin<DatabaseApi> {
  return definePlugin(databaseKey, {
    doctor(host) {
      const isEmbedded = String(options.url).startsWith('pglite:')
      host.peer('drizzle-orm', 'database() is built on it', import.meta.url)
      host.peer(isEmbedded ? '@electric-sql/pglite' : 'postgres', 'database() needs it for this url', import.meta.url)
      host.doctor('database', () => checkBeforeStart(options, host.environment))
    },
    async setup(host) {
      checkOptions(options, host)
      const { clock, log, instruments } = host
      const { url, slowQueryMs = defaultSlowQueryMs, constraints = {} } = options
      // A copy, so that what is known of this database is not said of another one with the same schema.
      const schema = { ...options.schema }
      definePageSettings(schema, options.pages ?? {})
      const pool = toPool(options.pool)
      const meter = new QueryMeter({ instruments, clock, log, slowQueryMs })
      const handOut: HandOut = (work, name, scope) => host.dropSafe(work, name, scope)
      const driver = await openDriver({ url, schema, pool, meter, handOut, instruments, log, clock })
      try {
        await start(driver, options, host)
      } catch (error) {
        // A pool that is left open would keep the process that failed to boot.
        await driver.close().catch(() => {})
        throw error
      }
      const wordings = toSafeWordings(constraints, log)
      host.mapErrors((error) => mapDatabaseError(error, wordings))
      host.health('database', () => driver.ping())
      if (!driver.embedded) host.doctor('database pool', () => checkConnections(driver.db, pool.max))
      host.onClose(() => driver.close())
      const transaction = createTransactions(driver, { clock, meter })
      return {
        db: driver.db,
        forCall: (call) => driver.bind(call),
        transaction: (run, request) => handOut(transaction(run, request), 'transaction', request?.call ?? null),
      }
    },
  })
}

async function start(driver: DatabaseDriver, options: DatabaseOptions, host: PluginHost): Promise<void> {
  const { migrations, onStart } = options
  await connect(driver, options.connect ?? {}, host)
  if (!driver.embedded) await checkSettings(driver.db)
  if (migrations !== undefined || onStart !== undefined) {
    await driver.exclusively(async (maintenance) => {
      if (migrations !== undefined) await runMigrations(maintenance, migrations, driver.place, host.log)
      await onStart?.(driver.db)
    })
  }
  host.log.info(`Database: ${driver.place}`)
}

/** One that fails is told to the log, and core's words stand in for it. */
function toSafeWordings(wordings: ConstraintWordings, log: Logger): ConstraintWordings {
  const safe = Object.entries(wordings).map(([name, wording]): [string, ConstraintWordings[string]] => {
    if (typeof wording === 'string') return [name, wording]
    return [
      name,
      (values) => {
        try {
          return wording(values)
        } catch (error) {
          log.error({ err: error, constraint: name }, 'The wording of a constraint failed')
          return ''
        }
      },
    ]
  })
  return Object.fromEntries(safe)
}
