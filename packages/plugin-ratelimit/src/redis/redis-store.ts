import {
  addressOf,
  openRedisConnection,
  type RedisConnectionOptions,
  type ResolvedRedisOptions,
  resolveRedisOptions,
} from '@twinwire/redis'
import type { LimitStore, LimitStoreFactory, StoreServices } from '../store.ts'
import { RedisBuckets } from './redis-buckets.ts'
import { RedisConnectionSlots } from './redis-connection-slots.ts'
import { operations } from './store-connection.ts'

/** How to connect to Redis. The default of `commandTimeoutMs` is 150; after it `onStoreError` decides what happens to the call. */
export interface RedisStoreOptions extends RedisConnectionOptions {}

/**
 * Keeps limits and connection slots in Redis 6.2 or later, so that they apply to all processes together. Needs the package `ioredis`. Every
 * decision is one script that uses the server's clock. Every key begins with `twinwire:` (see `prefix`) and expires.
 *
 * An unreachable Redis fails neither the start nor a call: `onStoreError` decides.
 *
 * @throws BootError `bad_option`, `unknown_option`, at once; `missing_peer`, when the application starts
 *
 * @example
 * rateLimit({ store: redisStore('rediss://app:secret@redis.internal:6379/1') })
 * @example
 * rateLimit({ store: redisStore({ cluster: ['redis://10.0.0.1:6379', 'redis://10.0.0.2:6379'], commandTimeoutMs: 100 }) })
 */
export function redisStore(target: string | RedisStoreOptions): LimitStoreFactory {
  const options = resolveRedisOptions(typeof target === 'string' ? { url: target } : target, {
    owner: 'redisStore()',
    commandTimeoutMs: 150,
  })
  return {
    name: `Redis (${addressOf(options)})`,
    remote: true,
    service: 'redis',
    doctor(host) {
      if (options.target.kind !== 'client') host.peer('ioredis', 'redisStore() is built on it', import.meta.url)
    },
    open: (services) => openStore(options, services),
  }
}

async function openStore(options: ResolvedRedisOptions, services: StoreServices): Promise<LimitStore> {
  const connection = await openRedisConnection(options, services, { operations })
  const buckets = new RedisBuckets(connection, options.prefix)
  const slots = new RedisConnectionSlots(connection, options.prefix)
  return {
    consume: (charges) => buckets.consume(charges),
    adjust: (kind, charges) => buckets.adjust(kind, charges),
    peek: (charges) => buckets.peek(charges),
    reset: (charges) => buckets.reset(charges),
    acquire: (lease, ttlMs) => slots.acquire(lease, ttlMs),
    renew: (leases, ttlMs) => slots.renew(leases, ttlMs),
    release: (lease) => slots.release(lease),
    ping: () => connection.ping(),
    async close() {
      await slots.settle()
      await connection.close()
    },
  }
}
