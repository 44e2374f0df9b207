export type { RedisClient } from './redis/redis-client.ts'
export type { RedisStoreOptions, RedisTlsOptions } from './redis/redis-options.ts'
export { type RedisSettings, redisSettings } from './redis/redis-settings.ts'
export { redisStore } from './redis/redis-store.ts'
export type { Rule, RuleScope } from './rule.ts'
export type {
  Lease,
  LimitStore,
  LimitStoreFactory,
  Seat,
  Standing,
  StoreServices,
  Take,
  Verdict,
} from './store.ts'
