import { RateLimitError } from '@twinwire/core'
import { isTighter } from './headers.ts'
import type { LimiterVerdict } from './limiter.ts'
import type { Standing, Take } from './store.ts'

/** What was refused, by the limit that refuses for longest: all have to let the call pass. */
export interface Refused {
  readonly take: Take
  readonly standing: Standing
}

/** Null when nothing was. */
export function findRefused(takes: readonly Take[], { allowed, standings }: LimiterVerdict): Refused | null {
  if (allowed) return null
  let refused: Refused | null = null
  for (const [i, take] of takes.entries()) {
    const standing = standings[i]
    if (standing === undefined || standing === null || standing.allowed) continue
    if (refused === null || isTighter(standing, refused.standing)) refused = { take, standing }
  }
  // A store that breaks its contract must not let calls pass by it.
  if (refused === null) throw new Error('A store of limits has refused and does not say which take')
  return refused
}

/** `rate_limit_exceeded`, with the figures of the limit that refused. */
export function toRateLimitError({ take, standing }: Refused): RateLimitError {
  const { retryAfterMs, remaining } = standing
  return new RateLimitError({ retryAfterMs, limit: take.rule.capacity, remaining })
}
