import { BootError } from '../base/boot-error.ts'
import type { PluginHost } from '../plugin/host.ts'
import type { ConnectOptions } from './connect.ts'
import type { ConstraintWordings } from './constraint-wording.ts'
import type { Database } from './database.ts'
import { applicationNamePattern, type PoolOptions, poolDefaults, poolNumbers } from './drivers/pool-options.ts'
import type { PageOptions } from './page-settings.ts'

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
  /** Sizes of pages, and what signs their cursors. */
  readonly pages?: PageOptions | undefined
  /**
   * A statement that takes longer is logged with its text, without values, and counted in `db_slow_queries_total`. Milliseconds,
   * default 100; 0: none is.
   */
  readonly slowQueryMs?: number | undefined
  /**
   * What a caller is told when a constraint is broken, by its name, instead of core's general words:
   * `{ authors_name_unique: ({ name }) => `Author with name '${name}' already exists` }`.
   */
  readonly constraints?: ConstraintWordings | undefined
  /** Lets `pglite://` run in production. Default false. */
  readonly allowEmbedded?: boolean | undefined
  /** Runs after the migrations and before anything is served, in one process at a time: for seeds. */
  readonly onStart?: ((db: Database) => Promise<void>) | undefined
}

export const defaultSlowQueryMs = 100

const known: Readonly<Record<keyof DatabaseOptions, true>> = {
  url: true,
  schema: true,
  migrations: true,
  connect: true,
  pool: true,
  pages: true,
  slowQueryMs: true,
  constraints: true,
  allowEmbedded: true,
  onStart: true,
}

const pageNames: Readonly<Record<keyof PageOptions, true>> = { defaultSize: true, maxSize: true, cursorSecret: true }
const connectNumbers = { retries: 0, retryDelayMs: 0 } as const

/** Throws a BootError that names what to change. */
export function checkOptions(options: DatabaseOptions, host: Pick<PluginHost, 'environment'>): void {
  checkNames('database()', options, known)
  const { url, connect = {}, pool = {}, slowQueryMs, constraints = {}, allowEmbedded } = options
  if (typeof url !== 'string') throw new BootError('bad_option', 'database() needs a url')
  checkNames('connect of database()', connect, connectNumbers)
  checkNumbers('connect of database()', connect, connectNumbers)
  checkPool(pool)
  checkNames('pages of database()', options.pages ?? {}, pageNames)
  checkNumbers('database()', { slowQueryMs }, { slowQueryMs: 0 })
  for (const [name, wording] of Object.entries(constraints)) {
    if (typeof wording === 'string' || typeof wording === 'function') continue
    throw new BootError('bad_option', `constraints of database(): ${name} must be a text or a function that makes one`)
  }
  if (url.startsWith('pglite:') && host.environment === 'production' && allowEmbedded !== true) {
    throw new BootError(
      'bad_option',
      'database() has a pglite:// url in production, where a PostgreSQL belongs: set a postgres:// url, or allowEmbedded: true',
    )
  }
}

function checkPool(pool: PoolOptions): void {
  const where = 'pool of database()'
  checkNames(where, pool, poolDefaults)
  checkNumbers(where, pool, poolNumbers)
  const { prePing, pgBouncer, applicationName } = pool
  for (const [name, value] of Object.entries({ prePing, pgBouncer })) {
    if (value === undefined || typeof value === 'boolean') continue
    throw new BootError('bad_option', `${name} of ${where} must be true or false`)
  }
  if (applicationName !== undefined && !applicationNamePattern.test(applicationName)) {
    throw new BootError('bad_option', `applicationName of ${where} must be 1 to 63 printable ASCII characters`)
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

/** The longest time that a timer takes, and more than any number here needs. */
const most = 2 ** 31 - 1

function checkNumbers(what: string, options: object, least: Readonly<Record<string, number>>): void {
  const given: Readonly<Record<string, unknown>> = { ...options }
  for (const [name, min] of Object.entries(least)) {
    const value = given[name]
    if (
      value === undefined ||
      (typeof value === 'number' && Number.isSafeInteger(value) && value >= min && value <= most)
    )
      continue
    throw new BootError(
      'bad_option',
      `${name} of ${what} must be a whole number from ${min} to ${most}, not ${String(value)}`,
    )
  }
}
