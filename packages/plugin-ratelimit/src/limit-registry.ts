import { BootError, type Call, type RouteInfo } from '@twinwire/core'
import { toAddressKey } from './address-key.ts'
import { type LimitKey, type ParsedLimit, toRule } from './limit-rule.ts'
import type { Rule, RuleScope } from './rule.ts'
import type { Charge } from './store.ts'

/** A limit as it is applied to calls. */
export interface AppliedLimit<in C = Call> {
  readonly rule: Rule
  /** For a limit by identity: the rule by address that applies to callers without an identity. */
  readonly anonymous: Rule | null
  readonly key: LimitKey<C>
  readonly cost: number
}

/** A rule of this application, and the route that declared it; null for application-wide limits. */
export interface RegisteredRule {
  readonly rule: Rule
  readonly route: string | null
}

/** Assigns rules to the limits of an application. Limits of the same name and scope share one rule. */
export class LimitRegistry {
  readonly #rules = new Map<string, RegisteredRule>()
  /** How often a default name was used, to number the second and later ones. */
  readonly #nameCounts = new Map<string, number>()

  get rules(): Iterable<RegisteredRule> {
    return this.#rules.values()
  }

  /** `defaultName` is used when the limit has no `name`. @throws BootError `bad_option` */
  register<C>(limit: ParsedLimit<C>, defaultName: string, route: RouteInfo | null): AppliedLimit<C> {
    const { key, cost } = limit
    const name = limit.name ?? this.#number(defaultName)
    const scope: RuleScope = typeof key === 'function' ? 'custom' : key
    return {
      rule: this.#rule(limit, name, scope, route),
      anonymous: scope === 'identity' ? this.#rule(limit, name, 'address', route) : null,
      key,
      cost,
    }
  }

  #rule(limit: ParsedLimit<never>, name: string, scope: RuleScope, route: RouteInfo | null): Rule {
    const id = `${scope} ${name}`
    const rule = toRule(limit, name, scope)
    const known = this.#rules.get(id)
    if (known === undefined) {
      this.#rules.set(id, { rule, route: route?.name ?? null })
      return rule
    }
    const { points, periodMs, burst } = known.rule
    if (points === rule.points && periodMs === rule.periodMs && burst === rule.burst) return known.rule
    throw new BootError(
      'bad_option',
      `Two limits with the name '${name}' differ: use the same points, per and burst for both, or different names`,
    )
  }

  #number(name: string): string {
    const safe = toSafeName(name)
    const count = (this.#nameCounts.get(safe) ?? 0) + 1
    this.#nameCounts.set(safe, count)
    return count === 1 ? safe : `${safe} ${count}`
  }
}

/** The name of a route, reduced to what a rule's name may contain. */
function toSafeName(name: string): string {
  return name.replace(/[^ !#-[\]-z|~]/g, '_').slice(0, 90)
}

/** The charges of a call. Empty when no limit applies to it. */
export function toCharges<C extends Call>(limits: readonly AppliedLimit<C>[], call: C): readonly Charge[] {
  const [only] = limits
  if (only !== undefined && limits.length === 1) {
    const charge = toCharge(only, call)
    return charge === null ? [] : [charge]
  }
  const charges: Charge[] = []
  for (const limit of limits) {
    const charge = toCharge(limit, call)
    if (charge !== null) charges.push(charge)
  }
  return charges
}

/** The charge of the first limit; null when it does not apply to the call. */
export function toFirstCharge<C extends Call>(limits: readonly AppliedLimit<C>[], call: C): Charge | null {
  const first = limits[0]
  return first === undefined ? null : toCharge(first, call)
}

function toCharge<C extends Call>({ rule, anonymous, key, cost }: AppliedLimit<C>, call: C): Charge | null {
  if (key === 'identity') {
    const { identity } = call
    if (identity !== null) return { rule, key: identity.id, cost }
    return { rule: anonymous ?? rule, key: toAddressKey(call.address), cost }
  }
  if (key === 'address') return { rule, key: toAddressKey(call.address), cost }
  if (key === 'route') return { rule, key: '', cost }
  const custom = key(call)
  return custom === null ? null : { rule, key: custom, cost }
}
