import type { Environment } from '@twinwire/core'
import {
  checkOptions,
  type EndpointAccess,
  type EndpointGuard,
  type EndpointNames,
  type OptionRules,
  option,
  resolveEndpointAccess,
} from '@twinwire/core/plugin'
import type { PromRegistry } from './prom-registry.ts'

/** Who may scrape. */
export type MetricsAccess = EndpointAccess

export type MetricsGuard = EndpointGuard

export interface MetricsOptions {
  /** Default `/metrics`. */
  readonly path?: `/${string}` | undefined
  /** Default: public. Required in production. */
  readonly access?: MetricsAccess | undefined
  /** Version of the application, for `app_info`. Default `unknown`. */
  readonly version?: string | undefined
  /** A registry of prom-client whose metrics are served too. A name that exists in both is a boot error. */
  readonly registry?: PromRegistry | undefined
  /** Metrics of the process: CPU, memory, heap, event loop, garbage collection. They require `prom-client`. Default true. */
  readonly nodeDefaults?: boolean | undefined
  /**
   * The durations of calls have exemplars in OpenMetrics: `trace_id` and `span_id` of the last sampled call of each bucket. A plugin that traces calls
   * sets them, with `setTrace` of `@twinwire/core/plugin`. Default false.
   */
  readonly exemplars?: boolean | undefined
  /** Time limit of each collector of prom-client; a metric that takes longer is left out of the scrape. Default 2000. */
  readonly collectTimeoutMs?: number | undefined
}

const rules = {
  path: option.path({ default: '/metrics' }),
  access: option.unchecked<MetricsAccess>(),
  version: option.string({ default: 'unknown' }),
  registry: option.custom({
    expects: 'a Registry of prom-client',
    is: (value): value is PromRegistry =>
      typeof value === 'object' &&
      value !== null &&
      'getMetricsAsJSON' in value &&
      typeof value.getMetricsAsJSON === 'function',
  }),
  nodeDefaults: option.flag({ default: true }),
  exemplars: option.flag({ default: false }),
  collectTimeoutMs: option.duration({ min: 1, max: 60_000, default: 2000 }),
} satisfies OptionRules<MetricsOptions>

/** Options with their defaults. */
export interface ResolvedMetricsOptions {
  readonly path: `/${string}`
  readonly version: string
  readonly nodeDefaults: boolean
  readonly exemplars: boolean
  readonly collectTimeoutMs: number
  readonly access: MetricsAccess
  readonly registry: PromRegistry | null
}

const owner = 'metrics()'

/** How messages name what is served. */
export const names: EndpointNames = { owner, who: 'who may scrape', what: 'metrics', role: 'metrics', port: 9464 }

/** @throws BootError for the first invalid option. */
export function resolveMetricsOptions(options: MetricsOptions, environment: Environment): ResolvedMetricsOptions {
  const { access, registry = null, ...checked } = checkOptions(owner, options, rules)
  return { ...checked, registry, access: resolveEndpointAccess(access, environment, names) }
}
