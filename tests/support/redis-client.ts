import { Redis } from 'ioredis'

/** A client for a test's own questions: fails at once where the server does not answer. */
export function redisClient(url: string, ca?: string): Redis {
  const redis = new Redis(url, {
    ...(ca === undefined ? {} : { tls: { ca } }),
    lazyConnect: true,
    connectTimeout: 2_000,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
  })
  // The failing command says it; without a listener the client prints it as well.
  redis.on('error', () => {})
  return redis
}

const expiry = "local now = redis.call('TIME') return now[1] * 1000 + now[2] / 1000 + redis.call('PTTL', KEYS[1])"

/** When a key expires, in milliseconds since 1970, to a few milliseconds. Redis 6.2 has no PEXPIRETIME. */
export async function expiresAt(redis: Redis, key: string): Promise<number> {
  return Number(await redis.call('EVAL', expiry, 1, key))
}
