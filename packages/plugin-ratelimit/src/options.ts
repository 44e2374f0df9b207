import {
  badOption,
  type CircuitBreakerOptions,
  checkOptions,
  circuitBreakerRules,
  type OptionRule,
  type OptionRules,
  type OptionsOf,
  option,
} from '@twinwire/core/plugin'
import type { ConnectionLimitOptions } from './connection-limits.ts'
import {
  burstRule,
  checkNames,
  type LimitRule,
  maxPoints,
  type ParsedLimit,
  type Period,
  parseLimit,
  periodParts,
} from './limit-rule.ts'
import { memoryStore } from './memory/memory-store.ts'
import type { OnStoreError, ResolvedBreakerOptions } from './remote/guarded-store.ts'
import type { LimitStoreFactory } from './store.ts'

/** Limits of every route: one, several that all have to accept a call, or false for none. */
export type DefaultLimits = LimitRule | readonly LimitRule[] | false

/** Limits of an address, applied before credentials are checked. */
export interface PreAuthenticationOptions {
  /** Requests and handshakes. Default 600. */
  readonly points?: number | undefined
  /** Default `1m`. */
  readonly per?: Period | undefined
  /** Default 0. */
  readonly burst?: number | undefined
  /**
   * Points that rejected credentials cost in addition to their request: HTTP 401, an upgrade refused with 401, a connection closed with
   * 4001. At most `points` and `burst` together. Default 20, which allows about 30 sequential attempts per minute. Concurrent attempts are
   * all admitted before the first one fails: at most `points` and `burst` together. 0 for no extra cost.
   */
  readonly failureCost?: number | undefined
}

export interface RateLimitOptions {
  /** False: nothing is limited, and every `limit()` accepts every call. Default true. */
  readonly enabled?: boolean | undefined
  /** Where points and connections are counted. Default `memoryStore()`: each process counts separately. */
  readonly store?: LimitStoreFactory | undefined
  /** What happens to a call when a remote store fails. Default `local`. */
  readonly onStoreError?: OnStoreError | undefined
  /** The circuit breaker of a remote store. Default 3 failures, 30,000 ms. */
  readonly breaker?: CircuitBreakerOptions | undefined
  /** Limits of every call over HTTP. Default 60 per minute and a burst of 10, by identity, or by address without one. */
  readonly http?: DefaultLimits | undefined
  /**
   * Limits of requests for files of `staticFiles`, in place of `http` and `preAuthentication`: a page has many of them. Default 3000 per minute
   * and a burst of 600, by identity, or by address without one.
   */
  readonly files?: DefaultLimits | undefined
  /** Limits of every WebSocket package, over all connections of an identity. Default `'100/m'`. */
  readonly websocket?: DefaultLimits | undefined
  /** Limits of an address before credentials are checked. False for none. */
  readonly preAuthentication?: PreAuthenticationOptions | false | undefined
  /** Limits on open connections. False for none. */
  readonly connections?: ConnectionLimitOptions | false | undefined
  /** Closes a connection with 1008 after this many consecutive packages over a limit. Default: never. */
  readonly closeAfterViolations?: number | undefined
  /**
   * What `http`, `files`, `websocket` and `preAuthentication` do not apply to: paths, including those below them, and names of routes. A request with
   * an `authorization` or `cookie` header costs nothing there either, but is refused when its address has no points left. Default `/health`
   * and `/metrics`.
   */
  readonly skip?: readonly string[] | undefined
}

/** Checked, with every default. */
export interface ResolvedOptions {
  readonly enabled: boolean
  readonly store: LimitStoreFactory
  readonly onStoreError: OnStoreError
  readonly breaker: ResolvedBreakerOptions
  readonly http: readonly ParsedLimit[]
  readonly files: readonly ParsedLimit[]
  readonly websocket: readonly ParsedLimit[]
  readonly preAuthentication: { readonly limit: ParsedLimit; readonly failureCost: number } | null
  readonly connections: {
    readonly perIdentity: number | false
    readonly perAddress: number | false
    readonly leaseMs: number
  } | null
  readonly closeAfterViolations: number | null
  readonly skip: readonly string[]
}

export const limitDefaults = {
  http: { points: 60, per: '1m', burst: 10 },
  files: { points: 3000, per: '1m', burst: 600 },
  websocket: { points: 100, per: '1m' },
} as const

