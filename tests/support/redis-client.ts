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
