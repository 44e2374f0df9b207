import type { Call, Wire } from '@twinwire/core'
import {
  badOption,
  checkOptions,
  type OptionRule,
  type OptionRules,
  option,
  type StepLimit,
} from '@twinwire/core/plugin'
import type { Rule, RuleScope } from './rule.ts'

/** `'100/m'`: points per second, minute, hour or day. */
export type LimitString = `${bigint}/${'s' | 'm' | 'h' | 'd'}`

/** A duration such as `'500ms'`, `'1s'`, `'5m'`, `'1h'` or `'1d'`; at most 366 days. */
export type Period = `${bigint}${'ms' | 's' | 'm' | 'h' | 'd'}`

/**
 * Which bucket a call is charged to. `identity`: that of the caller's identity, or of the caller's address when there is no identity.
 * `address`: that of the network address; an IPv6 address counts as its /64. `route`: one bucket for all callers. A function returns the
 * key of the bucket itself, or null: the limit does not apply to this call. It may be called twice for a call.
 */
export type LimitKey<C = Call> = 'identity' | 'address' | 'route' | ((call: C) => string | null)

/** A limit. The algorithm is GCRA: a bucket of `points + burst` that refills evenly, `points` in each `per`. */
export interface LimitOptions<in C = Call> {
  /** From 1 to 1,000,000,000. */
  readonly points: number
  readonly per: Period
  /** Points that are available at once in addition to `points`. Default 0. */
  readonly burst?: number
  /** Points that one call costs, from 1 to `points + burst`. Default 1. */
  readonly cost?: number
  /** Default `identity`. */
  readonly key?: LimitKey<C>
  /** Shown in headers. Limits with the same name share their buckets and must have the same points, `per` and `burst`. Default: the route's name. */
  readonly name?: string
}

/** A limit as an application declares it. */
export type LimitRule<C = Call> = LimitString | LimitOptions<C>

/** A limit that was parsed and checked. `name` is null when it was not given. */
export interface ParsedLimit<in C = Call> {
  readonly points: number
  readonly periodMs: number
  readonly burst: number
  readonly cost: number
  readonly key: LimitKey<C>
  readonly name: string | null
}

export const maxPoints = 1_000_000_000
const dayMs = 86_400_000
const maxPeriodMs = 366 * dayMs
/** 10,000 points per second: up to that rate, rounding the interval to microseconds is an error below 1%. */
const minIntervalUs = 100
/** Added to the time of day in microseconds it is still a safe integer. */
const maxSpanUs = 1e15

const unitsMs: ReadonlyMap<string, number> = new Map([
  ['ms', 1],
  ['s', 1000],
  ['m', 60_000],
  ['h', 3_600_000],
  ['d', dayMs],
])
const periods: ReadonlyMap<string, Period> = new Map([
  ['s', '1s'],
  ['m', '1m'],
  ['h', '1h'],
  ['d', '1d'],
])
const stringPattern = /^([1-9]\d{0,9})\/([smhd])$/
const periodPattern = /^([1-9]\d{0,9})(ms|s|m|h|d)$/
const namePattern = /^[ !#-[\]-z|~]{1,100}$/

const isKey = (value: unknown): value is LimitKey<never> =>
  typeof value === 'function' || value === 'identity' || value === 'address' || value === 'route'

export const periodParts: { readonly expects: string; readonly is: (value: unknown) => value is Period } = {
  expects: "a duration such as '1s', '5m' or '1h', at most 366 days",
  is: (value: unknown): value is Period => toPeriodMs(value) <= maxPeriodMs,
}

export const burstRule: OptionRule<number> = option.integer({ max: maxPoints, default: 0 })

const rules = {
  points: option.integer({ min: 1, max: maxPoints, required: true }),
  per: option.custom({ ...periodParts, required: true }),
  burst: burstRule,
  cost: option.integer({ min: 1, default: 1 }),
  key: option.custom({ expects: "'identity', 'address', 'route' or a function of the call", is: isKey }),
  name: option.string({
    expects: '1 to 100 printable ASCII characters without { } " and \\',
    test: (name) => namePattern.test(name),
  }),
} satisfies OptionRules<LimitOptions<never>>

/**
 * Parses and checks a limit. `owner` and `path` name it in messages: `rateLimit()` and `http`.
 *
 * @throws BootError `bad_option`, `unknown_option`
 */
export function parseLimit<C>(owner: string, path: string, limit: LimitRule<C>): ParsedLimit<C> {
  const options = typeof limit === 'string' ? parseString(limit) : limit
  if (options === null || typeof options !== 'object')
    throw badOption(
      owner,
      path || 'the limit',
      "must be points/unit with the unit s, m, h or d, such as '100/m', or an object of options",
      limit,
    )
  const { points, per, burst, cost, name = null } = checkOptions(owner, options, rules, path)
  const periodMs = toPeriodMs(per)
  const intervalUs = toIntervalUs({ points, periodMs })
  if (intervalUs < minIntervalUs && (periodMs * 1000) % points !== 0)
    throw badOption(
      owner,
      `${path}.points`,
      'must be at most 10,000 per second: more cannot be counted exactly',
      points,
    )
  if ((points + burst) * intervalUs > maxSpanUs)
    throw badOption(owner, `${path}.burst`, 'is too large: the bucket would need more than 31 years to refill', burst)
  if (cost > points + burst)
    throw badOption(owner, `${path}.cost`, `must be at most points and burst together (${points + burst})`, cost)
  const { key = 'identity' } = options
  return { points, periodMs, burst, cost, key, name }
}

function parseString(limit: string): LimitOptions<unknown> | null {
  const [, points, unit = ''] = stringPattern.exec(limit) ?? []
  const per = periods.get(unit)
  return per === undefined ? null : { points: Number(points), per }
}

/** NaN for anything but a period. */
function toPeriodMs(per: unknown): number {
  const [, count, unit = ''] = periodPattern.exec(String(per)) ?? []
  return Number(count) * (unitsMs.get(unit) ?? Number.NaN)
}

/** A call must not be charged twice to one bucket at once. @throws BootError `bad_option` */
export function checkNames(owner: string, path: string, limits: readonly ParsedLimit<never>[]): void {
  const names = limits.flatMap(({ name }) => (name === null ? [] : [name]))
  const duplicate = names.find((name, i) => names.indexOf(name) !== i)
  if (duplicate !== undefined) throw badOption(owner, path || 'the limits', 'must have different names', duplicate)
}

function toIntervalUs({ points, periodMs }: Pick<ParsedLimit, 'points' | 'periodMs'>): number {
  return Math.floor((periodMs * 1000) / points)
}

/** As descriptions of an app show it. */
export function toStepLimit({ key, ...limit }: ParsedLimit<never>, wire: Wire | null): StepLimit {
  return { ...limit, key: typeof key === 'function' ? 'custom' : key, wire }
}

/** The rule that stores use. */
export function toRule(limit: ParsedLimit<never>, name: string, scope: RuleScope): Rule {
  const { points, periodMs, burst } = limit
  const capacity = points + burst
  const intervalUs = toIntervalUs(limit)
  return Object.freeze({ name, scope, points, periodMs, burst, capacity, intervalUs, spanUs: capacity * intervalUs })
}
