import { BootError } from '@twinwire/core'
import { badOption } from '@twinwire/core/plugin'
import type { ClusterOptions, RedisOptions } from 'ioredis'
import type { RedisAddress } from './redis-address.ts'
import type { RedisClient } from './redis-client.ts'
import type { ResolvedRedisOptions } from './redis-options.ts'
import type { RedisSentinels } from './redis-target.ts'
import { SentinelWatch } from './sentinel-watch.ts'

/** Commands and subscriptions need connections of their own. */
export type ClientUse = 'commands' | 'subscriptions'

/** Creates a client without connecting it. */
export type CreateClient = () => RedisClient

/**
 * A client of the application is used for commands as it is, and duplicated for subscriptions. The only function that loads ioredis.
 *
 * @throws BootError `missing_peer`, `bad_option`
 */
export async function loadClient(options: ResolvedRedisOptions, use: ClientUse): Promise<CreateClient> {
  const { target, owner } = options
  if (target.kind === 'client') return use === 'commands' ? () => target.client : toDuplicates(target.client, owner)
  const { Cluster, Redis } = await loadIoredis(owner)
  if (target.kind === 'server') {
    const { host, port, db } = target.address
    const serverOptions: RedisOptions = { ...nodeOptions(target.address, options, use), retryStrategy: backOffMs }
    return () => new Redis({ ...serverOptions, host, port, db })
  }
  if (target.kind === 'sentinels') {
    const { sentinels } = target
    const masterOptions = toMasterOptions(options, sentinels, use)
    const watches = toWatchOptions(options, sentinels).map((watchOptions) => () => new Redis(watchOptions))
    return () => {
      const client = new Redis({ ...masterOptions })
      new SentinelWatch(client, sentinels.name, watches)
      return client
    }
  }
  const clusterOptions: ClusterOptions = {
    ...clusterOptionsOf(use),
    slotsRefreshTimeout: options.connectTimeoutMs,
    // With the default of 16, a call would have timed out long before the last redirection.
    maxRedirections: 4,
    // Detects stalled nodes. For a single server RedisConnection does it, also for connections that never became ready.
    redisOptions: { ...nodeOptions(target.addresses[0], options, use), socketTimeout: options.socketTimeoutMs },
  }
  const nodes = target.addresses.map(({ host, port }) => ({ host, port }))
  return () => new Cluster(nodes, clusterOptions)
}

/** Each attempt asks the Sentinels for the master. */
function toMasterOptions(options: ResolvedRedisOptions, sentinels: RedisSentinels, use: ClientUse): RedisOptions {
  const { name, addresses, db, ...credentials } = sentinels
  const { username, password, isTls = false } = addresses[0] ?? {}
  return {
    ...nodeOptions({ ...credentials, isTls }, options, use),
    name,
    db,
    sentinels: addresses.map(({ host, port }) => ({ host, port })),
    sentinelRetryStrategy: backOffMs,
    // A Sentinel that accepts the connection and does not answer.
    sentinelCommandTimeout: options.connectTimeoutMs,
    retryStrategy: backOffMs,
    ...(username === undefined ? {} : { sentinelUsername: username }),
    ...(password === undefined ? {} : { sentinelPassword: password }),
    ...(isTls ? { enableTLSForSentinelMode: true, sentinelTLS: toTls(options) } : {}),
  }
}

/** Of the connections that watch the Sentinels. */
function toWatchOptions(options: ResolvedRedisOptions, { addresses }: RedisSentinels): readonly RedisOptions[] {
  const [first] = addresses
  return addresses.map(({ host, port }) => ({
    ...nodeOptions(first, options, 'subscriptions'),
    host,
    port,
    connectionName: 'twinwire-watch',
    enableReadyCheck: false,
    retryStrategy: backOffMs,
  }))
}

/** Commands fail at once instead of being queued: a charge that is sent again would count twice, and one sent late would count too late. */
function nodeOptions(
  address: Pick<RedisAddress, 'username' | 'password' | 'isTls'> | undefined,
  options: ResolvedRedisOptions,
  use: ClientUse,
): RedisOptions {
  const { username, password, isTls = false } = address ?? {}
  return {
    ...commonOptions(use),
    connectTimeout: options.connectTimeoutMs,
    keepAlive: options.healthCheckIntervalMs,
    // A connection that is replaced is not waited for: it has not replied for socketTimeoutMs.
    disconnectTimeout: 200,
    disableClientInfo: true,
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(isTls ? { tls: toTls(options) } : {}),
  }
}

const commonOptions = (use: ClientUse) =>
  ({
    lazyConnect: true,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    // With more than 0 ioredis never settles commands that were in flight when the connection was lost.
    maxRetriesPerRequest: 0,
    connectionName: use === 'commands' ? 'twinwire' : 'twinwire-subscriber',
    // The user of a subscriber learns of each reconnection, and subscribes again itself.
    autoResubscribe: false,
    // After a failover the old master is a replica: only a new connection reaches the new master.
    reconnectOnError: (error: Error) => error.message.includes('READONLY'),
  }) satisfies RedisOptions

const clusterOptionsOf = (use: ClientUse) =>
  ({
    lazyConnect: true,
    enableOfflineQueue: false,
    clusterRetryStrategy: backOffMs,
    // A node that gives a slot away drops the subscriptions of its channels, and ioredis does not notice.
    ...(use === 'subscriptions' && { shardedSubscribers: true, slotsRefreshInterval: 3000 }),
  }) satisfies ClusterOptions

function toDuplicates(client: RedisClient, owner: string): CreateClient {
  const { keyPrefix, redisOptions } = client.options ?? {}
  if (keyPrefix || redisOptions?.keyPrefix)
    throw badOption(owner, 'client', 'must not have a keyPrefix: use the option prefix')
  const use = 'subscriptions'
  return client.isCluster
    ? () => client.duplicate([], clusterOptionsOf(use))
    : () => client.duplicate({ ...commonOptions(use), retryStrategy: backOffMs })
}

function toTls({ tls }: ResolvedRedisOptions): NonNullable<RedisOptions['tls']> {
  return Object.fromEntries(Object.entries(tls).filter(([, value]) => value !== undefined))
}

/** Starts at 50 ms and doubles up to 2 s, with jitter between half of it and all of it, so that processes do not reconnect at the same time. */
export function backOffMs(attempt: number): number {
  const maxMs = Math.min(50 * 2 ** Math.min(attempt - 1, 10), 2000)
  return Math.round(maxMs * (0.5 + Math.random() / 2))
}

type Ioredis = Pick<typeof import('ioredis'), 'Redis' | 'Cluster'>

/** @throws BootError `missing_peer` when it is not installed; any other error is thrown unchanged. */
export async function loadIoredis(
  owner: string,
  load: () => Promise<Ioredis> = () => import('ioredis'),
): Promise<Ioredis> {
  try {
    return await load()
  } catch (error) {
    if (!isMissing(error)) throw error
    throw new BootError('missing_peer', `${owner} needs the package 'ioredis': npm install ioredis`, { cause: error })
  }
}

/** ioredis itself, not one of its dependencies. */
function isMissing(error: unknown): boolean {
  if (!(error instanceof Error) || !('code' in error)) return false
  const { code } = error
  return (code === 'ERR_MODULE_NOT_FOUND' || code === 'MODULE_NOT_FOUND') && error.message.includes("'ioredis'")
}
