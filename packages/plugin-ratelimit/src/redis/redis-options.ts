import { BootError } from '@twinwire/core'
import { checkOptions, checkWholeNumber } from '../check-options.ts'
import type { RedisClient } from './redis-client.ts'

/** For `rediss://`: what of Node's TLS is worth setting. PEM texts. */
export interface RedisTlsOptions {
  readonly ca?: string | undefined
  readonly cert?: string | undefined
  readonly key?: string | undefined
  /** The name that the certificate has to bear. Default: the host of the url. */
  readonly servername?: string | undefined
}

/** Where Redis is, and how long it may take. One of `url`, `cluster` and `client` is given. Times are in milliseconds. */
export interface RedisStoreOptions {
  /** `redis://user:password@host:6379/0`, or `rediss://` for TLS. User, password, port and database may be left out. */
  readonly url?: string | undefined
  /** Some nodes of a Redis Cluster, as urls without a database; user and password are those of the first. The others are found. */
  readonly cluster?: readonly string[] | undefined
  /** A `Redis` or `Cluster` of ioredis, for what urls cannot say (Sentinel, sockets, NAT). It stays yours: it is not closed. */
  readonly client?: RedisClient | undefined
  /** Every key begins with it. Default `twinwire:`. */
  readonly prefix?: string | undefined
  readonly tls?: RedisTlsOptions | undefined
  /** How long a call waits for an answer; then `onStoreError` decides. Default 150. */
  readonly commandTimeoutMs?: number | undefined
  /** How long connecting may take, and how long the start of the app waits for it. Default 5000. */
  readonly connectTimeoutMs?: number | undefined
  /** A connection on which answers are due and none comes for that long is replaced. Default 5000. */
  readonly socketTimeoutMs?: number | undefined
  /** An idle connection is asked whether it lives. Default 30,000. */
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

export interface ResolvedRedisOptions {
  readonly target:
    | { readonly kind: 'server'; readonly address: RedisAddress }
    | { readonly kind: 'cluster'; readonly addresses: readonly RedisAddress[] }
    | { readonly kind: 'client'; readonly client: RedisClient }
  readonly prefix: string
  readonly tls: RedisTlsOptions
  readonly commandTimeoutMs: number
  readonly connectTimeoutMs: number
  readonly socketTimeoutMs: number
  readonly healthCheckIntervalMs: number
}

export const redisDefaults = {
  prefix: 'twinwire:',
  commandTimeoutMs: 150,
  connectTimeoutMs: 5000,
  socketTimeoutMs: 5000,
  healthCheckIntervalMs: 30_000,
} as const

const times = ['commandTimeoutMs', 'connectTimeoutMs', 'socketTimeoutMs', 'healthCheckIntervalMs'] as const
const targets = ['url', 'cluster', 'client'] as const
const known: Readonly<Record<keyof RedisStoreOptions, true>> = {
  url: true,
  cluster: true,
  client: true,
  prefix: true,
  tls: true,
  commandTimeoutMs: true,
  connectTimeoutMs: true,
  socketTimeoutMs: true,
  healthCheckIntervalMs: true,
}
const knownTls: Readonly<Record<keyof RedisTlsOptions, true>> = { ca: true, cert: true, key: true, servername: true }

/** Throws BootError `bad_option` or `unknown_option`; no message shows a url, which may hold a password. */
export function resolveRedisOptions(options: RedisStoreOptions): ResolvedRedisOptions {
  checkOptions('redisStore()', options, known)
  const { tls = {}, prefix = redisDefaults.prefix } = options
  checkOptions('tls of redisStore()', tls, knownTls)
  if (typeof prefix !== 'string' || /[{}]/.test(prefix) || prefix.length > 128) {
    throw bad('prefix must be a text of at most 128 characters without { and }, which mark slots of a cluster')
  }
  const target = toTarget(options)
  const isTls =
    target.kind === 'server' ? target.address.isTls : target.kind === 'cluster' && target.addresses[0]?.isTls
  if (options.tls !== undefined && isTls !== true) throw bad('tls needs a url that begins with rediss://')
  return { target, prefix, tls, ...toTimes(options) }
}

function toTarget(options: RedisStoreOptions): ResolvedRedisOptions['target'] {
  const given = targets.filter((name) => options[name] !== undefined)
  if (given.length !== 1)
    throw bad(`one of url, cluster and client must be given, not ${given.join(' and ') || 'none'}`)
  const { url, cluster, client } = options
  if (client !== undefined) {
    if (typeof client?.evalsha !== 'function') throw bad('client must be a Redis or a Cluster of ioredis')
    return { kind: 'client', client }
  }
  if (cluster === undefined) return { kind: 'server', address: toAddress(url, 'url') }
  if (!Array.isArray(cluster) || cluster.length === 0) throw bad('cluster must be a list of urls')
  const addresses = cluster.map((each, i) => toAddress(each, `cluster[${i}]`))
  if (addresses.some(({ db }) => db !== 0)) throw bad('cluster names a database, and a cluster has none but 0')
  if (new Set(addresses.map(({ isTls }) => isTls)).size > 1) throw bad('cluster has redis:// and rediss://: keep one')
  return { kind: 'cluster', addresses }
}

function toAddress(text: unknown, what: string): RedisAddress {
  const address = readUrl(text)
  if (typeof address === 'string') throw bad(`${what} ${address}`)
  return address
}

/** What is wrong with a url, for after its name, or null. */
export function findUrlFault(text: string): string | null {
  const address = readUrl(text)
  return typeof address === 'string' ? address : null
}

/** The address, or what is wrong with it. Strict: what ioredis takes from a query could switch off what is relied on here. */
function readUrl(text: unknown): RedisAddress | string {
  const url = typeof text === 'string' && URL.canParse(text) ? new URL(text) : null
  if (url === null || (url.protocol !== 'redis:' && url.protocol !== 'rediss:') || url.hostname === '') {
    return 'must be redis://user:password@host:6379/0, or rediss:// for TLS'
  }
  if (url.search !== '' || url.hash !== '')
    return 'must have no query: what it says belongs into options of redisStore()'
  const db = /^\/?(\d{0,5})$/.exec(url.pathname)?.[1]
  if (db === undefined) return 'must end in the number of a database, or in nothing'
  const [username, password] = [url.username, url.password].map(decode)
  if (username === undefined || password === undefined) return 'has a % that begins no escape: write %25'
  return {
    host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: url.port === '' ? 6379 : Number(url.port),
    isTls: url.protocol === 'rediss:',
    ...(username === '' ? {} : { username }),
    ...(password === '' ? {} : { password }),
    db: Number(db),
  }
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}

function toTimes(options: RedisStoreOptions): Pick<ResolvedRedisOptions, (typeof times)[number]> {
  const time = (name: (typeof times)[number]): number => {
    const value = options[name] ?? redisDefaults[name]
    checkWholeNumber(`${name} of redisStore()`, value, 1, 86_400_000)
    return value
  }
  return {
    commandTimeoutMs: time('commandTimeoutMs'),
    connectTimeoutMs: time('connectTimeoutMs'),
    socketTimeoutMs: time('socketTimeoutMs'),
    healthCheckIntervalMs: time('healthCheckIntervalMs'),
  }
}

const bad = (message: string): BootError => new BootError('bad_option', `redisStore(): ${message}`)

/** Of a cluster the first node that was named; a client that was given does not say where it leads to. */
export function labelsOf({ target }: ResolvedRedisOptions): Record<'db' | 'host' | 'port', string> {
  const address =
    target.kind === 'server' ? target.address : target.kind === 'cluster' ? target.addresses[0] : undefined
  if (address === undefined) return { db: '0', host: 'given', port: '' }
  return { db: String(address.db), host: address.host, port: String(address.port) }
}

/** For people, without user and password. */
export function placeOf(options: ResolvedRedisOptions): string {
  const { target } = options
  const { host, port, db } = labelsOf(options)
  if (target.kind === 'client') return 'a client that was given'
  return target.kind === 'cluster' ? `cluster at ${host}:${port}` : `${host}:${port}/${db}`
}
