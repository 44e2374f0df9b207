import { type SettingsGroup, settingsGroup, variable } from '@twinwire/core/settings'
import { findUrlProblem } from './redis-address.ts'
import { type RedisSentinelOptions, redisTimeRules } from './redis-options.ts'

/** Options for `redisBroker(settings.redis)` and `redisStore(settings.redis)`. */
export interface RedisSettings {
  readonly url?: string
  readonly sentinels?: RedisSentinelOptions
  readonly cluster?: readonly string[]
  /** Left out if it is not set: then each user of Redis has a default of its own. */
  readonly commandTimeoutMs?: number
  readonly connectTimeoutMs: number
  readonly socketTimeoutMs: number
  readonly healthCheckIntervalMs: number
}

/** Parts of the address of one server. Sentinels and clusters use some of them. */
const parts = { host: 'REDIS_IP', port: 'REDIS_PORT', db: 'MAIN_REDIS_DB', password: 'REDIS_PASSWORD' } as const
const partNames = ['host', 'port', 'db', 'password'] as const
const partsOfSentinels: readonly string[] = ['db', 'password']
const partsOfClusters: readonly string[] = ['password']
const ofSentinels = { sentinelName: 'REDIS_SENTINEL_NAME', sentinelPassword: 'REDIS_SENTINEL_PASSWORD' } as const

/**
 * `REDIS_URL`; or `REDIS_IP`, `REDIS_PORT`, `MAIN_REDIS_DB` and `REDIS_PASSWORD`; or `REDIS_SENTINELS`; or
 * `REDIS_CLUSTER`. In addition `REDIS_SENTINEL_NAME`, `REDIS_SENTINEL_PASSWORD`, `REDIS_COMMAND_TIMEOUT`, `REDIS_CONNECT_TIMEOUT`, `REDIS_SOCKET_TIMEOUT` and `REDIS_HEALTH_CHECK_INTERVAL`. Null when no address is set.
 *
 * @example
 * const settings = defineSettings({ redis: redisSettings }).read()
 * if (settings.redis === null) console.log('no Redis')
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
    sentinels: variable.list('REDIS_SENTINELS', {
      about:
        'Sentinels, instead of one server; database and password of Redis are `MAIN_REDIS_DB` and `REDIS_PASSWORD`',
      optional: true,
      whenUnset: 'one server',
      expects: 'a JSON list of urls without user and database, such as ["redis://10.0.0.1:26379"]',
      check: (urls) => findListProblem(urls, 26_379),
    }),
    sentinelName: variable.text(ofSentinels.sentinelName, {
      about: 'What the Sentinels call the master',
      optional: true,
      whenUnset: '`mymaster`',
    }),
    sentinelPassword: variable.text(ofSentinels.sentinelPassword, {
      about: 'Password of the Sentinels',
      secret: true,
      optional: true,
      whenUnset: 'none',
    }),
    cluster: variable.list('REDIS_CLUSTER', {
      about: 'Nodes of a Redis Cluster, instead of one server; the password is `REDIS_PASSWORD`',
      optional: true,
      whenUnset: 'one server',
      expects: 'a JSON list of urls without user and database, such as ["redis://10.0.0.1:6379"]',
      check: (urls) => findListProblem(urls, 6379),
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
      whenUnset: '`150ms` for limits, `5s` for the broker',
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
    const usable = isSet('cluster') ? partsOfClusters : isSet('sentinels') ? partsOfSentinels : []
    const part = partNames.find((each) => isSet(each) && !usable.includes(each))
    const addresses = [
      ...(isSet('url') ? ['REDIS_URL'] : []),
      ...(isSet('sentinels') ? ['REDIS_SENTINELS'] : []),
      ...(isSet('cluster') ? ['REDIS_CLUSTER'] : []),
      ...(part === undefined ? [] : [parts[part]]),
    ]
    const alone = (['sentinelName', 'sentinelPassword'] as const).filter((each) => isSet(each) && !isSet('sentinels'))
    return [
      ...(addresses.length < 2 ? [] : [`${addresses.join(' and ')} exclude each other: keep one of them`]),
      ...alone.map((each) => `${ofSentinels[each]} is not used without REDIS_SENTINELS: set both or none`),
    ]
  },
  to({
    url,
    sentinels,
    sentinelName = 'mymaster',
    sentinelPassword = '',
    cluster,
    host,
    port,
    db,
    password = '',
    ...times
  }) {
    if (url !== undefined) return { url, ...times }
    if (cluster !== undefined) return { cluster: cluster.map((node) => withPassword(node, password)), ...times }
    if (sentinels !== undefined) {
      const urls = sentinels.map((each) => withPassword(each, sentinelPassword))
      const credentials = password === '' ? {} : { password }
      return { sentinels: { name: sentinelName, urls, ...credentials, db: db ?? 1 }, ...times }
    }
    if (password === '' && [host, port, db].every((part) => part === undefined)) return null
    const name = host?.includes(':') ? `[${host}]` : (host ?? 'localhost')
    return { url: withPassword(`redis://${name}:${port ?? 6379}/${db ?? 1}`, password), ...times }
  },
})

function withPassword(url: string, password: string): string {
  return password === '' ? url : url.replace('://', `://:${encodeURIComponent(password)}@`)
}

function findListProblem(urls: readonly string[], defaultPort: number): string | null {
  if (urls.length === 0) return 'must contain at least one url'
  for (const url of urls) {
    const problem = findUrlProblem(url, defaultPort) ?? findPartProblem(url)
    if (problem !== null) return problem
  }
  return new Set(urls.map((url) => new URL(url).protocol)).size > 1 ? 'must not mix redis:// and rediss://' : null
}

const findPartProblem = (url: string): string | null =>
  /^rediss?:\/\/[^/@]+\/?$/.test(url) ? null : 'must not have a user or a database'
