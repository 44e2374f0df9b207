import type { Clock } from '@twinwire/core'
import { toStanding, toWaitUs } from '../bucket-math.ts'
import type { LimiterVerdict } from '../limiter.ts'
import type { Rule } from '../rule.ts'
import type { Standing, Take } from '../store.ts'

interface Refusal {
  /** As the store told it: nothing can have passed since. */
  readonly tatUs: number
  readonly untilUs: number
}

/** For each rule. One that is forgotten costs a question, no more. */
const maxRefusals = 10_000

/**
 * What a remote store has refused, until it may pass again: whoever goes on asking costs the store nothing. A reset within another process
 * is not heard of, so after `maxMs` the store is asked again in any case.
 */
export class Refusals {
  readonly #byRule = new Map<Rule, Map<string, Refusal>>()
  readonly #clock: Clock
  readonly #maxMs: number

  constructor(clock: Clock, maxMs: number) {
    this.#clock = clock
    this.#maxMs = maxMs
  }

  /** Null: the store has to be asked. */
  check(takes: readonly Take[]): LimiterVerdict | null {
    if (this.#byRule.size === 0) return null
    const nowUs = this.#nowUs()
    let refused = false
    let standings: (Standing | null)[] | null = null
    for (let i = 0; i < takes.length; i++) {
      const take = takes[i]
      const refusal = take === undefined ? undefined : this.#find(take, nowUs)
      if (take === undefined || refusal === undefined) continue
      const debtUs = Math.max(0, refusal.tatUs - nowUs)
      const waitUs = toWaitUs(take.rule, debtUs, take.cost)
      standings ??= takes.map(() => null)
      standings[i] = toStanding(take.rule, debtUs, waitUs)
      if (waitUs > 0) refused = true
    }
    return refused && standings !== null ? { allowed: false, standings } : null
  }

  /** Keeps what the store has refused. */
  keep(takes: readonly Take[], standings: readonly Standing[]): void {
    const nowUs = this.#nowUs()
    for (const [i, { rule, key }] of takes.entries()) {
      const standing = standings[i]
      if (standing === undefined || standing.allowed) continue
      const refusals = this.#byRule.get(rule) ?? new Map<string, Refusal>()
      this.#byRule.set(rule, refusals)
      if (refusals.size >= maxRefusals) for (const oldest of refusals.keys()) if (refusals.delete(oldest)) break
      const untilMs = Math.min(standing.retryAfterMs, this.#maxMs)
      refusals.set(key, { tatUs: nowUs + standing.resetMs * 1000, untilUs: nowUs + untilMs * 1000 })
    }
  }

  forget(takes: readonly Take[]): void {
    for (const { rule, key } of takes) this.#remove(rule, key)
  }

  #find({ rule, key }: Take, nowUs: number): Refusal | undefined {
    const refusal = this.#byRule.get(rule)?.get(key)
    if (refusal === undefined || refusal.untilUs > nowUs) return refusal
    this.#remove(rule, key)
    return undefined
  }

  #remove(rule: Rule, key: string): void {
    const refusals = this.#byRule.get(rule)
    if (refusals?.delete(key) && refusals.size === 0) this.#byRule.delete(rule)
  }

  #nowUs(): number {
    return Math.floor(this.#clock.monotonic() * 1000)
  }
}
