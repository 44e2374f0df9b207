import { badOption, checkOptions, type OptionRules, option } from '@twinwire/core/plugin'
import { parseRedisUrl, type RedisAddress } from './redis-address.ts'
import type { RedisClient } from './redis-client.ts'
import type { RedisConnectionOptions, RedisSentinelOptions, ResolvedRedisOptions } from './redis-options.ts'

/** Sentinels, and the user and the database of the servers that they watch. */
export interface RedisSentinels {
  readonly name: string
  readonly addresses: readonly RedisAddress[]
  readonly username?: string
  readonly password?: string
  readonly db: number
}

export type RedisTarget =
  | { readonly kind: 'server'; readonly address: RedisAddress }
  | { readonly kind: 'sentinels'; readonly sentinels: RedisSentinels }
  | { readonly kind: 'cluster'; readonly addresses: readonly RedisAddress[] }
  | { readonly kind: 'client'; readonly client: RedisClient }

const sentinelRules = {
  name: option.string({ required: true }),
  urls: option.list({
    of: option.string({ secret: true }),
    expects: 'a list of urls',
    min: 1,
    secret: true,
    required: true,
  }),
  username: option.string({ secret: true }),
  password: option.string({ secret: true }),
  db: option.integer({ max: 99_999, default: 0 }),
} satisfies OptionRules<RedisSentinelOptions>

export type TargetOptions = Pick<RedisConnectionOptions, 'url' | 'sentinels' | 'cluster' | 'client'>

export function toTarget(owner: string, options: TargetOptions): RedisTarget {
  const { url, sentinels, cluster, client } = options
  const given = Object.entries(options).flatMap(([name, value]) => (value === undefined ? [] : [name]))
  if (given.length > 1) throw badOption(owner, given.join(' and '), 'exclude each other: keep one of them')
  if (client !== undefined) return { kind: 'client', client }
  if (url !== undefined) return { kind: 'server', address: toAddress(owner, url, 'url') }
  if (sentinels !== undefined) {
    const { urls, ...rest } = checkOptions(owner, sentinels, sentinelRules, 'sentinels')
    if (rest.username !== undefined && rest.password === undefined)
      throw badOption(owner, 'sentinels.username', 'needs sentinels.password')
    const addresses = toAddresses(owner, urls, 'sentinels.urls', 26_379)
    return { kind: 'sentinels', sentinels: { ...rest, addresses } }
  }
  if (cluster === undefined) throw badOption(owner, 'url, sentinels, cluster or client', 'is required')
  return { kind: 'cluster', addresses: toAddresses(owner, cluster, 'cluster', 6379) }
}

/** @param path - Of the list, which names what cannot have a database. */
function toAddresses(owner: string, list: readonly string[], path: string, port: number): readonly RedisAddress[] {
  const addresses = list.map((each, i) => toAddress(owner, each, `${path}[${i}]`, port))
  const hint = path === 'cluster' ? 'a cluster has only 0' : 'set sentinels.db'
  if (addresses.some(({ db }) => db !== 0)) throw badOption(owner, path, `must not name a database: ${hint}`)
  if (new Set(addresses.map((address) => address.isTls)).size > 1)
    throw badOption(owner, path, 'must not mix redis:// and rediss://')
  return addresses
}

function toAddress(owner: string, url: string, path: string, port?: number): RedisAddress {
  const address = parseRedisUrl(url, port)
  if (typeof address === 'string') throw badOption(owner, path, address)
  return address
}

/** Null for a client of the application, which does not tell its address. */
function firstAddress(target: RedisTarget): RedisAddress | null {
  if (target.kind === 'client') return null
  if (target.kind === 'server') return target.address
  return (target.kind === 'cluster' ? target.addresses : target.sentinels.addresses)[0] ?? null
}

export const isTlsTarget = (target: RedisTarget): boolean => firstAddress(target)?.isTls === true

/** Labels of metrics. For a cluster and for Sentinels the first one of the options. */
export function labelsOf({ target }: ResolvedRedisOptions): Record<'db' | 'host' | 'port', string> {
  const address = firstAddress(target)
  if (address === null) return { db: '0', host: 'given', port: '' }
  const { db } = target.kind === 'sentinels' ? target.sentinels : address
  return { db: String(db), host: address.host, port: String(address.port) }
}

/** Where Redis is, for logs, without user and password. */
export function addressOf(options: ResolvedRedisOptions): string {
  const { target } = options
  const { host, port, db } = labelsOf(options)
  if (target.kind === 'client') return 'client of the application'
  if (target.kind === 'sentinels') return `${target.sentinels.name}/${db} of the Sentinels at ${host}:${port}`
  return target.kind === 'cluster' ? `cluster at ${host}:${port}` : `${host}:${port}/${db}`
}
