import { randomBytes } from 'node:crypto'
import process from 'node:process'
import { redisClient } from './redis-client.ts'
import { canBeCluster, hasRedisBinary, type RedisServer, startRedisServer } from './redis-server.ts'
import { type ServiceSource, serviceMissing } from './service.ts'

export { expiresAt, redisClient } from './redis-client.ts'
export { hasRedisBinary } from './redis-server.ts'

export interface TestRedis {
  readonly url: string
  readonly source: ServiceSource
  /** Keys of this caller begin with it: the server may be shared, so nothing else is touched and nothing is flushed. */
  readonly prefix: string
  /** Deletes the keys under the prefix; may be called again. */
  drop(): Promise<void>
  /** Deletes the keys under the prefix, and ends the server if it was started for them. */
  stop(): Promise<void>
}

/**
 * Says whether `startRedis()` can work here; if not, prints why, or throws where services are required.
 * Nothing is started: `describe.skipIf(!(await hasRedis()))('…', () => { … })`.
 */
export async function hasRedis(): Promise<boolean> {
  if (process.env.TEST_REDIS_URL || hasRedisBinary() || (await answers(localUrl))) return true
  return serviceMissing('Redis', 'set TEST_REDIS_URL, run one on 127.0.0.1:6379, or put redis-server on the PATH')
}

/** Says whether `startRedisServer()` can work here; if not, prints why, or throws where services are required. */
export function hasOwnRedis(): boolean {
  return hasRedisBinary() || serviceMissing('A Redis of its own', 'put redis-server on the PATH')
}

/** Says whether `startRedisCluster()` can work here: as `hasOwnRedis`, and an older server skips its suites. */
export function hasRedisCluster(): boolean {
  return hasOwnRedis() && canBeCluster()
}

/**
 * The server of `TEST_REDIS_URL`, else a local one, else a `redis-server` from the PATH on a free port.
 * `own: true` always starts a server of the caller's own; suites that kill it or set it up take `startRedisServer`.
 */
export async function startRedis(options: { own?: boolean } = {}): Promise<TestRedis> {
  const server = await findServer(options.own ?? false)
  const prefix = `twinwire-test:${randomBytes(8).toString('hex')}:`
  const drop = (): Promise<void> => deleteKeys(server.url, prefix)
  let stopped: Promise<void> | undefined
  const stop = async (): Promise<void> => {
    if (server.own === null) await drop()
    else await server.own.stop()
  }
  return {
    url: server.url,
    source: server.source,
    prefix,
    drop,
    stop: () => {
      stopped ??= stop()
      return stopped
    },
  }
}

interface Server {
  readonly url: string
  readonly source: ServiceSource
  /** Null for one that others use too. */
  readonly own: RedisServer | null
}

const localUrl = 'redis://127.0.0.1:6379'

async function findServer(own: boolean): Promise<Server> {
  if (!own) {
    const given = process.env.TEST_REDIS_URL
    if (given) {
      if (!(await answers(given))) throw new Error('TEST_REDIS_URL does not answer')
      return { url: given, source: 'given', own: null }
    }
    if (await answers(localUrl)) return { url: localUrl, source: 'local', own: null }
  }
  const server = await startRedisServer()
  return { url: server.url, source: 'own', own: server }
}

async function answers(url: string): Promise<boolean> {
  const redis = redisClient(url)
  try {
    return (await redis.ping()) === 'PONG'
  } catch {
    return false
  } finally {
    redis.disconnect()
  }
}

async function deleteKeys(url: string, prefix: string): Promise<void> {
  const redis = redisClient(url)
  try {
    for await (const keys of redis.scanStream({ match: `${prefix}*`, count: 500 })) {
      if (keys.length > 0) await redis.unlink(...keys)
    }
  } finally {
    redis.disconnect()
  }
}
