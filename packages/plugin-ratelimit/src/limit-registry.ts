import { BootError, type Call, type RouteInfo } from '@twinwire/core'
import { toAddressKey } from './address-key.ts'
import { type LimitKey, type ParsedLimit, toRule } from './limit-rule.ts'
import type { Rule, RuleScope } from './rule.ts'
import type { Take } from './store.ts'

/** A limit as one route applies it. */
export interface LimitUse<in C = Call> {
  readonly rule: Rule
  /** Of a caller without identity, where the limit goes by identity: buckets of addresses. */
  readonly anonymous: Rule | null
  readonly key: LimitKey<C>
  readonly cost: number
}

/** A rule of this app, and the route that brought it in; null for those of the whole app. */
export interface KnownRule {
  readonly rule: Rule
  readonly route: string | null
}

/** Gives every limit of an app its rule: one for each name and scope, shared by those that are called alike. */
export class LimitRegistry {
  readonly #rules = new Map<string, KnownRule>()
  /** Names that were given by a route's limits, to number those after the first. */
  readonly #named = new Map<string, number>()

  get rules(): Iterable<KnownRule> {
    return this.#rules.values()
  }

  /** `name` is that of a limit that has none of its own. @throws BootError `bad_option` */
  use<C>(limit: ParsedLimit<C>, name: string, route: RouteInfo | null): LimitUse<C> {
    const { key, cost } = limit
    const own = limit.name ?? this.#number(name)
    const scope: RuleScope = typeof key === 'function' ? 'custom' : key
    return {
      rule: this.#rule(limit, own, scope, route),
      anonymous: scope === 'identity' ? this.#rule(limit, own, 'address', route) : null,
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
      `Two limits are called '${name}' and differ: give them the same points, per and burst, or other names`,
    )
  }

  #number(name: string): string {
    const plain = toPlainName(name)
    const count = (this.#named.get(plain) ?? 0) + 1
    this.#named.set(plain, count)
    return count === 1 ? plain : `${plain} ${count}`
  }
}

/** A route's name as the name of a rule, which headers and stores can carry. */
function toPlainName(name: string): string {
  return name.replace(/[^ !#-[\]-z|~]/g, '_').slice(0, 90)
}

/** What a call has to take for these limits. Empty when none concerns it. */
export function toTakes<C extends Call>(uses: readonly LimitUse<C>[], call: C): readonly Take[] {
  const [only] = uses
  if (only !== undefined && uses.length === 1) {
    const take = toTake(only, call)
    return take === null ? [] : [take]
  }
  const takes: Take[] = []
  for (const use of uses) {
    const take = toTake(use, call)
    if (take !== null) takes.push(take)
  }
  return takes
}

function toTake<C extends Call>({ rule, anonymous, key, cost }: LimitUse<C>, call: C): Take | null {
  if (key === 'identity') {
    const { identity } = call
    if (identity !== null) return { rule, key: identity.id, cost }
    return { rule: anonymous ?? rule, key: toAddressKey(call.address), cost }
  }
  if (key === 'address') return { rule, key: toAddressKey(call.address), cost }
  if (key === 'route') return { rule, key: '', cost }
  const own = key(call)
  return own === null ? null : { rule, key: own, cost }
}
