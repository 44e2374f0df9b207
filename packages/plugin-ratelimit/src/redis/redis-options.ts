import { badOption, checkOptions, type OptionRule, type OptionRules, option } from '@twinwire/core/plugin'
import type { RedisClient } from './redis-client.ts'

/** TLS options for `rediss://`, passed to Node. Certificates and keys are PEM strings. */
export interface RedisTlsOptions {
  readonly ca?: string | undefined
  readonly cert?: string | undefined
  readonly key?: string | undefined
  /** The name that the server's certificate must have. Default: the host of the url. */
  readonly servername?: string | undefined
}

/** How to connect to Redis. Exactly one of `url`, `cluster` and `client` is required. Times are in milliseconds. */
export interface RedisStoreOptions {
  /** `redis://user:password@host:6379/0`, or `rediss://` for TLS. User, password, port and database are optional. */
  readonly url?: string | undefined
  /**
   * Some nodes of a Redis Cluster, as urls without a database. User and password are taken from the first one. The other nodes are
   * discovered.
   */
  readonly cluster?: readonly string[] | undefined
  /** A `Redis` or `Cluster` of ioredis, for what a url cannot express (Sentinel, sockets, NAT). The application closes it. */
  readonly client?: RedisClient | undefined
  /** Prefix of every key. Default `twinwire:`. */
  readonly prefix?: string | undefined
  readonly tls?: RedisTlsOptions | undefined
  /** Time-out of one operation; then `onStoreError` decides what happens to the call. Default 150. */
  readonly commandTimeoutMs?: number | undefined
  /** Time-out of connecting; also how long the start of the application waits for the connection. Default 5000. */
  readonly connectTimeoutMs?: number | undefined
  /** A connection with pending replies on which none arrives for this time is replaced. Default 5000. */
  readonly socketTimeoutMs?: number | undefined
  /** Interval at which an idle connection is pinged. Default 30,000. */
  readonly healthCheckIntervalMs?: number | undefined
}

/** One server. */
export interface RedisAddress {
  readonly host: string
  readonly port: number
  readonly isTls: boolean
  readonly username?: string
  readonly password?: string
  readonly db: number
}

export interface ResolvedRedisOptions extends Readonly<Record<TimeOption, number>> {
  readonly target:
    | { readonly kind: 'server'; readonly address: RedisAddress }
    | { readonly kind: 'cluster'; readonly addresses: readonly RedisAddress[] }
    | { readonly kind: 'client'; readonly client: RedisClient }
  readonly prefix: string
  readonly tls: RedisTlsOptions
}

type TimeOption = 'commandTimeoutMs' | 'connectTimeoutMs' | 'socketTimeoutMs' | 'healthCheckIntervalMs'

export const redisTimeRules: Readonly<Record<TimeOption, OptionRule<number>>> = {
  commandTimeoutMs: option.duration({ min: 1, default: 150 }),
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

const isClient = (value: unknown): value is RedisClient =>
  typeof value === 'object' && value !== null && 'evalsha' in value && typeof value.evalsha === 'function'

const rules = {
  url: option.string({ secret: true }),
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
} satisfies OptionRules<RedisStoreOptions>

const owner = 'redisStore()'

/** Messages do not show urls, which may contain a password. @throws BootError `bad_option`, `unknown_option` */
export function resolveRedisOptions(options: RedisStoreOptions): ResolvedRedisOptions {
  const { url, cluster, client, ...rest } = checkOptions(owner, options, rules)
  const target = toTarget({ url, cluster, client })
  const isTls =
    target.kind === 'server' ? target.address.isTls : target.kind === 'cluster' && target.addresses[0]?.isTls
  if (options.tls !== undefined && isTls !== true)
    throw badOption(owner, 'tls', 'needs a url that begins with rediss://')
  return { ...rest, target }
}

function toTarget(options: Pick<RedisStoreOptions, 'url' | 'cluster' | 'client'>): ResolvedRedisOptions['target'] {
  const { url, cluster, client } = options
  const given = Object.entries(options).flatMap(([name, value]) => (value === undefined ? [] : [name]))
  if (given.length > 1) throw badOption(owner, given.join(' and '), 'exclude each other: keep one of them')
  if (client !== undefined) return { kind: 'client', client }
  if (url !== undefined) return { kind: 'server', address: toAddress(url, 'url') }
  if (cluster === undefined) throw badOption(owner, 'url, cluster or client', 'is required')
  const addresses = cluster.map((each, i) => toAddress(each, `cluster[${i}]`))
  if (addresses.some(({ db }) => db !== 0))
    throw badOption(owner, 'cluster', 'must not name a database: a cluster has only 0')
  if (new Set(addresses.map(({ isTls }) => isTls)).size > 1)
    throw badOption(owner, 'cluster', 'must not mix redis:// and rediss://')
  return { kind: 'cluster', addresses }
}

function toAddress(url: string, path: string): RedisAddress {
  const address = parseUrl(url)
  if (typeof address === 'string') throw badOption(owner, path, address)
  return address
}

/** What is wrong with a url, to follow its name in a message; null: nothing. */
export function findUrlProblem(url: string): string | null {
  const address = parseUrl(url)
  return typeof address === 'string' ? address : null
}

/** The address, or what is wrong with the url. A query is refused: ioredis would read options from it that the store depends on. */
function parseUrl(value: string): RedisAddress | string {
  const url = URL.canParse(value) ? new URL(value) : null
  if (url === null || (url.protocol !== 'redis:' && url.protocol !== 'rediss:') || url.hostname === '') {
    return 'must be redis://user:password@host:6379/0, or rediss:// for TLS'
  }
  if (url.search !== '' || url.hash !== '') return 'must not have a query or a hash: use the options of redisStore()'
  const db = /^\/?(\d{0,5})$/.exec(url.pathname)?.[1]
  if (db === undefined) return 'must have the number of a database as its path, or no path'
  const [username, password] = [url.username, url.password].map(decode)
  if (username === undefined || password === undefined) return 'has an invalid escape sequence: write % as %25'
  return {
    host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: url.port === '' ? 6379 : Number(url.port),
    isTls: url.protocol === 'rediss:',
    ...(username === '' ? {} : { username }),
    ...(password === '' ? {} : { password }),
    db: Number(db),
  }
}

function decode(encoded: string): string | undefined {
  try {
    return decodeURIComponent(encoded)
  } catch {
    return undefined
  }
}

/** Labels of metrics. For a cluster the first node of the options; a client of the application does not tell its address. */
export function labelsOf({ target }: ResolvedRedisOptions): Record<'db' | 'host' | 'port', string> {
  const address =
    target.kind === 'server' ? target.address : target.kind === 'cluster' ? target.addresses[0] : undefined
  if (address === undefined) return { db: '0', host: 'given', port: '' }
  return { db: String(address.db), host: address.host, port: String(address.port) }
}

/** For logs, without user and password. */
export function addressOf(options: ResolvedRedisOptions): string {
  const { target } = options
  const { host, port, db } = labelsOf(options)
  if (target.kind === 'client') return 'client of the application'
  return target.kind === 'cluster' ? `cluster at ${host}:${port}` : `${host}:${port}/${db}`
}
