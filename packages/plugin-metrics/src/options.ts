import type { Call, Environment, Step } from '@twinwire/core'
import { badOption, checkOptions, type OptionRule, type OptionRules, option } from '@twinwire/core/plugin'
import type { PromRegistry } from './prom-registry.ts'

/** Who may scrape. */
export type MetricsAccess =
  /** Every client that can reach the app. Not allowed in production. */
  | 'public'
  /** Callers that pass these guards, in this order: `requireRoles('metrics')`, or your own guard that checks a header. */
  | { readonly use: readonly MetricsGuard[] }
  /** Callers from these addresses and CIDR networks, behind the trusted proxies of the app. */
  | { readonly networks: readonly string[] }
  /** Every client that can reach this port, which serves only metrics. `host`: address that it listens on, default 127.0.0.1. */
  | { readonly port: number; readonly host?: string | undefined }

export type MetricsGuard = Step<'guard', unknown, Call>

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
  /** Time limit of each collector of prom-client; a metric that takes longer is left out of the scrape. Default 2000. */
  readonly collectTimeoutMs?: number | undefined
}

/** Of the option and of its environment variable. */
export const portBounds = { max: 65_535 } as const

export const portRules: { readonly port: OptionRule<number>; readonly host: OptionRule<string | undefined> } = {
  port: option.integer({ ...portBounds, required: true }),
  host: option.string({ expects: 'a host name or an IP address', test: (host) => /^[\w.:-]+$/.test(host) }),
}

const networkRules = {
  networks: option.list({
    of: option.string(),
    expects: 'a list of IP addresses and CIDR networks with at least one entry',
    min: 1,
    required: true,
  }),
}

const guardRules = {
  use: option.list({
    of: option.custom({
      expects: 'a guard',
      is: (step): step is MetricsGuard =>
        typeof step === 'object' && step !== null && 'kind' in step && step.kind === 'guard',
    }),
    expects: 'a list of guards with at least one entry',
    min: 1,
    required: true,
  }),
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
  collectTimeoutMs: option.duration({ min: 1, max: 60_000, default: 2000 }),
} satisfies OptionRules<MetricsOptions>

/** Options with their defaults. */
export interface ResolvedMetricsOptions {
  readonly path: `/${string}`
  readonly version: string
  readonly nodeDefaults: boolean
  readonly collectTimeoutMs: number
  readonly access: MetricsAccess
  readonly registry: PromRegistry | null
}

const owner = 'metrics()'

/** @throws BootError for the first invalid option. */
export function resolveMetricsOptions(options: MetricsOptions, environment: Environment): ResolvedMetricsOptions {
  const { access, registry = null, ...checked } = checkOptions(owner, options, rules)
  return { ...checked, registry, access: resolveAccess(access, environment) }
}

const choices =
  "{ use: [requireRoles('metrics')] } for a role, { networks: ['10.0.0.0/8'] } for addresses, or { port: 9464 } for a separate port"

function resolveAccess(access: MetricsAccess | undefined, environment: Environment): MetricsAccess {
  if (access === undefined || access === 'public') {
    if (environment !== 'production') return 'public'
    throw badOption(owner, 'access', `must say in production who may scrape: ${choices}`)
  }
  if (typeof access !== 'object' || access === null)
    throw badOption(owner, 'access', `must be 'public', ${choices}`, access)
  if ('use' in access) return checkOptions(owner, access, guardRules, 'access')
  if ('networks' in access) return checkOptions(owner, access, networkRules, 'access')
  return checkOptions(owner, access, portRules, 'access')
}
