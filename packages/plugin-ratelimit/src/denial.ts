import { RateLimitError } from '@twinwire/core'
import type { LimiterResult } from './limiter.ts'
import { isTighter } from './quota-headers.ts'
import type { Charge, QuotaStatus } from './store.ts'

/** A refused charge, of the limit that refuses for the longest time: the call has to satisfy all of them. */
export interface Denial {
  readonly charge: Charge
  readonly status: QuotaStatus
}

/** Null when all charges were accepted. */
export function findDenial(charges: readonly Charge[], { allowed, statuses }: LimiterResult): Denial | null {
  if (allowed) return null
  let denial: Denial | null = null
  for (const [i, charge] of charges.entries()) {
    const status = statuses[i]
    if (status === undefined || status === null || status.allowed) continue
    if (denial === null || isTighter(status, denial.status)) denial = { charge, status }
  }
  // A store that violates its contract must not make calls pass unlimited.
  if (denial === null) throw new Error('A limit store returned allowed: false without a refused charge')
  return denial
}

/** `rate_limit_exceeded`, with the numbers of the limit that refused. */
export function toRateLimitError({ charge, status }: Denial): RateLimitError {
  const { retryAfterMs, remaining } = status
  return new RateLimitError({ retryAfterMs, limit: charge.rule.capacity, remaining })
}
