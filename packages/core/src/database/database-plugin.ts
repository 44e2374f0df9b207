import { requireSingleProcess } from '../base/cluster-worker.ts'
import type { Logger } from '../base/logger.ts'
import type { PluginHost } from '../plugin/host.ts'
import { definePlugin, type Plugin } from '../plugin/plugin.ts'
import { CommitHooks } from './before-commit.ts'
import { connect } from './connect.ts'
import type { ConstraintWordings } from './constraint-wording.ts'
import { type DatabaseApi, databaseKey } from './database.ts'
import { type CheckedOptions, checkEmbedded, checkOptions, type DatabaseOptions } from './database-options.ts'
import { checkBeforeStart, checkConnections } from './doctor.ts'
import type { DropSafe } from './drivers/drop-safe-session.ts'
import { FirstStatements } from './drivers/first-statement.ts'
import { type OpenDatabase, openDatabase } from './drivers/open-database.ts'
import { QueryMeter } from './drivers/query-meter.ts'
import { checkSettings } from './drivers/session-settings.ts'
import { mapDatabaseError } from './errors.ts'
import { runMigrations } from './migrate.ts'
import { Once, setOnce } from './once/once.ts'
import { type Outbox, openOutbox } from './outbox/outbox.ts'
import { definePageSettings } from './page-settings.ts'
import { createTransactions } from './transaction.ts'

/**
 * Connects at start, and provides `withDb()` and `transaction()` to routes. Adds `database` to `GET /health`, maps the errors of
 * PostgreSQL, counts queries and connections (`db_*`), and closes the pool with the app.
 *
 * Boot errors: `bad_option`, `unknown_option`, `missing_peer`, `unreachable_database`, `failed_migration`, `missing_table`.
 *
 * @example
 * database({ url: 'pglite://memory', migrations: new URL('../drizzle', import.meta.url) })
 */
export function database(options: DatabaseOptions): Plugin<DatabaseApi> {
  return definePlugin(databaseKey, {
    doctor(host) {
      host.peer('drizzle-orm', 'database() requires it', import.meta.url)
      if (options.driver === undefined) {
        const isEmbedded = String(options.url).startsWith('pglite:')
        host.peer(
          isEmbedded ? '@electric-sql/pglite' : 'postgres',
          'database() requires it for this url',
          import.meta.url,
        )
      }
      host.doctor('database', () => checkBeforeStart(options, host.environment))
    },
    async setup(host) {
      const checked = checkOptions(options, host.environment)
      const { clock, log, instruments } = host
      const { url, driver, embeddedExtensions, pool, slowQueryMs } = checked
      // A copy, so that page settings of this database do not apply to another one with the same schema.
      const schema = { ...checked.schema }
      definePageSettings(schema, checked.pages)
      const meter = new QueryMeter({ instruments, clock, log, slowQueryMs })
      const dropSafe: DropSafe = (work, name, scope) => host.dropSafe(work, name, scope)
      const opened = await openDatabase({
        url,
        driver,
        embeddedExtensions,
        schema,
        pool,
        meter,
        dropSafe,
        instruments,
        operations: host.operations,
        log,
        clock,
      })
      try {
        await start(opened, checked, host)
      } catch (error) {
        // An open pool would keep the process that failed to boot running.
        await opened.close().catch(() => {})
        throw error
      }
      const wordings = toSafeWordings(checked.constraints, log)
      host.mapErrors((error) => mapDatabaseError(error, wordings))
      host.health('database', () => opened.ping())
      if (!opened.embedded) host.doctor('database pool', () => checkConnections(opened.db, pool.max))
      host.onClose(() => opened.close())
      let outbox: Outbox | null = null
      const commitHooks = new CommitHooks()
      const firstStatements = new FirstStatements()
      const transaction = createTransactions(opened, {
        clock,
        meter,
        outbox: () => outbox,
        commitHooks,
        firstStatements,
      })
      if (checked.outbox !== null) outbox = openOutbox(host, { db: opened.db, transaction }, checked.outbox)
      const api: DatabaseApi = {
        db: opened.db,
        hasOutbox: outbox !== null,
        forCall: (call) => opened.bind(call),
        beforeCommit: (call, hook) => commitHooks.add(call, hook),
        transaction: (run, request) => dropSafe(transaction(run, request), 'transaction', request?.call ?? null),
      }
      const once = new Once({ db: opened.db, firstStatements, clock, log, instruments })
      setOnce(api, once)
      host.doctor('once()', () => once.examine())
      host.onReady(() => once.start())
      host.onClose(() => once.stop())
      return api
    },
  })
}

async function start(opened: OpenDatabase, options: CheckedOptions, host: PluginHost): Promise<void> {
  const { migrations, onStart, allowEmbedded } = options
  const { location, embedded, db } = opened
  checkEmbedded({ embedded, allowEmbedded }, host.environment)
  if (embedded) requireSingleProcess('An embedded database', 'set url to postgres://user:password@host:5432/name')
  await connect(opened, options.connect, host)
  if (!embedded) await checkSettings(db)
  if (migrations !== undefined || onStart !== undefined) {
    await opened.exclusively(async (maintenance) => {
      if (migrations !== undefined) await runMigrations(maintenance, migrations, location, host.log)
      await onStart?.(db)
    })
  }
  host.log.info(`Database: ${location}`)
}

/** A function that throws is logged, and the general message is used. */
function toSafeWordings(wordings: ConstraintWordings, log: Logger): ConstraintWordings {
  const safe = Object.entries(wordings).map(([name, wording]): [string, ConstraintWordings[string]] => {
    if (typeof wording === 'string') return [name, wording]
    return [
      name,
      (values) => {
        try {
          return wording(values)
        } catch (error) {
          log.error({ err: error, constraint: name }, 'The message function of a constraint failed')
          return ''
        }
      },
    ]
  })
  return Object.fromEntries(safe)
}
