import type { RedisConnection } from '@twinwire/redis'

/** Label `operation` of the metrics. */
export const operations = ['consume', 'refund', 'adjust', 'peek', 'reset', 'acquire', 'renew', 'release'] as const

export type Operation = (typeof operations)[number]

export type StoreConnection = RedisConnection<Operation>
