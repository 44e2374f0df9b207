import { type SettingsGroup, settingsGroup } from '../settings/group.ts'
import { type Variable, variable } from '../settings/variable.ts'
import type { ConnectOptions } from './connect.ts'
import { connectRules, slowQueryRule } from './database-options.ts'
import { type PoolOptions, poolRules } from './drivers/pool-options.ts'
import { type PageOptions, pageRules } from './page-settings.ts'

/** Options of `database()`: `database({ ...settings.database, migrations })`. */
export interface DatabaseSettings {
  readonly url: string
  readonly pool: Required<PoolOptions>
  readonly slowQueryMs: number
  readonly connect: Required<ConnectOptions>
  readonly pages: PageOptions
}

export interface DatabaseSettingsOptions {
  /** The `pglite://` url to use when no variable names a database; never in production. Default: a database must be named. */
  readonly embedded?: string
}

/** The variables of the pool. */
const poolVariables: { readonly [K in keyof PoolOptions]-?: Variable<Required<PoolOptions>[K], false> } = {
  max: variable.option('DB_POOL_SIZE', poolRules.max, { about: 'Maximum number of connections of this process' }),
  acquireTimeoutMs: variable.option('DB_POOL_ACQUIRE_TIMEOUT', poolRules.acquireTimeoutMs, {
    about: 'How long a query or a transaction may wait for a connection; 0: as long as its call lasts',
  }),
  idleTimeoutMs: variable.option('DB_POOL_IDLE_TIMEOUT', poolRules.idleTimeoutMs, {
    about: 'How long a connection may be unused before it is closed; 0: forever',
  }),
  maxLifetimeMs: variable.option('DB_POOL_RECYCLE', poolRules.maxLifetimeMs, {
    about: 'Age at which a connection is replaced, minus a random part of up to a tenth; 0: never',
  }),
  prePing: variable.option('DB_POOL_PRE_PING', poolRules.prePing, {
    about: 'Ping a connection that was unused for 5 seconds before it is used',
  }),
  connectTimeoutMs: variable.option('DB_CONNECT_TIMEOUT', poolRules.connectTimeoutMs, {
    about: 'How long one attempt to connect may take',
  }),
  statementTimeoutMs: variable.option('DB_STATEMENT_TIMEOUT', poolRules.statementTimeoutMs, {
    about: 'How long one statement may run; 0: as long as its call lasts',
  }),
  applicationName: variable.option('DB_APPLICATION_NAME', poolRules.applicationName, {
    about: 'Name of this process in the lists of the server',
  }),
  pgBouncer: variable.option('DB_PGBOUNCER', poolRules.pgBouncer, {
    about: 'Whether a PgBouncer with `pool_mode = transaction` is in front of the server',
  }),
}

const slowQueryVariable = variable.option('DB_SLOW_QUERY_THRESHOLD', slowQueryRule, {
  about: 'A statement that takes longer is logged and counted; 0: none is',
})

const parts = ['user', 'password', 'host', 'port', 'name'] as const

/**
 * `DATABASE_URL`, or the parts `DB_USER`, `DB_PASSWORD`, `DB_HOST`, `DB_PORT`, `DB_NAME`; `DB_POOL_SIZE` and the other options of the
 * pool; `DB_SLOW_QUERY_THRESHOLD`; `DB_INIT_RETRY_INTERVAL`, `DB_INIT_MAX_RETRIES`; `DEFAULT_PAGE_SIZE`, `MAX_PAGE_SIZE`, `CURSOR_SECRET`.
 *
 * @example
 * const declared = defineSettings({ database: databaseSettings({ embedded: 'pglite://./.data' }) })
 * const plugin = database({ ...declared.read().database, migrations: new URL('../drizzle', import.meta.url) })
 */
