import { type SettingsGroup, settingsGroup, variable } from '@twinwire/core/settings'
import { findUrlFault, redisDefaults } from './redis-options.ts'

/** For `redisStore(settings.redis)`. */
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
 * `REDIS_URL`, or the parts `REDIS_IP`, `REDIS_PORT`, `MAIN_REDIS_DB`, `REDIS_PASSWORD`, or `REDIS_CLUSTER`; `REDIS_COMMAND_TIMEOUT`,
 * `REDIS_CONNECT_TIMEOUT`, `REDIS_SOCKET_TIMEOUT`, `REDIS_HEALTH_CHECK_INTERVAL`. Null when none of them names a Redis.
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
      whenUnset: 'by `REDIS_IP` and its sisters, else none',
      expects: 'a url that starts with redis:// or rediss://',
      check: (url) => findUrlFault(url),
    }),
    cluster: variable.list('REDIS_CLUSTER', {
      about: 'Nodes of a Redis Cluster, instead of one server; the password is `REDIS_PASSWORD`',
      optional: true,
      whenUnset: 'one server',
      expects: 'a JSON list of urls without user and database, such as ["redis://10.0.0.1:6379"]',
      check: (urls) => (urls.length === 0 ? 'must name a node' : (urls.map(findNodeFault).find(isText) ?? null)),
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
    commandTimeoutMs: variable.duration('REDIS_COMMAND_TIMEOUT', {
      about: 'How long a call waits for Redis',
      min: 1,
      default: redisDefaults.commandTimeoutMs,
    }),
    connectTimeoutMs: variable.duration('REDIS_CONNECT_TIMEOUT', {
      about: 'How long connecting to Redis may take',
      min: 1,
      default: redisDefaults.connectTimeoutMs,
    }),
    socketTimeoutMs: variable.duration('REDIS_SOCKET_TIMEOUT', {
      about: 'A connection to Redis that owes answers and is silent for that long is replaced',
      min: 1,
      default: redisDefaults.socketTimeoutMs,
    }),
    healthCheckIntervalMs: variable.duration('REDIS_HEALTH_CHECK_INTERVAL', {
      about: 'How often an idle connection to Redis is asked whether it lives',
      min: 1,
      default: redisDefaults.healthCheckIntervalMs,
    }),
  },
  unsupported: {
    AUTH_REDIS_DB: 'sessions are not kept in Redis; take it out',
    USER_SESSION_REDIS_KEY_PREFIX: 'sessions are not kept in Redis; take it out',
    REDIS_MAX_CONNECTIONS: 'one connection serves all calls of a process; take it out',
    REDIS_RETRY_ON_TIMEOUT:
      'no command is sent twice; RATE_LIMIT_FAIL_MODE says what happens when Redis does not answer',
  },
  check({ isSet }) {
    const part = (['host', 'port', 'db', 'password'] as const).find(
      (each) => isSet(each) && !(each === 'password' && isSet('cluster')),
    )
    const ways = [
      ...(isSet('url') ? ['REDIS_URL'] : []),
      ...(isSet('cluster') ? ['REDIS_CLUSTER'] : []),
      ...(part === undefined ? [] : [parts[part]]),
    ]
    if (ways.length < 2) return []
    return [`${ways[0]} is set, and so is ${ways.slice(1).join(' and ')}: keep one way to name Redis`]
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

const isText = (fault: string | null): fault is string => fault !== null

function findNodeFault(url: string): string | null {
  return findUrlFault(url) ?? (/^rediss?:\/\/[^/@]+\/?$/.test(url) ? null : 'must name no user and no database')
}
