import type { LimitStore, LimitStoreFactory, StoreServices } from '../store.ts'
import { openClient } from './open-client.ts'
import { RedisBuckets } from './redis-buckets.ts'
import { RedisConnection } from './redis-connection.ts'
import { placeOf, type RedisStoreOptions, type ResolvedRedisOptions, resolveRedisOptions } from './redis-options.ts'
import { RedisSeats } from './redis-seats.ts'

/**
 * Keeps limits and connection seats in Redis (6.2 or later), so that they hold over many processes. Needs the package `ioredis`. Every
 * decision is one script on the server, by the server's clock. Every key begins with `twinwire:` and ends by itself.
 *
 * Redis being away is no failure of the start, nor of a call: `onStoreError` decides. Throws BootError `bad_option` and `unknown_option`
 * at once, and `peer_missing` when the app starts.
 *
 * @example
 * rateLimit({ store: redisStore('rediss://app:secret@redis.internal:6379/1') })
 * @example
 * rateLimit({ store: redisStore({ cluster: ['redis://10.0.0.1:6379', 'redis://10.0.0.2:6379'], commandTimeoutMs: 100 }) })
 */
export function redisStore(target: string | RedisStoreOptions): LimitStoreFactory {
  const options = resolveRedisOptions(typeof target === 'string' ? { url: target } : target)
  return {
    name: `Redis (${placeOf(options)})`,
    remote: true,
    service: 'redis',
    doctor(host) {
      if (options.target.kind !== 'client') host.peer('ioredis', 'redisStore() is built on it', import.meta.url)
    },
    open: (services) => openStore(options, services),
  }
}

async function openStore(options: ResolvedRedisOptions, services: StoreServices): Promise<LimitStore> {
  const connection = new RedisConnection(await openClient(options), options, services)
  await connection.open()
  const buckets = new RedisBuckets(connection, options.prefix)
  const seats = new RedisSeats(connection, options.prefix)
  return {
    consume: (takes) => buckets.consume(takes),
    adjust: (what, takes) => buckets.adjust(what, takes),
    peek: (takes) => buckets.peek(takes),
    reset: (takes) => buckets.reset(takes),
    acquire: (lease, ttlMs) => seats.acquire(lease, ttlMs),
    renew: (leases, ttlMs) => seats.renew(leases, ttlMs),
    release: (lease) => seats.release(lease),
    ping: () => connection.ping(),
    async close() {
      await seats.settle()
      await connection.close()
    },
  }
}
