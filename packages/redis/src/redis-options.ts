import { badOption, checkOptions, type OptionRule, type OptionRules, option } from '@twinwire/core/plugin'
import type { RedisClient } from './redis-client.ts'
import { isTlsTarget, type RedisTarget, type TargetOptions, toTarget } from './redis-target.ts'

/** TLS options for `rediss://`, passed to Node. Certificates and keys are PEM strings. */
export interface RedisTlsOptions {
  readonly ca?: string | undefined
  readonly cert?: string | undefined
  readonly key?: string | undefined
  /** The name that the server's certificate must have. Default: the host of the url. */
  readonly servername?: string | undefined
}

/** A master and its replicas, found by Sentinels. */
export interface RedisSentinelOptions {
  /** How the Sentinels call the master: `mymaster`. */
  readonly name: string
  /**
   * Some of the Sentinels, as urls without a database: `redis://10.0.0.1:26379`. With `rediss://` the connections to the Sentinels and to Redis use
   * TLS. User and password of the Sentinels are taken from the first one. The other Sentinels are discovered.
   */
  readonly urls: readonly string[]
  /** User of the Redis servers. */
  readonly username?: string | undefined
  /** Password of the Redis servers. */
  readonly password?: string | undefined
  /** Database of the Redis servers. Default 0. */
  readonly db?: number | undefined
}

/** How to connect to Redis. Exactly one of `url`, `sentinels`, `cluster` and `client` is required. Times are in milliseconds. */
export interface RedisConnectionOptions {
  /** `redis://user:password@host:6379/0`, or `rediss://` for TLS. User, password, port and database are optional. */
  readonly url?: string | undefined
  /** A master and its replicas: after a failover the new master is used. */
  readonly sentinels?: RedisSentinelOptions | undefined
  /**
   * Some nodes of a Redis Cluster, as urls without a database. User and password are taken from the first one. The other nodes are
   * discovered.
   */
  readonly cluster?: readonly string[] | undefined
  /** A `Redis` or `Cluster` of ioredis, for what the other options cannot express (sockets, NAT). The application closes it. */
  readonly client?: RedisClient | undefined
  /** Prefix of every key. Default `twinwire:`. */
  readonly prefix?: string | undefined
  readonly tls?: RedisTlsOptions | undefined
  /** Time-out of one operation. */
  readonly commandTimeoutMs?: number | undefined
  /** Time-out of connecting; also how long the start of the application waits for the connection. Default 5000. */
  readonly connectTimeoutMs?: number | undefined
  /** A connection with pending replies on which none arrives for this time is replaced. Default 5000. */
  readonly socketTimeoutMs?: number | undefined
  /** Interval at which an idle connection is pinged. Default 30,000. */
  readonly healthCheckIntervalMs?: number | undefined
}

/** Checked options, with defaults. */
export interface ResolvedRedisOptions extends Readonly<Record<TimeOption, number>> {
  /** Whose options they are, as messages name it: `redisStore()`. */
  readonly owner: string
  readonly target: RedisTarget
  readonly prefix: string
  readonly tls: RedisTlsOptions
}

/** What differs between the functions that take these options. */
export interface RedisOptionsOwner {
  /** As messages name it: `redisStore()`. */
  readonly owner: string
  /** Default of `commandTimeoutMs`. */
  readonly commandTimeoutMs: number
}

type TimeOption = 'commandTimeoutMs' | 'connectTimeoutMs' | 'socketTimeoutMs' | 'healthCheckIntervalMs'

type TimeRules = Readonly<Record<Exclude<TimeOption, 'commandTimeoutMs'>, OptionRule<number>>> &
  OptionRules<Pick<RedisConnectionOptions, 'commandTimeoutMs'>>

type RedisOptionRules = TimeRules &
  OptionRules<TargetOptions> & { readonly prefix: OptionRule<string>; readonly tls: OptionRule<RedisTlsOptions> }

export const redisTimeRules: TimeRules = {
  commandTimeoutMs: option.duration({ min: 1 }),
  connectTimeoutMs: option.duration({ min: 1, default: 5000 }),
  socketTimeoutMs: option.duration({ min: 1, default: 5000 }),
  healthCheckIntervalMs: option.duration({ min: 1, default: 30_000 }),
}

const pem = option.string({ expects: 'a PEM string', secret: true })

const tlsRules = {
  ca: pem,
  cert: pem,
  key: pem,
  servername: option.string(),
} satisfies OptionRules<RedisTlsOptions>

const isSentinels = (value: unknown): value is RedisSentinelOptions => typeof value === 'object' && value !== null

const isClient = (value: unknown): value is RedisClient =>
  typeof value === 'object' && value !== null && 'evalsha' in value && typeof value.evalsha === 'function'

/** For a function that has more options than these: `checkOptions('redisBroker()', options, { ...redisOptionRules, history: … })`. */
export const redisOptionRules: RedisOptionRules = {
  url: option.string({ secret: true }),
  /** Checked by `toTarget`: what it requires would else be required of everyone. */
  sentinels: option.custom({ expects: 'an object of options', is: isSentinels }),
  cluster: option.list({ of: option.string({ secret: true }), expects: 'a list of urls', min: 1, secret: true }),
  client: option.custom({ expects: 'a Redis or a Cluster of ioredis', is: isClient }),
  prefix: option.string({
    // Braces would mark the hash slot of a cluster.
    expects: 'a string of at most 128 characters without { and }',
    test: (prefix) => !/[{}]/.test(prefix) && prefix.length <= 128,
    default: 'twinwire:',
  }),
  tls: option.object(tlsRules),
  ...redisTimeRules,
}

/** Messages do not show urls, which may contain a password. @throws BootError `bad_option`, `unknown_option` */
export function resolveRedisOptions(
  options: RedisConnectionOptions,
  defaults: RedisOptionsOwner,
): ResolvedRedisOptions {
  const { owner } = defaults
  const checked = checkOptions(owner, options, redisOptionRules)
  const { url, sentinels, cluster, client, commandTimeoutMs = defaults.commandTimeoutMs, ...rest } = checked
  const target = toTarget(owner, { url, sentinels, cluster, client })
  if (options.tls !== undefined && !isTlsTarget(target))
    throw badOption(owner, 'tls', 'needs a url that begins with rediss://')
  return { ...rest, commandTimeoutMs, owner, target }
}
