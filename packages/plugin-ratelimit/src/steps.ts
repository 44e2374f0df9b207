import { BootError, type Call, guard, type Step } from '@twinwire/core'
import type { PluginKey } from '@twinwire/core/plugin'
import { checkNames, type LimitRule, parseLimit } from './limit-rule.ts'
import { type RateLimitApi, rateLimitKey } from './ratelimit-key.ts'

/**
 * Limits a route, on both wires together. Several limits in one `limit()` all have to let a call pass, and what one of them refuses takes
 * nothing from the others. A limit takes its points where it stands in `use`; when a later one refuses, they are given back.
 *
 * Answers `rate_limit_exceeded` (HTTP 429). A limit that cannot be read is a BootError, `bad_option` or `unknown_option`, at once.
 *
 * @example
 * use: [limit('10/s', '1000/d')]
 * @example
 * use: [tenant(), limit({ points: 100, per: '1m', burst: 50, key: (call: Call & { tenant: string }) => call.tenant })]
 */
export function limit<C extends Call = Call>(
  ...rules: readonly LimitRule<C>[]
): Step<'guard', void, NoInfer<C>, unknown, PluginKey<'rateLimit', RateLimitApi>> {
  if (rules.length === 0) throw new BootError('bad_option', "limit() needs a limit, such as limit('100/m')")
  const limits = rules.map((rule) => parseLimit<C>('limit()', rule))
  checkNames('limit()', limits)
  return guard<void, C, 'rateLimit', RateLimitApi>({
    name: `rateLimit.limit(${rules.map(toText).join(', ')})`,
    needs: rateLimitKey,
    bind: (api, route) => api.bind(limits, route),
  })
}

function toText(rule: LimitRule<never>): string {
  if (typeof rule === 'string') return rule
  const { points, per, burst = 0 } = rule
  return `${points}/${per}${burst === 0 ? '' : ` + ${burst}`}`
}
