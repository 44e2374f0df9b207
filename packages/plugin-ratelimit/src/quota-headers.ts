import type { ReplyHeaders } from '@twinwire/core'
import type { Rule } from './rule.ts'
import type { Charge, QuotaStatus } from './store.ts'

interface Entry {
  readonly charge: Charge
  readonly status: QuotaStatus
  /** Whether the charge is refunded when a later limit refuses the call. */
  readonly refundable: boolean
}

/** `"name";q=70;w=70`: 70 requests in 70 seconds, which is the bucket's size and the time in which it refills. */
const policies = new WeakMap<Rule, string>()

function policyOf(rule: Rule): string {
  const known = policies.get(rule)
  if (known !== undefined) return known
  const policy = `"${rule.name}";q=${rule.capacity};w=${Math.ceil(rule.spanUs / 1_000_000)}`
  policies.set(rule, policy)
  return policy
}

/**
 * The rate-limit headers of one HTTP response: `RateLimit` and `RateLimit-Policy` for all limits of the request
 * (draft-ietf-httpapi-ratelimit-headers-11, structured fields), and `X-RateLimit-*` for the limit that is closest to refusing. All times
 * are seconds from now.
 */
export class QuotaHeaders {
  readonly #headers: ReplyHeaders
  #entries: Entry[] = []

  constructor(headers: ReplyHeaders) {
    this.#headers = headers
  }

  /** A status that is null (its bucket was not checked) is left out. */
  add(charges: readonly Charge[], statuses: readonly (QuotaStatus | null)[], refundable: boolean): void {
    for (const [i, charge] of charges.entries()) {
      const status = statuses[i]
      if (status !== undefined && status !== null) this.#entries.push({ charge, status, refundable })
    }
    this.#write()
  }

  /** The charges of earlier limits of the call will be refunded: shows their quota as it will be. */
  refund(): void {
    this.#entries = this.#entries.map((entry) => (entry.refundable ? { ...entry, status: refunded(entry) } : entry))
    this.#write()
  }

  #write(): void {
    const [first] = this.#entries
    if (first === undefined) return
    let tightest = first
    let limits = ''
    let all = ''
    for (const entry of this.#entries) {
      const { charge, status } = entry
      const separator = all === '' ? '' : ', '
      limits += `${separator}"${charge.rule.name}";r=${status.remaining};t=${toSeconds(status.resetMs)}`
      all += separator + policyOf(charge.rule)
      if (isTighter(status, tightest.status)) tightest = entry
    }
    const headers = this.#headers
    headers.set('ratelimit', limits)
    headers.set('ratelimit-policy', all)
    headers.set('x-ratelimit-limit', String(tightest.charge.rule.capacity))
    headers.set('x-ratelimit-remaining', String(tightest.status.remaining))
    headers.set('x-ratelimit-reset', String(toSeconds(tightest.status.resetMs)))
  }
}

/** Whether `one` refuses for longer than `other` or, when neither refuses, is closer to refusing. */
export function isTighter(one: QuotaStatus, other: QuotaStatus): boolean {
  if (one.retryAfterMs !== other.retryAfterMs) return one.retryAfterMs > other.retryAfterMs
  if (one.remaining !== other.remaining) return one.remaining < other.remaining
  return one.resetMs > other.resetMs
}

function refunded({ charge: { rule, cost }, status }: Entry): QuotaStatus {
  return {
    ...status,
    remaining: Math.min(rule.capacity, status.remaining + cost),
    resetMs: Math.max(0, status.resetMs - Math.floor((cost * rule.intervalUs) / 1000)),
  }
}

function toSeconds(ms: number): number {
  return Math.ceil(ms / 1000)
}
