export type { ConnectionLimitOptions } from './connections.ts'
export type { LimitKey, LimitOptions, LimitRule, LimitText, ParsedLimit, Period } from './limit-rule.ts'
export type { LimitState, LimitSubject, Limits } from './limits.ts'
export { type MemoryStoreOptions, memoryStore } from './memory/memory-store.ts'
export type { ArriveOptions, DefaultLimits, RateLimitOptions } from './options.ts'
export { type RateLimitApi, rateLimitKey } from './ratelimit-key.ts'
export { type RateLimitPlugin, rateLimit } from './ratelimit-plugin.ts'
export { type RateLimitSettings, rateLimitSettings } from './ratelimit-settings.ts'
export type { RedisClient } from './redis/redis-client.ts'
export type { RedisStoreOptions, RedisTlsOptions } from './redis/redis-options.ts'
export { type RedisSettings, redisSettings } from './redis/redis-settings.ts'
export { redisStore } from './redis/redis-store.ts'
export type { OnStoreError } from './remote/guarded-store.ts'
export type { BreakerOptions } from './remote/store-breaker.ts'
export type { Rule, RuleScope } from './rule.ts'
export { limit } from './steps.ts'
export type {
  Lease,
  LimitStore,
  LimitStoreFactory,
  MaybePromise,
  Seat,
  Standing,
  StoreServices,
  Take,
  Verdict,
} from './store.ts'
