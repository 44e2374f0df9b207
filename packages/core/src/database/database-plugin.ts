import { BootError } from '../errors/boot-error.ts'
import type { PluginHost } from '../plugin/host.ts'
import { definePlugin, type Plugin } from '../plugin/plugin.ts'
import { type ConnectOptions, connect } from './connect.ts'
import { type Database, type DatabaseApi, databaseKey } from './database.ts'
import type { DatabaseDriver, PoolOptions } from './drivers/driver.ts'
import { openDriver } from './drivers/open-driver.ts'
import { mapDatabaseError } from './errors.ts'
import { runMigrations } from './migrate.ts'

export interface DatabaseOptions {
  /**
   * `postgres://user:password@host:5432/name` (needs the package `postgres`), or PGlite, a PostgreSQL inside the process
   * (needs `@electric-sql/pglite`): `pglite://memory`, `pglite://./folder`, `pglite:///absolute/folder`.
   */
  readonly url: string
  /** drizzle's tables and relations, for relational queries on `db.query`. */
  readonly schema?: Record<string, unknown> | undefined
  /** A folder made by `drizzle-kit generate`, applied at start: a URL such as `new URL('../drizzle', import.meta.url)`, or a path. */
  readonly migrations?: URL | string | undefined
  /** Waiting for the database at start. */
  readonly connect?: ConnectOptions | undefined
  readonly pool?: PoolOptions | undefined
  /** Lets `pglite://` run in production. Default false. */
  readonly allowEmbedded?: boolean | undefined
  /** Runs after the migrations and before anything is served, in one process at a time: for seeds. */
  readonly onStart?: ((db: Database) => Promise<void>) | undefined
}

/**
 * Connects at start, and gives routes `withDb()` and `transaction()`. Adds `database` to `GET /health`, maps the errors of
 * PostgreSQL, and closes the pool with the app.
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
      host.peer('drizzle-orm', 'database() is built on it')
      host.peer(isEmbedded ? '@electric-sql/pglite' : 'postgres', 'database() needs it for this url')
      host.doctor('database', () => {
        checkOptions(options, host)
        if (!isEmbedded) return { level: 'ok', message: 'The database is a PostgreSQL of its own' }
        if (host.environment !== 'production') return { level: 'ok', message: 'The database is embedded (PGlite)' }
        return {
          level: 'warn',
          message:
            'The database is embedded (PGlite) in production, by allowEmbedded: set a postgres:// url, and back it up until then',
        }
      })
    },
    async setup(host) {
      checkOptions(options, host)
      const driver = await openDriver({
        url: options.url,
        schema: options.schema,
        pool: options.pool ?? {},
        log: host.log,
        clock: host.clock,
      })
      try {
        await start(driver, options, host)
      } catch (error) {
        // A pool that is left open would keep the process that failed to boot.
        await driver.close().catch(() => {})
        throw error
      }
      host.mapErrors(mapDatabaseError)
      host.health('database', () => driver.ping())
      host.onClose(() => driver.close())
      return { db: driver.db, transaction: (run) => driver.transaction(run) }
    },
  })
}

async function start(driver: DatabaseDriver, options: DatabaseOptions, host: PluginHost): Promise<void> {
  const { migrations, onStart } = options
  await connect(driver, options.connect ?? {}, host)
  if (migrations !== undefined || onStart !== undefined) {
    await driver.exclusively(async () => {
      if (migrations !== undefined) await runMigrations(driver, migrations)
      await onStart?.(driver.db)
    })
  }
  host.log.info(`Database: ${driver.place}`)
}

const known: Readonly<Record<keyof DatabaseOptions, true>> = {
  url: true,
  schema: true,
  migrations: true,
  connect: true,
  pool: true,
  allowEmbedded: true,
  onStart: true,
}

/** Least value of each number. */
const numbers = {
  connect: { retries: 0, retryDelayMs: 0 },
  pool: { max: 1, connectTimeoutMs: 1 },
} as const

function checkOptions(options: DatabaseOptions, host: Pick<PluginHost, 'environment'>): void {
  checkNames('database()', options, known)
  if (typeof options.url !== 'string') throw new BootError('bad_option', 'database() needs a url')
  for (const group of ['connect', 'pool'] as const)
    checkNumbers(`${group} of database()`, options[group] ?? {}, numbers[group])
  if (options.url.startsWith('pglite:') && host.environment === 'production' && options.allowEmbedded !== true) {
    throw new BootError(
      'bad_option',
      'database() has a pglite:// url in production, where a PostgreSQL belongs: set a postgres:// url, or allowEmbedded: true',
    )
  }
}

function checkNames(what: string, options: object, names: object): void {
  const unknown = Object.keys(options).filter((name) => !Object.hasOwn(names, name))
  if (unknown.length === 0) return
  throw new BootError(
    'unknown_option',
    `Unknown option of ${what}: ${unknown.join(', ')}; known: ${Object.keys(names).join(', ')}`,
  )
}

function checkNumbers(what: string, options: object, least: Readonly<Record<string, number>>): void {
  checkNames(what, options, least)
  for (const [name, value] of Object.entries(options)) {
    const min = least[name] ?? 0
    if (value === undefined || (Number.isSafeInteger(value) && value >= min)) continue
    throw new BootError('bad_option', `${name} of ${what} must be a whole number from ${min}, not ${String(value)}`)
  }
}
