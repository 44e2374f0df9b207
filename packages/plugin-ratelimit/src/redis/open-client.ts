import { BootError } from '@twinwire/core'
import type { ClusterOptions, RedisOptions } from 'ioredis'
import type { RedisClient } from './redis-client.ts'
import type { RedisAddress, ResolvedRedisOptions } from './redis-options.ts'

/** Makes the client that options name, not connected yet. The only place that loads ioredis. */
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
    // A call has given up long before the sixteenth attempt, which is the default.
    maxRedirections: 4,
    // A node is a connection that is not opened twice, so ioredis' own watch does; see RedisConnection.
    redisOptions: { ...nodeOptions(first, options), socketTimeout: options.socketTimeoutMs },
  }
  return new Cluster(
    target.addresses.map(({ host, port }) => ({ host, port })),
    clusterOptions,
  )
}

/** Fails at once instead of queueing: a take that is sent again later would be counted twice, and too late. */
function nodeOptions(address: RedisAddress | undefined, options: ResolvedRedisOptions): RedisOptions {
  const { username, password, isTls = false } = address ?? {}
  return {
    lazyConnect: true,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    // With more than 0 ioredis forgets, without a rejection, what was under way when a connection was lost.
    maxRetriesPerRequest: 0,
    connectTimeout: options.connectTimeoutMs,
    keepAlive: options.healthCheckIntervalMs,
    // What is replaced has been silent for long enough.
    disconnectTimeout: 200,
    connectionName: 'twinwire',
    disableClientInfo: true,
    // After a failover the old master goes on as a replica: only a new connection finds the new one.
    reconnectOnError: (error) => error.message.includes('READONLY'),
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(isTls ? { tls: toTls(options) } : {}),
  }
}

function toTls({ tls }: ResolvedRedisOptions): NonNullable<RedisOptions['tls']> {
  return Object.fromEntries(Object.entries(tls).filter(([, value]) => value !== undefined))
}

/** From 50 ms, doubled up to 2 s, each time between half of it and all of it: processes do not come back in step. */
export function backOffMs(attempt: number): number {
  const most = Math.min(50 * 2 ** Math.min(attempt - 1, 10), 2000)
  return Math.round(most * (0.5 + Math.random() / 2))
}

type Ioredis = Pick<typeof import('ioredis'), 'Redis' | 'Cluster'>

/** That it is not installed is one sentence; any other failure passes as it is. */
export async function loadIoredis(load: () => Promise<Ioredis> = () => import('ioredis')): Promise<Ioredis> {
  try {
    return await load()
  } catch (error) {
    if (!isMissing(error)) throw error
    throw new BootError('peer_missing', "redisStore() needs the package 'ioredis': npm install ioredis", {
      cause: error,
    })
  }
}

/** The package itself, not one that it needs in turn. */
function isMissing(error: unknown): boolean {
  if (!(error instanceof Error) || !('code' in error)) return false
  const { code } = error
  return (code === 'ERR_MODULE_NOT_FOUND' || code === 'MODULE_NOT_FOUND') && error.message.includes("'ioredis'")
}