export function databaseSettings({ embedded }: DatabaseSettingsOptions = {}): SettingsGroup<DatabaseSettings> {
  const byParts = 'by `DB_USER`, `DB_NAME` and so on'
  const whenUnset = embedded === undefined ? byParts : `${byParts}, else embedded`
  const withParts = 'required if another part is set'
  return settingsGroup({
    variables: {
      url: variable.text('DATABASE_URL', {
        about:
          '`postgres://user:password@host:5432/name`, or `pglite://` for an embedded database, which production refuses',
        secret: true,
        optional: true,
        whenUnset: { dev: whenUnset, test: whenUnset, staging: whenUnset, production: byParts },
        expects: 'a url that starts with postgres:// or pglite://',
        check: (url) =>
          /^(?:postgres|postgresql|pglite):\/\/./.test(url) ? null : 'must start with postgres:// or pglite://',
      }),
      user: variable.text('DB_USER', { about: 'Database user', optional: true, whenUnset: withParts }),
      password: variable.text('DB_PASSWORD', {
        about: 'Password of the database user',
        secret: true,
        optional: true,
        whenUnset: withParts,
      }),
      host: variable.text('DB_HOST', {
        about: 'Database host',
        optional: true,
        whenUnset: '`localhost`',
        check: (host) => (/^[\w.:-]+$/.test(host) ? null : 'must be a host name or an IP address'),
      }),
      port: variable.integer('DB_PORT', {
        about: 'Database port',
        min: 1,
        max: 65_535,
        optional: true,
        whenUnset: '`5432`',
      }),
      name: variable.text('DB_NAME', { about: 'Database name', optional: true, whenUnset: withParts }),
      ...poolVariables,
      slowQueryMs: slowQueryVariable,
      retryDelayMs: variable.option('DB_INIT_RETRY_INTERVAL', connectRules.retryDelayMs, {
        about: 'Pause between attempts to connect to the database at start',
      }),
      retries: variable.option('DB_INIT_MAX_RETRIES', connectRules.retries, {
        about: 'Attempts after the first to connect to the database at start',
      }),
      defaultSize: variable.option('DEFAULT_PAGE_SIZE', pageRules.defaultSize, {
        about: 'Rows of a page when a request does not set it',
      }),
      maxSize: variable.option('MAX_PAGE_SIZE', pageRules.maxSize, { about: 'Maximum rows of a page' }),
      cursorSecret: variable.option('CURSOR_SECRET', pageRules.cursorSecret, {
        about: 'Signs the cursors of pages, at least 16 characters; the same in all processes',
        secret: true,
        whenUnset: 'cursors carry a checksum',
      }),
    },
    unsupported: { DB_MAX_OVERFLOW: 'set DB_POOL_SIZE, the maximum number of connections, to the sum of both' },
    check({ environment, isSet }) {
      const given = parts.filter(isSet).map(toName)
      const missing = (['user', 'password', 'name'] as const).filter((part) => !isSet(part)).map(toName)
      if (isSet('url')) {
        return given.length === 0
          ? []
          : [`DATABASE_URL is set, and so is ${given.join(', ')}: keep the url or its parts`]
      }
      if (given.length > 0) return missing.map((name) => `${name} is not set, and ${given[0]} is: set it too`)
      if (embedded !== undefined && environment !== 'production') return []
      return [
        `DATABASE_URL is not set: set it to postgres://user:password@host:5432/name, or set ${missing.join(', ')}`,
      ]
    },
    to({ url, user, password, host = 'localhost', port = 5432, name, retries, retryDelayMs, ...more }) {
      const isByParts = url === undefined && user !== undefined && password !== undefined && name !== undefined
      const { slowQueryMs, defaultSize, maxSize, cursorSecret, ...pool } = more
      return {
        url: isByParts ? toUrl({ user, password, host, port, name }) : (url ?? embedded ?? ''),
        pool,
        slowQueryMs,
        connect: { retries, retryDelayMs },
        pages: { defaultSize, maxSize, cursorSecret },
      }
    },
  })
}

const toName = (part: (typeof parts)[number]): string => `DB_${part.toUpperCase()}`

function toUrl(part: {
  readonly user: string
  readonly password: string
  readonly host: string
  readonly port: number
  readonly name: string
}): string {
  const [user, password, name] = [part.user, part.password, part.name].map(encodeURIComponent)
  const host = part.host.includes(':') ? `[${part.host}]` : part.host
  return `postgres://${user}:${password}@${host}:${part.port}/${name}`
}
