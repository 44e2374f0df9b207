import { type SettingsGroup, settingsGroup } from '../settings/group.ts'
import { variable } from '../settings/variable.ts'
import { type ConnectOptions, connectDefaults } from './connect.ts'
import type { PoolOptions } from './drivers/pool-options.ts'
import { minSecretLength, mostPageSize, type PageOptions, pageDefaults } from './page-settings.ts'
import { poolVariables, slowQueryVariable } from './pool-variables.ts'

/** For `database({ ...settings.database, migrations })`. */
export interface DatabaseSettings {
  readonly url: string
  readonly pool: Required<PoolOptions>
  readonly slowQueryMs: number
  readonly connect: Required<ConnectOptions>
  readonly pages: PageOptions
}

export interface DatabaseSettingsOptions {
  /** The `pglite://` url that holds when no variable names a database; never in production. Default: one must be named. */
  readonly embedded?: string
}

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
  const byParts = 'by `DB_USER` and its sisters'
  const whenUnset = embedded === undefined ? byParts : `${byParts}, else embedded`
  const withParts = 'required if another part is set'
  return settingsGroup({
    variables: {
      url: variable.text('DATABASE_URL', {
        about:
          '`postgres://user:password@host:5432/name`, or `pglite://` for an embedded one, which production refuses',
        secret: true,
        optional: true,
        whenUnset: { dev: whenUnset, test: whenUnset, staging: whenUnset, production: byParts },
        expects: 'a url that starts with postgres:// or pglite://',
        check: (url) =>
          /^(?:postgres|postgresql|pglite):\/\/./.test(url) ? null : 'must start with postgres:// or pglite://',
      }),
      user: variable.text('DB_USER', { about: 'User of the database', optional: true, whenUnset: withParts }),
      password: variable.text('DB_PASSWORD', {
        about: 'Password of that user',
        secret: true,
        optional: true,
        whenUnset: withParts,
      }),
      host: variable.text('DB_HOST', {
        about: 'Host of the database',
        optional: true,
        whenUnset: '`localhost`',
        check: (host) => (/^[\w.:-]+$/.test(host) ? null : 'must be a host name or an IP address'),
      }),
      port: variable.integer('DB_PORT', {
        about: 'Port of the database',
        min: 1,
        max: 65_535,
        optional: true,
        whenUnset: '`5432`',
      }),
      name: variable.text('DB_NAME', { about: 'Name of the database', optional: true, whenUnset: withParts }),
      ...poolVariables,
      slowQueryMs: slowQueryVariable,
      retryDelayMs: variable.duration('DB_INIT_RETRY_INTERVAL', {
        about: 'Pause between attempts to reach the database at start',
        default: connectDefaults.retryDelayMs,
      }),
      retries: variable.integer('DB_INIT_MAX_RETRIES', {
        about: 'Attempts after the first to reach the database at start',
        max: 1_000_000,
        default: connectDefaults.retries,
      }),
      defaultSize: variable.integer('DEFAULT_PAGE_SIZE', {
        about: 'Rows of a page when a request does not say',
        min: 1,
        max: mostPageSize,
        default: pageDefaults.defaultSize,
      }),
      maxSize: variable.integer('MAX_PAGE_SIZE', {
        about: 'Most rows of a page',
        min: 1,
        max: mostPageSize,
        default: pageDefaults.maxSize,
      }),
      cursorSecret: variable.text('CURSOR_SECRET', {
        about: `Signs the cursors of pages, at least ${minSecretLength} characters; the same in all processes`,
        secret: true,
        optional: true,
        whenUnset: 'cursors carry a checksum',
        check: (secret) =>
          secret.length < minSecretLength ? `must have at least ${minSecretLength} characters` : null,
      }),
    },
    unsupported: { DB_MAX_OVERFLOW: 'DB_POOL_SIZE is the most connections there will be; add the overflow to it' },
    check({ environment, isSet }) {
      const given = parts.filter(isSet).map(toName)
      const lacking = (['user', 'password', 'name'] as const).filter((part) => !isSet(part)).map(toName)
      if (isSet('url')) {
        return given.length === 0
          ? []
          : [`DATABASE_URL is set, and so is ${given.join(', ')}: keep the url or its parts`]
      }
      if (given.length > 0) return lacking.map((name) => `${name} is not set, and ${given[0]} is: set it too`)
      if (embedded !== undefined && environment !== 'production') return []
      return [
        `DATABASE_URL is not set: set it to postgres://user:password@host:5432/name, or set ${lacking.join(', ')}`,
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
