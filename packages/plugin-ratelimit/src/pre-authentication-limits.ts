import type { Logger, MaybePromise } from '@twinwire/core'
import type { CounterCell, IncomingRequest } from '@twinwire/core/plugin'
import { toAddressKey } from './address-key.ts'
import type { CallLimits } from './call-limits.ts'
import { findDenial, toRateLimitError } from './denial.ts'
import { type Background, isPromise, type Limiter, type LimiterResult } from './limiter.ts'
import type { Rule } from './rule.ts'
import type { Charge, QuotaStatus } from './store.ts'

interface PreAuthenticationLimitsParts {
  readonly rule: Rule
  /** Points that a failed authentication costs in addition to the one of its request. */
  readonly failureCost: number
  readonly limiter: Limiter
  readonly limits: CallLimits
  readonly background: Background
  readonly hits: CounterCell
  /** It costs nothing here: its path is skipped, or has a limit of its own. */
  readonly isFree: (request: IncomingRequest) => boolean
  readonly log: Logger
}

/** Limits the requests and handshakes of an address before their credentials are checked. */
export class PreAuthenticationLimits {
  readonly #parts: PreAuthenticationLimitsParts
  #warned = false

  constructor(parts: PreAuthenticationLimitsParts) {
    this.#parts = parts
  }

  /** Throws `rate_limit_exceeded`. That is HTTP 429 on both wires, since no socket is open yet. */
  enforce(request: IncomingRequest): MaybePromise<void> {
    const { rule, limiter, isFree } = this.#parts
    const isSkipped = isFree(request)
    if (isSkipped && !hasCredentials(request)) return
    const charges = [{ rule, key: toAddressKey(request.address), cost: 1 }]
    if (isSkipped) return this.#checkOnly(charges, request)
    const result = limiter.consume(charges)
    if (isPromise(result)) return result.then((later) => this.#apply(charges, later, request))
    this.#apply(charges, result, request)
  }

  /** Charges an address for credentials that were rejected. */
  chargeFailure(address: string): void {
    const { rule, failureCost, limiter, background } = this.#parts
    if (failureCost > 0) background(limiter.adjust('charge', [{ rule, key: toAddressKey(address), cost: failureCost }]))
  }

  /** A skipped path costs nothing, but refuses credentials from an address whose failed attempts have used up its points. */
  #checkOnly(charges: readonly Charge[], request: IncomingRequest): MaybePromise<void> {
    const statuses = this.#parts.limiter.peek(charges)
    const decide = (known: readonly QuotaStatus[]): void => {
      if (!known.every(({ allowed }) => allowed)) this.#apply(charges, { allowed: false, statuses: known }, request)
    }
    if (!isPromise(statuses)) return decide(statuses)
    // A skipped path must work without the store. Its circuit breaker has logged the failure.
    return statuses.then(decide, () => {})
  }

  #apply(charges: readonly Charge[], result: LimiterResult, request: IncomingRequest): void {
    const { limits, hits } = this.#parts
    limits.headersOf(request.replyHeaders).add(charges, result.statuses, false)
    const denial = findDenial(charges, result)
    if (denial === null) return
    hits.inc()
    this.#warnAboutProxy(request)
    throw toRateLimitError(denial)
  }

  /** All clients behind a proxy that is not trusted have the proxy's address, and therefore share one limit. */
  #warnAboutProxy({ headers, address }: IncomingRequest): void {
    if (this.#warned || headers['x-forwarded-for'] === undefined) return
    this.#warned = true
    this.#parts.log.warn(
      { address },
      'A request with X-Forwarded-For was refused by the limit of its peer address; if that address is your proxy, add it to http.trustedProxies',
    )
  }
}

function hasCredentials({ headers: { authorization, cookie } }: IncomingRequest): boolean {
  return authorization !== undefined || cookie !== undefined
}
