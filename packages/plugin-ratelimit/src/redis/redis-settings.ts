import { type SettingsGroup, settingsGroup, variable } from '@twinwire/core/settings'
import { findUrlProblem, redisTimeRules } from './redis-options.ts'

/** Options for `redisStore(settings.redis)`. */
export interface RedisSettings {
  readonly url?: string
  readonly cluster?: readonly string[]
  readonly commandTimeoutMs: number
  readonly connectTimeoutMs: number
  readonly socketTimeoutMs: number
  readonly healthCheckIntervalMs: number
}

const parts = { host: 'REDIS_IP', port: 'REDIS_PORT', db: 'MAIN_REDIS_DB', password: 'REDIS_PASSWORD' } as const

/**
 * `REDIS_URL`; or `REDIS_IP`, `REDIS_PORT`, `MAIN_REDIS_DB` and `REDIS_PASSWORD`; or `REDIS_CLUSTER`. In addition `REDIS_COMMAND_TIMEOUT`,
 * `REDIS_CONNECT_TIMEOUT`, `REDIS_SOCKET_TIMEOUT` and `REDIS_HEALTH_CHECK_INTERVAL`. Null when no address is set.
 *
 * @example
 * const settings = defineSettings({ redis: redisSettings }).read()
 * const plugin = rateLimit(settings.redis === null ? {} : { store: redisStore(settings.redis) })
 */
export const redisSettings: SettingsGroup<RedisSettings | null> = settingsGroup({
  variables: {
    url: variable.text('REDIS_URL', {
      about: '`redis://user:password@host:6379/0`, or `rediss://` for TLS',
      secret: true,
      optional: true,
      whenUnset: 'built from `REDIS_IP`, `REDIS_PORT`, `MAIN_REDIS_DB` and `REDIS_PASSWORD`, else none',
      expects: 'a url that starts with redis:// or rediss://',
      check: (url) => findUrlProblem(url),
    }),
    cluster: variable.list('REDIS_CLUSTER', {
      about: 'Nodes of a Redis Cluster, instead of one server; the password is `REDIS_PASSWORD`',
      optional: true,
      whenUnset: 'one server',
      expects: 'a JSON list of urls without user and database, such as ["redis://10.0.0.1:6379"]',
      check: (urls) =>
        urls.length === 0 ? 'must contain at least one node' : (urls.map(findNodeProblem).find(isString) ?? null),
    }),
    host: variable.text(parts.host, {
      about: 'Host of Redis',
      optional: true,
      whenUnset: '`localhost` if another part is set',
      check: (host) => (/^[\w.:-]+$/.test(host) ? null : 'must be a host name or an IP address'),
    }),
    port: variable.integer(parts.port, {
      about: 'Port of Redis',
      min: 1,
      max: 65_535,
      optional: true,
      whenUnset: '`6379`',
    }),
    db: variable.integer(parts.db, {
      about: 'Database of Redis',
      max: 99_999,
      optional: true,
      whenUnset: '`1` if another part is set',
    }),
    password: variable.text(parts.password, {
      about: 'Password of Redis',
      secret: true,
      optional: true,
      whenUnset: 'none',
    }),
    commandTimeoutMs: variable.option('REDIS_COMMAND_TIMEOUT', redisTimeRules.commandTimeoutMs, {
      about: 'Time-out of one Redis operation',
    }),
    connectTimeoutMs: variable.option('REDIS_CONNECT_TIMEOUT', redisTimeRules.connectTimeoutMs, {
      about: 'Time-out of connecting to Redis',
    }),
    socketTimeoutMs: variable.option('REDIS_SOCKET_TIMEOUT', redisTimeRules.socketTimeoutMs, {
      about: 'A connection with pending replies on which none arrives for this time is replaced',
    }),
    healthCheckIntervalMs: variable.option('REDIS_HEALTH_CHECK_INTERVAL', redisTimeRules.healthCheckIntervalMs, {
      about: 'Interval at which an idle connection is pinged',
    }),
  },
  unsupported: {
    AUTH_REDIS_DB: 'sessions are not kept in Redis; remove it',
    USER_SESSION_REDIS_KEY_PREFIX: 'sessions are not kept in Redis; remove it',
    REDIS_MAX_CONNECTIONS: 'a process uses one connection for all calls; remove it',
    REDIS_RETRY_ON_TIMEOUT:
      'no command is sent twice; RATE_LIMIT_FAIL_MODE decides what happens when Redis does not reply',
  },
  check({ isSet }) {
    const part = (['host', 'port', 'db', 'password'] as const).find(
      (each) => isSet(each) && !(each === 'password' && isSet('cluster')),
    )
    const addresses = [
      ...(isSet('url') ? ['REDIS_URL'] : []),
      ...(isSet('cluster') ? ['REDIS_CLUSTER'] : []),
      ...(part === undefined ? [] : [parts[part]]),
    ]
    return addresses.length < 2 ? [] : [`${addresses.join(' and ')} exclude each other: keep one of them`]
  },
  to({ url, cluster, host, port, db, password = '', ...times }) {
    const user = password === '' ? '' : `:${encodeURIComponent(password)}@`
    if (url !== undefined) return { url, ...times }
    if (cluster !== undefined) return { cluster: cluster.map((node) => node.replace('://', `://${user}`)), ...times }
    if (password === '' && [host, port, db].every((part) => part === undefined)) return null
    const name = host?.includes(':') ? `[${host}]` : (host ?? 'localhost')
    return { url: `redis://${user}${name}:${port ?? 6379}/${db ?? 1}`, ...times }
  },
})

const isString = (problem: string | null): problem is string => problem !== null

function findNodeProblem(url: string): string | null {
  return findUrlProblem(url) ?? (/^rediss?:\/\/[^/@]+\/?$/.test(url) ? null : 'must not have a user or a database')
}
