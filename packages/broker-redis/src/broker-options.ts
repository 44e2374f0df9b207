import type { MaybePromise } from '@twinwire/core'
import { checkOptions, type OptionRules, option } from '@twinwire/core/plugin'
import type { HistoryLimits } from '@twinwire/core/transport'
import {
  type RedisConnectionOptions,
  type ResolvedRedisOptions,
  redisOptionRules,
  resolveRedisOptions,
} from '@twinwire/redis'

/** How to connect to Redis, and what is kept there. The default of `commandTimeoutMs` is 5000: what Redis does not take in that time rejects. */
export interface RedisBrokerOptions extends RedisConnectionOptions {
  /**
   * Of streams whose topic says nothing; kept once a node has subscribed to the stream. False: none, and no positions. Default: 100
   * publications, 60 s.
   */
  readonly history?: HistoryLimits | false | undefined
  /** A larger publication is refused: bytes of its JSON. Default 1 MiB. */
  readonly maxPublicationBytes?: number | undefined
}

export interface ResolvedBrokerOptions {
  readonly redis: ResolvedRedisOptions
  readonly history: HistoryLimits | false
  readonly maxPublicationBytes: number
}

export const owner = 'redisBroker()'

const historyRules = {
  size: option.integer({ min: 1, max: 100_000, default: 100 }),
  ttlMs: option.duration({ min: 1, default: 60_000 }),
} satisfies OptionRules<HistoryLimits>

const ownRules = {
  history: option.anyOf([option.choice([false]), option.object(historyRules)]),
  maxPublicationBytes: option.bytes({ min: 1, max: 64 * 1024 * 1024, default: 1024 * 1024 }),
}

const defaultHistory: HistoryLimits = { size: 100, ttlMs: 60_000 }

/** @throws BootError `bad_option`, `unknown_option` */
export function resolveBrokerOptions(target: string | RedisBrokerOptions): ResolvedBrokerOptions {
  const given = typeof target === 'string' ? { url: target } : target
  const { history, maxPublicationBytes } = checkOptions(owner, given, { ...redisOptionRules, ...ownRules })
  const { history: _history, maxPublicationBytes: _bytes, ...connection } = given
  return {
    redis: resolveRedisOptions(connection, { owner, commandTimeoutMs: 5000 }),
    history: history ?? defaultHistory,
    maxPublicationBytes,
  }
}

/** Runs something for each of many, at most `width` at once. */
export async function inParallel<T>(
  items: readonly T[],
  width: number,
  run: (item: T) => MaybePromise<void>,
): Promise<void> {
  const rest = items.values()
  const work = async (): Promise<void> => {
    for (const item of rest) await run(item)
  }
  await Promise.all(Array.from({ length: Math.min(width, items.length) }, work))
}
