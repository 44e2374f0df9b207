/**
 * Limits for calls and connections, in memory or on Redis.
 *
 * @packageDocumentation
 */
export type { ConnectionLimitOptions } from './connection-limits.ts'
export type { LimitKey, LimitOptions, LimitRule, LimitString, ParsedLimit, Period } from './limit-rule.ts'
export { type LimitStep, limit, type RateLimitApi, rateLimitKey } from './limit-step.ts'
export type { LimitState, LimitSubject, Limits } from './limits.ts'
export { type MemoryStoreOptions, memoryStore } from './memory/memory-store.ts'
export type { DefaultLimits, PreAuthenticationOptions, RateLimitOptions } from './options.ts'
export { type RateLimitPlugin, rateLimit } from './ratelimit-plugin.ts'
export { type RateLimitSettings, rateLimitSettings } from './ratelimit-settings.ts'
export { type RedisStoreOptions, redisStore } from './redis/redis-store.ts'
export type { OnStoreError } from './remote/guarded-store.ts'
export type { Rule, RuleScope } from './rule.ts'
export type {
  Charge,
  ConnectionSlot,
  ConsumeResult,
  Lease,
  LimitStore,
  LimitStoreFactory,
  QuotaStatus,
  StoreServices,
} from './store.ts'
