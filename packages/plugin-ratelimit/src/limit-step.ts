import { BootError, type Call, guard, type MaybePromise, type RouteInfo, type Step } from '@twinwire/core'
import { type PluginKey, pluginKey } from '@twinwire/core/plugin'
import { checkNames, type LimitRule, type ParsedLimit, parseLimit, toStepLimit } from './limit-rule.ts'

/** The API of the plugin that `limit()` is bound to. */
export interface RateLimitApi {
  /** Prepares a stage of a route. The returned function charges a call and throws `rate_limit_exceeded`. */
  bind<C extends Call>(limits: readonly ParsedLimit<C>[], route: RouteInfo): (call: C) => MaybePromise<void>
}

export const rateLimitKey: PluginKey<'rateLimit', RateLimitApi> = pluginKey('rateLimit').of<RateLimitApi>()

/** A guard that needs the plugin `rateLimit` and, for its key functions, a call of type `C`. It adds nothing to the call. */
export type LimitStep<C extends Call = Call> = Step<
  'guard',
  void,
  NoInfer<C>,
  unknown,
  PluginKey<'rateLimit', RateLimitApi>,
  `rateLimit.limit(${string})`
>

/**
 * Limits a route, both wires together. All limits of one `limit()` have to accept a call; when one refuses it, the others are not charged.
 * A limit is charged at its position in `use`, and refunded when a later limit refuses the call.
 *
 * A refused call gets `rate_limit_exceeded` (HTTP 429).
 *
 * @throws BootError `bad_option`, `unknown_option`, at once
 *
 * @example
 * use: [limit('10/s', '1000/d')]
 * @example
 * use: [tenant(), limit({ points: 100, per: '1m', burst: 50, key: (call: Call & { tenant: string }) => call.tenant })]
 */
export function limit<C extends Call = Call>(...rules: readonly LimitRule<C>[]): LimitStep<C> {
  if (rules.length === 0) throw new BootError('bad_option', "limit() needs at least one limit, such as limit('100/m')")
  const limits = rules.map((rule) => parseLimit<C>('limit()', '', rule))
  checkNames('limit()', '', limits)
  return guard<void, C, 'rateLimit', RateLimitApi, `rateLimit.limit(${string})`>({
    name: `rateLimit.limit(${rules.map(toText).join(', ')})`,
    limits: limits.map((each) => toStepLimit(each, null)),
    // Only a key function of the application gets the call.
    keepsCall: limits.some(({ key }) => typeof key === 'function'),
    needs: rateLimitKey,
    bind: (api, route) => api.bind(limits, route),
  })
}

function toText(rule: LimitRule<never>): string {
  if (typeof rule === 'string') return rule
  const { points, per, burst = 0 } = rule
  return `${points}/${per}${burst === 0 ? '' : ` + ${burst}`}`
}
