import { option } from '../../base/option.ts'
import type { OptionRule, OptionRules } from '../../base/option-rule.ts'
import { checkOptions } from '../../base/options.ts'

/** What `createApp({ health })` takes. */
export interface HealthOptions {
  /** Where the report is; `/live` and `/ready` are below it. Default `/health`. */
  readonly path?: `/${string}`
  /** How long one check may take before it counts as failed. Default 2000. */
  readonly checkTimeoutMs?: number
  /** How long a result is reused by further probes. Default 1000. */
  readonly cacheMs?: number
}

/** With defaults; null: no health routes. */
export type ResolvedHealthOptions = Required<HealthOptions> | null

const maxMs = 60_000

export const checkTimeoutRule: OptionRule<number> = option.duration({ min: 1, max: maxMs, default: 2000 })

const rules = {
  path: option.path({ default: '/health' }),
  checkTimeoutMs: checkTimeoutRule,
  cacheMs: option.duration({ max: maxMs, default: 1000 }),
} satisfies OptionRules<HealthOptions>

export function resolveHealthOptions(options: HealthOptions | false = {}): ResolvedHealthOptions {
  return options === false ? null : checkOptions('createApp()', options, rules, 'health')
}
