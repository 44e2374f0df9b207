import type { Logger } from '@twinwire/core'
import type { CounterCell, IncomingRequest } from '@twinwire/core/plugin'
import { toAddressKey } from './address-key.ts'
import type { CallLimits } from './call-limits.ts'
import { findRefused, toRateLimitError } from './errors.ts'
import { type Background, isPromise, type Limiter, type LimiterVerdict } from './limiter.ts'
import type { Rule } from './rule.ts'
import type { SkippedPaths } from './skipped.ts'
import type { MaybePromise, Standing, Take } from './store.ts'

interface ArrivalsParts {
  readonly rule: Rule
  /** Points that an authentication costs that failed, beside the one of its request. */
  readonly failureCost: number
  readonly limiter: Limiter
  readonly limits: CallLimits
  readonly background: Background
  readonly hits: CounterCell
  readonly skipped: SkippedPaths
  readonly log: Logger
}

/** Limits requests and handshakes by address, before anybody looks at who sends them. */
export class Arrivals {
  readonly #parts: ArrivalsParts
  #warned = false

  constructor(parts: ArrivalsParts) {
    this.#parts = parts
  }

  /** Throws `rate_limit_exceeded`, which is HTTP 429 on both wires: no socket has been opened. */
  arrive(arrival: IncomingRequest): MaybePromise<void> {
    const { rule, limiter, skipped } = this.#parts
    const isSkipped = skipped.hasPath(arrival.path)
    if (isSkipped && !showsCredentials(arrival)) return
    const takes = [{ rule, key: toAddressKey(arrival.address), cost: 1 }]
    if (isSkipped) return this.#look(takes, arrival)
    const verdict = limiter.consume(takes)
    if (isPromise(verdict)) return verdict.then((later) => this.#apply(takes, later, arrival))
    this.#apply(takes, verdict, arrival)
  }

  /** Somebody has shown credentials that are not good. */
  failed(address: string): void {
    const { rule, failureCost, limiter, background } = this.#parts
    if (failureCost > 0) background(limiter.adjust('take', [{ rule, key: toAddressKey(address), cost: failureCost }]))
  }

  /** A path that is skipped costs nothing, and is no place to guess at credentials once guesses have used up what there was. */
  #look(takes: readonly Take[], arrival: IncomingRequest): MaybePromise<void> {
    const standings = this.#parts.limiter.peek(takes)
    const decide = (known: readonly Standing[]): void => {
      if (!known.every(({ allowed }) => allowed)) this.#apply(takes, { allowed: false, standings: known }, arrival)
    }
    if (!isPromise(standings)) return decide(standings)
    // What is skipped does not depend on the store: when that is away, which its breaker tells, it passes.
    return standings.then(decide, () => {})
  }

  #apply(takes: readonly Take[], verdict: LimiterVerdict, arrival: IncomingRequest): void {
    const { limits, hits } = this.#parts
    limits.figuresOf(arrival.replyHeaders).add(takes, verdict.standings, false)
    const refused = findRefused(takes, verdict)
    if (refused === null) return
    hits.inc()
    this.#warnOfProxy(arrival)
    throw toRateLimitError(refused)
  }

  /** All clients behind a proxy that is not trusted share its address: then they share its limit too, which nobody wants. */
  #warnOfProxy({ headers, address }: IncomingRequest): void {
    if (this.#warned || headers['x-forwarded-for'] === undefined) return
    this.#warned = true
    this.#parts.log.warn(
      { address },
      'Requests with X-Forwarded-For are refused by the address of the peer: if it is your proxy, name it in http.trustedProxies',
    )
  }
}

function showsCredentials({ headers: { authorization, cookie } }: IncomingRequest): boolean {
  return authorization !== undefined || cookie !== undefined
}
