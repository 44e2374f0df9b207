import { AppError, type Call, type MaybePromise, type ReplyHeaders } from '@twinwire/core'
import type { CounterCell } from '@twinwire/core/plugin'
import { type Denial, findDenial, toRateLimitError } from './denial.ts'
import { type AppliedLimit, toCharges } from './limit-registry.ts'
import { type Background, isPromise, type Limiter, type LimiterResult } from './limiter.ts'
import { QuotaHeaders } from './quota-headers.ts'
import type { Charge } from './store.ts'
import type { ViolationTracker } from './violation-tracker.ts'

/** Label `limit_type` of `rate_limit_hits_total`. */
export const limitTypes = ['per_user', 'per_ip', 'websocket'] as const
export type Hits = Readonly<Record<(typeof limitTypes)[number], CounterCell>>

/** A point in a route's processing where limits are charged: the application-wide limits, or a `limit()` in `use`. */
export interface LimitStage {
  /** Packages have exactly one limit at this stage, whose charge `packageCharge` returns: null when it does not apply to a call. */
  readonly isSingle: boolean
  packageCharge(call: Call): Charge | null
  /** The charges of a call at this stage. A method, because the route's types guarantee that a call has the properties its keys read. */
  charges(call: Call): readonly Charge[]
  /** The stages that a call has passed before this one. */
  readonly earlier: readonly LimitStage[]
}

/** Charges calls to their limits and reports the quota status in the headers of HTTP responses. */
export class CallLimits {
  readonly #limiter: Limiter
  readonly #hits: Hits
  readonly #violations: ViolationTracker
  readonly #background: Background
  /** By the headers of the response, which the pre-authentication limits and the call share. */
  readonly #headers = new WeakMap<ReplyHeaders, QuotaHeaders>()
  /** Charges of earlier stages, of calls that were refused and not answered yet. */
  readonly #refundable = new WeakMap<Call, readonly Charge[]>()

  constructor(limiter: Limiter, hits: Hits, violations: ViolationTracker, background: Background) {
    this.#limiter = limiter
    this.#hits = hits
    this.#violations = violations
    this.#background = background
  }

  /** Charges the call at this stage. Throws `rate_limit_exceeded`. */
  enforce(stage: LimitStage, call: Call): MaybePromise<void> {
    const limiter = this.#limiter
    if (!stage.isSingle || limiter.tryConsume === undefined || call.wire !== 'ws')
      return this.#consume(stage.charges(call), stage, call)
    // Only HTTP reports the quota status of an accepted call.
    const charge = stage.packageCharge(call)
    if (charge === null || limiter.tryConsume(charge)) return
    return this.#consume([charge], stage, call)
  }

  #consume(charges: readonly Charge[], stage: LimitStage, call: Call): MaybePromise<void> {
    if (charges.length === 0) return
    const result = this.#limiter.consume(charges)
    if (isPromise(result)) return result.then((later) => this.#apply(charges, later, stage, call))
    this.#apply(charges, result, stage, call)
  }

  /** Charges a call that was refused before it reached any stage. */
  chargeRejected(limits: readonly AppliedLimit[], call: Call): void {
    const charges = toCharges(limits, call)
    if (charges.length === 0) return
    const count = ({ allowed }: LimiterResult): void => {
      if (allowed) return this.#violations.allowed(call)
      this.#hits.websocket.inc()
      this.#violations.refused(call)
    }
    try {
      const result = this.#limiter.consume(charges)
      if (isPromise(result)) this.#background(result.then(count, ignoreUnavailable))
      else count(result)
    } catch (error) {
      ignoreUnavailable(error)
    }
  }

  /**
   * Refunds the charges of earlier stages, after a refused call was answered. A charge that has refilled meanwhile is not refunded: each
   * call that waits between two limits would allow another one, and the first limit would limit nothing. A bucket is never full
   * sooner than one charge refills, so a charge that takes longer to refill is refunded whole.
   */
  refundEarlierStages(call: Call, durationMs: number): void {
    const refundable = this.#refundable.get(call)
    if (refundable === undefined) return
    this.#refundable.delete(call)
    const charges = refundable.filter(({ rule, cost }) => cost * rule.intervalUs > durationMs * 1000)
    if (charges.length > 0) this.#background(this.#limiter.adjust('refund', charges))
  }

  headersOf(replyHeaders: ReplyHeaders): QuotaHeaders {
    const known = this.#headers.get(replyHeaders)
    if (known !== undefined) return known
    const headers = new QuotaHeaders(replyHeaders)
    this.#headers.set(replyHeaders, headers)
    return headers
  }

  #apply(charges: readonly Charge[], result: LimiterResult, stage: LimitStage, call: Call): void {
    if (call.wire === 'http') this.headersOf(call.replyHeaders).add(charges, result.statuses, result.allowed)
    const denial = findDenial(charges, result)
    if (denial !== null) this.#refuse(denial, stage, call)
  }

  #refuse(denial: Denial, stage: LimitStage, call: Call): never {
    this.#countHit(denial.charge, call)
    // Computed again instead of remembered: few calls are refused, and the charges of all calls would have to be kept.
    const earlier = stage.earlier.flatMap((each) => each.charges(call))
    if (earlier.length > 0) {
      this.#refundable.set(call, earlier)
      if (call.wire === 'http') this.headersOf(call.replyHeaders).refund()
    }
    throw toRateLimitError(denial)
  }

  #countHit({ rule }: Charge, { wire, identity }: Call): void {
    if (wire === 'ws') this.#hits.websocket.inc()
    else if (rule.scope === 'address' || identity === null) this.#hits.per_ip.inc()
    else this.#hits.per_user.inc()
  }
}

/** With `onStoreError: 'deny'` and an unreachable store nothing is counted; the call has been answered with its own error already. */
function ignoreUnavailable(error: unknown): void {
  if (!AppError.is(error) || error.code !== 'unavailable') throw error
}
