import type { Call, CounterCell, ReplyHeaders } from '@twinwire/core'
import { findRefused, type Refused, toRateLimitError } from './errors.ts'
import type { Excess } from './excess.ts'
import { Figures } from './headers.ts'
import { type LimitUse, toTakes } from './limit-registry.ts'
import { isPromise, type Limiter, type LimiterVerdict } from './limiter.ts'
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
  /** By the headers of the one answer, which `onArrive` and the call share. */
  readonly #figures = new WeakMap<ReplyHeaders, Figures>()

  constructor(limiter: Limiter, hits: Hits, excess: Excess) {
    this.#limiter = limiter
    this.#hits = hits
    this.#excess = excess
  }

  /** Lets the call pass this place, or throws `rate_limit_exceeded`. */
  pass(place: LimitPlace, call: Call): MaybePromise<void> {
    const takes = place.takes(call)
    if (takes.length === 0) return
    const verdict = this.#limiter.consume(takes)
    if (isPromise(verdict)) return verdict.then((later) => this.#apply(takes, later, place, call))
    this.#apply(takes, verdict, place, call)
  }

  /** For a call that no place has seen: what it would have cost is taken all the same. */
  charge(uses: readonly LimitUse[], call: Call): void {
    const verdict = this.#limiter.consume(toTakes(uses, call))
    const count = ({ allowed }: LimiterVerdict): void => {
      if (allowed) return
      this.#hits.websocket.inc()
      this.#excess.refused(call)
    }
    if (!isPromise(verdict)) count(verdict)
    // With `deny` and no store there is nothing to count.
    else verdict.then(count, () => {})
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
    this.#excess.allowed(call)
  }

  #refuse(refused: Refused, place: LimitPlace, call: Call): never {
    this.#hit(refused.take, call)
    // Asked for again rather than kept: few calls are refused, and all would have to be remembered.
    const earlier = place.earlier.flatMap((each) => each.takes(call))
    if (earlier.length > 0) {
      void this.#limiter.adjust('give back', earlier)
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
