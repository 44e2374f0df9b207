import { BootError } from '@twinwire/core'
import type { ClusterOptions, RedisOptions } from 'ioredis'
import type { RedisClient } from './redis-client.ts'
import type { RedisAddress, ResolvedRedisOptions } from './redis-options.ts'

/** Creates the client without connecting it. The only function that loads ioredis. */
export async function openClient(options: ResolvedRedisOptions): Promise<RedisClient> {
  const { target } = options
  if (target.kind === 'client') return target.client
  const { Cluster, Redis } = await loadIoredis()
  if (target.kind === 'server') {
    const { host, port, db } = target.address
    return new Redis({ ...nodeOptions(target.address, options), host, port, db, retryStrategy: backOffMs })
  }
  const [first] = target.addresses
  const clusterOptions: ClusterOptions = {
    lazyConnect: true,
    enableOfflineQueue: false,
    clusterRetryStrategy: backOffMs,
    slotsRefreshTimeout: options.connectTimeoutMs,
    // With the default of 16, a call would have timed out long before the last redirection.
    maxRedirections: 4,
    // Detects stalled nodes. For a single server RedisConnection does it, also for connections that never became ready.
    redisOptions: { ...nodeOptions(first, options), socketTimeout: options.socketTimeoutMs },
  }
  return new Cluster(
    target.addresses.map(({ host, port }) => ({ host, port })),
    clusterOptions,
  )
}

/** Commands fail at once instead of being queued: a charge that is sent again would count twice, and one sent late would count too late. */
function nodeOptions(address: RedisAddress | undefined, options: ResolvedRedisOptions): RedisOptions {
  const { username, password, isTls = false } = address ?? {}
  return {
    lazyConnect: true,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    // With more than 0 ioredis never settles commands that were in flight when the connection was lost.
    maxRetriesPerRequest: 0,
    connectTimeout: options.connectTimeoutMs,
    keepAlive: options.healthCheckIntervalMs,
    // A connection that is replaced is not waited for: it has not replied for socketTimeoutMs.
    disconnectTimeout: 200,
    connectionName: 'twinwire',
    disableClientInfo: true,
    // After a failover the old master is a replica: only a new connection reaches the new master.
    reconnectOnError: (error) => error.message.includes('READONLY'),
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(isTls ? { tls: toTls(options) } : {}),
  }
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
export async function loadIoredis(load: () => Promise<Ioredis> = () => import('ioredis')): Promise<Ioredis> {
  try {
    return await load()
  } catch (error) {
    if (!isMissing(error)) throw error
    throw new BootError('missing_peer', "redisStore() needs the package 'ioredis': npm install ioredis", {
      cause: error,
    })
  }
}

/** ioredis itself, not one of its dependencies. */
function isMissing(error: unknown): boolean {
  if (!(error instanceof Error) || !('code' in error)) return false
  const { code } = error
  return (code === 'ERR_MODULE_NOT_FOUND' || code === 'MODULE_NOT_FOUND') && error.message.includes("'ioredis'")
}