const isFactory = (value: unknown): value is LimitStoreFactory =>
  typeof value === 'object' && value !== null && 'open' in value && typeof value.open === 'function'

const falseRule = option.choice([false])
export const perIdentityRule: OptionRule<number> = option.integer({ min: 1, max: 1_000_000, default: 5 })

export const breakerRules: ReturnType<typeof circuitBreakerRules> = circuitBreakerRules({
  failures: 3,
  resetMs: 30_000,
})

const preAuthenticationRules = {
  points: option.integer({ min: 1, max: maxPoints, default: 600 }),
  per: option.custom({ ...periodParts, default: '1m' }),
  burst: burstRule,
  failureCost: option.integer({ default: 20 }),
} satisfies OptionRules<PreAuthenticationOptions>

const connectionRules = {
  perIdentity: option.anyOf([falseRule, perIdentityRule], { default: 5 }),
  perAddress: option.anyOf([falseRule, option.integer({ min: 1, max: 1_000_000 })], { default: 100 }),
  leaseMs: option.duration({ min: 1000, max: 3_600_000, default: 15_000 }),
} satisfies OptionRules<ConnectionLimitOptions>

const rules = {
  enabled: option.flag({ default: true }),
  store: option.custom({
    expects: 'memoryStore(), redisStore(url) or a custom store with the same shape',
    is: isFactory,
  }),
  onStoreError: option.choice(['allow', 'deny', 'local'], { default: 'local' }),
  breaker: option.object(breakerRules),
  http: option.unchecked<DefaultLimits>(),
  files: option.unchecked<DefaultLimits>(),
  websocket: option.unchecked<DefaultLimits>(),
  preAuthentication: option.anyOf([falseRule, option.object(preAuthenticationRules)]),
  connections: option.anyOf([falseRule, option.object(connectionRules)]),
  closeAfterViolations: option.integer({ min: 1 }),
  skip: option.list({
    of: option.string({
      expects: "a path below '/', or the name of a route",
      test: (entry) => entry !== '' && entry !== '/',
    }),
    expects: 'a list of paths and names of routes',
    default: ['/health', '/metrics'],
  }),
} satisfies OptionRules<RateLimitOptions>

const owner = 'rateLimit()'

/** @throws BootError `bad_option`, `unknown_option` */
export function resolveOptions(options: RateLimitOptions): ResolvedOptions {
  const { store, http, files, websocket, preAuthentication, connections, closeAfterViolations, ...rest } = checkOptions(
    owner,
    options,
    rules,
  )
  return {
    ...rest,
    store: store ?? memoryStore(),
    http: toLimits('http', http ?? limitDefaults.http),
    files: toLimits('files', files ?? limitDefaults.files),
    websocket: toLimits('websocket', websocket ?? limitDefaults.websocket),
    preAuthentication:
      preAuthentication === false
        ? null
        : toPreAuthentication(preAuthentication ?? checkOptions(owner, {}, preAuthenticationRules)),
    connections: connections === false ? null : (connections ?? checkOptions(owner, {}, connectionRules)),
    closeAfterViolations: closeAfterViolations ?? null,
  }
}

function toLimits(path: 'http' | 'files' | 'websocket', limits: DefaultLimits): readonly ParsedLimit[] {
  if (limits === false) return []
  if (!isList(limits)) return [parseLimit(owner, path, limits)]
  const parsed = limits.map((limit, i) => parseLimit(owner, `${path}[${i}]`, limit))
  checkNames(owner, path, parsed)
  return parsed
}

function isList(limits: LimitRule | readonly LimitRule[]): limits is readonly LimitRule[] {
  return Array.isArray(limits)
}

function toPreAuthentication({
  failureCost,
  ...limit
}: OptionsOf<typeof preAuthenticationRules>): ResolvedOptions['preAuthentication'] {
  const capacity = limit.points + limit.burst
  if (failureCost > capacity)
    throw badOption(
      owner,
      'preAuthentication.failureCost',
      `must be at most points and burst together (${capacity})`,
      failureCost,
    )
  return { limit: parseLimit(owner, 'preAuthentication', { ...limit, key: 'address' }), failureCost }
}
