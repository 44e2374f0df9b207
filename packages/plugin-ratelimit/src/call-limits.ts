import { AppError, type Call, type ReplyHeaders } from '@twinwire/core'
import type { CounterCell } from '@twinwire/core/plugin'
import { findRefused, type Refused, toRateLimitError } from './errors.ts'
import type { Excess } from './excess.ts'
import { Figures } from './headers.ts'
import { type LimitUse, toTakes } from './limit-registry.ts'
import { type Background, isPromise, type Limiter, type LimiterVerdict } from './limiter.ts'
import type { MaybePromise, Take } from './store.ts'

/** `limit_type` of `rate_limit_hits_total`. */
export const limitTypes = ['per_user', 'per_ip', 'websocket'] as const
export type Hits = Readonly<Record<(typeof limitTypes)[number], CounterCell>>

/** A place at which a route takes points: that of the app's own limits, or a `limit()` in its list. */
export interface LimitPlace {
  /** What a call takes here. A method: the types of the route say that what its keys ask for is on the call. */
  takes(call: Call): readonly Take[]
  /** Those that a call has passed when it comes here. */
  readonly earlier: readonly LimitPlace[]
}

/** Takes points for calls, and tells them how they stand. */
export class CallLimits {
  readonly #limiter: Limiter
  readonly #hits: Hits
  readonly #excess: Excess
  readonly #background: Background
  /** By the headers of the one answer, which `onRequest` and the call share. */
  readonly #figures = new WeakMap<ReplyHeaders, Figures>()
  /** What earlier places have taken from calls that were refused and have not been answered yet. */
  readonly #taken = new WeakMap<Call, readonly Take[]>()

  constructor(limiter: Limiter, hits: Hits, excess: Excess, background: Background) {
    this.#limiter = limiter
    this.#hits = hits
    this.#excess = excess
    this.#background = background
  }

  /** Lets the call pass this place, or throws `rate_limit_exceeded`. */
  pass(place: LimitPlace, call: Call): MaybePromise<void> {
    const takes = place.takes(call)
    const [first] = takes
    if (first === undefined) return
    // Only HTTP tells the figures of a call that passes.
    if (takes.length === 1 && call.wire === 'ws' && this.#limiter.takeOne?.(first) === true) return
    const verdict = this.#limiter.consume(takes)
    if (isPromise(verdict)) return verdict.then((later) => this.#apply(takes, later, place, call))
    this.#apply(takes, verdict, place, call)
  }

  /** For a call that no place has seen: what it would have cost is taken all the same. */
  charge(uses: readonly LimitUse[], call: Call): void {
    const takes = toTakes(uses, call)
    if (takes.length === 0) return
    const count = ({ allowed }: LimiterVerdict): void => {
      if (allowed) return this.#excess.allowed(call)
      this.#hits.websocket.inc()
      this.#excess.refused(call)
    }
    try {
      const verdict = this.#limiter.consume(takes)
      if (isPromise(verdict)) this.#background(verdict.then(count, ignoreUnavailable))
      else count(verdict)
    } catch (error) {
      ignoreUnavailable(error)
    }
  }

  /**
   * A call was refused and has been answered: what earlier places took from it is given back, but for what has refilled since. Were that
   * given back too, calls that wait between two limits would each make room for another one, and the first limit would hold nobody.
   * A bucket was never full within less time than a take refills in, so a take that takes longer to refill goes back whole.
   */
  answered(call: Call, durationMs: number): void {
    const taken = this.#taken.get(call)
    if (taken === undefined) return
    this.#taken.delete(call)
    const back = taken.filter(({ rule, cost }) => cost * rule.intervalUs > durationMs * 1000)
    if (back.length > 0) this.#background(this.#limiter.adjust('give back', back))
  }

  figuresOf(headers: ReplyHeaders): Figures {
    const known = this.#figures.get(headers)
    if (known !== undefined) return known
    const figures = new Figures(headers)
    this.#figures.set(headers, figures)
    return figures
  }

  #apply(takes: readonly Take[], verdict: LimiterVerdict, place: LimitPlace, call: Call): void {
    if (call.wire === 'http') this.figuresOf(call.replyHeaders).add(takes, verdict.standings, verdict.allowed)
    const refused = findRefused(takes, verdict)
    if (refused !== null) this.#refuse(refused, place, call)
  }

  #refuse(refused: Refused, place: LimitPlace, call: Call): never {
    this.#hit(refused.take, call)
    // Asked for again rather than kept: few calls are refused, and all would have to be remembered.
    const earlier = place.earlier.flatMap((each) => each.takes(call))
    if (earlier.length > 0) {
      this.#taken.set(call, earlier)
      if (call.wire === 'http') this.figuresOf(call.replyHeaders).giveBack()
    }
    throw toRateLimitError(refused)
  }

  #hit({ rule }: Take, { wire, identity }: Call): void {
    if (wire === 'ws') this.#hits.websocket.inc()
    else if (rule.scope === 'address' || identity === null) this.#hits.per_ip.inc()
    else this.#hits.per_user.inc()
  }
}

/** With `deny` and no store there is nothing to count, and a package that leads nowhere has its answer already. */
function ignoreUnavailable(error: unknown): void {
  if (!AppError.is(error) || error.code !== 'unavailable') throw error
}
