/**
 * Connections to Redis that the other packages share.
 *
 * @packageDocumentation
 */
export type { ConnectionListener } from './connection-events.ts'
export type { RedisAddress } from './redis-address.ts'
export type { RedisClient } from './redis-client.ts'
export {
  openRedisConnection,
  type RedisConnection,
  type RedisConnectionUse,
  type RedisServices,
} from './redis-connection.ts'
export { RedisError, type RedisFailure } from './redis-error.ts'
export {
  type RedisConnectionOptions,
  type RedisOptionsOwner,
  type RedisSentinelOptions,
  type RedisTlsOptions,
  type ResolvedRedisOptions,
  redisOptionRules,
  resolveRedisOptions,
} from './redis-options.ts'
export { type RedisSettings, redisSettings } from './redis-settings.ts'
export { openRedisSubscriber, type RedisSubscriber, type SubscriberListener } from './redis-subscriber.ts'
export { addressOf, type RedisSentinels, type RedisTarget } from './redis-target.ts'
export { type RedisScript, redisScript } from './script.ts'
