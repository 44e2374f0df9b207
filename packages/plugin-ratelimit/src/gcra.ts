import type { Rule } from './rule.ts'
import type { QuotaStatus } from './store.ts'

/** Microseconds until a charge of `cost` is accepted; 0 or less: it is accepted now. */
export function toWaitUs({ intervalUs, spanUs }: Rule, debtUs: number, cost: number): number {
  return debtUs + cost * intervalUs - spanUs
}

/** Status of a bucket with a debt of `debtUs`. `waitUs` is that of the charge: above 0 when it was refused. */
export function toQuotaStatus({ intervalUs, spanUs }: Rule, debtUs: number, waitUs: number): QuotaStatus {
  const allowed = waitUs <= 0
  return {
    allowed,
    remaining: Math.floor((spanUs - debtUs) / intervalUs),
    retryAfterMs: allowed ? 0 : Math.ceil(waitUs / 1000),
    resetMs: Math.ceil(debtUs / 1000),
  }
}
