import type { Rule } from './rule.ts'
import type { Standing } from './store.ts'

/** Over 0: what a take of `cost` still has to wait for, in microseconds. */
export function toWaitUs({ intervalUs, spanUs }: Rule, debtUs: number, cost: number): number {
  return debtUs + cost * intervalUs - spanUs
}

/** How a bucket stands that owes `debtUs`; `waitUs` is what the take that was asked for had to wait, over 0 when it was refused. */
export function toStanding({ intervalUs, spanUs }: Rule, debtUs: number, waitUs: number): Standing {
  const allowed = waitUs <= 0
  return {
    allowed,
    remaining: Math.floor((spanUs - debtUs) / intervalUs),
    retryAfterMs: allowed ? 0 : Math.ceil(waitUs / 1000),
    resetMs: Math.ceil(debtUs / 1000),
  }
}
