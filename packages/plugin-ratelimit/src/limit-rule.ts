import { BootError, type Call } from '@twinwire/core'
import { checkOptions, checkWholeNumber } from './check-options.ts'
import type { Rule, RuleScope } from './rule.ts'

/** `'100/m'`: so many points in a second, a minute, an hour or a day. */
export type LimitText = `${bigint}/${'s' | 'm' | 'h' | 'd'}`

/** `'500ms'`, `'1s'`, `'5m'`, `'1h'`, `'1d'`. */
export type Period = `${bigint}${'ms' | 's' | 'm' | 'h' | 'd'}`

/**
 * Whose points are taken. `identity`: the caller's; of a caller without one those of the address. `address`: those of the network
 * address, for IPv6 of its /64. `route`: one bucket for all callers. A function names a bucket itself; null is no limit for this call.
 * It may be asked twice for a call.
 */
export type LimitKey<C = Call> = 'identity' | 'address' | 'route' | ((call: C) => string | null)

/** A limit: GCRA, which is a bucket of `points + burst` that is refilled evenly, `points` in each `per`. */
export interface LimitOptions<in C = Call> {
  readonly points: number
  readonly per: Period
  /** What may pass at once above `points`. Default 0. */
  readonly burst?: number
  /** Points that one call takes. Default 1. */
  readonly cost?: number
  /** Default `identity`. */
  readonly key?: LimitKey<C>
  /** Shown in headers. Two limits of one name and the same figures share their buckets. Default: the name of the route. */
  readonly name?: string
}

/** A limit as it is written. */
export type LimitRule<C = Call> = LimitText | LimitOptions<C>

/** A limit that has been read and checked, and has no name yet. */
export interface ParsedLimit<in C = Call> {
  readonly points: number
  readonly periodMs: number
  readonly burst: number
  readonly cost: number
  readonly key: LimitKey<C>
  readonly name: string | null
}

const known = { points: true, per: true, burst: true, cost: true, key: true, name: true } as const
const dayMs = 86_400_000
const unitsMs: ReadonlyMap<string, number> = new Map([
  ['ms', 1],
  ['s', 1000],
  ['m', 60_000],
  ['h', 3_600_000],
  ['d', dayMs],
])
const maxPeriodMs = 366 * dayMs
const maxPoints = 1_000_000_000
/** 10,000 in a second: below that the rounding of an interval to whole microseconds is under a hundredth. */
const minIntervalUs = 100
/** Together with the time of day, in microseconds, still a safe integer. */
const maxSpanUs = 1e15

const textPattern = /^([1-9]\d{0,9})\/([smhd])$/
const periodPattern = /^([1-9]\d{0,9})(ms|s|m|h|d)$/
const namePattern = /^[ !#-[\]-z|~]{1,100}$/

/**
 * Reads a limit. `what` begins the sentence about a mistake: `limit()`.
 *
 * @throws BootError `bad_option`, `unknown_option`
 */
export function parseLimit<C>(what: string, rule: LimitRule<C>): ParsedLimit<C> {
  if (typeof rule === 'string') {
    const [, points, unit] = textPattern.exec(rule) ?? []
    if (points === undefined || unit === undefined)
      throw new BootError(
        'bad_option',
        `${what}: '${rule}' is no limit: write points/unit with the unit s, m, h or d, such as '100/m'`,
      )
    return check(what, {
      points: Number(points),
      periodMs: toPeriodMs('1', unit),
      burst: 0,
      cost: 1,
      key: 'identity',
      name: null,
    })
  }
  checkOptions(what, rule, known)
  const { points, per, burst = 0, cost = 1, key = 'identity', name = null } = rule
  const [, count, unit] = periodPattern.exec(String(per)) ?? []
  if (count === undefined || unit === undefined)
    throw new BootError('bad_option', `${what}: per must be a time such as '1s', '5m' or '1h', not '${String(per)}'`)
  return check(what, { points, periodMs: toPeriodMs(count, unit), burst, cost, key, name })
}

/** The patterns let only these units through. */
function toPeriodMs(count: string, unit: string): number {
  return Number(count) * (unitsMs.get(unit) ?? Number.NaN)
}

function check<C>(what: string, limit: ParsedLimit<C>): ParsedLimit<C> {
  const { points, periodMs, burst, cost, key, name } = limit
  checkWholeNumber(`${what}: points`, points, 1, maxPoints)
  checkWholeNumber(`${what}: burst`, burst, 0, maxPoints)
  if (periodMs > maxPeriodMs) throw new BootError('bad_option', `${what}: the period must be at most 366 days`)
  if (toIntervalUs(limit) < minIntervalUs && (periodMs * 1000) % points !== 0)
    throw new BootError(
      'bad_option',
      `${what}: more than 10,000 points in a second cannot be counted exactly: lower points`,
    )
  if ((points + burst) * toIntervalUs(limit) > maxSpanUs)
    throw new BootError(
      'bad_option',
      `${what}: burst is too large for so long a period: it would take years to come back`,
    )
  checkWholeNumber(`${what}: cost`, cost, 1, points + burst)
  if (typeof key !== 'function' && !['identity', 'address', 'route'].includes(key))
    throw new BootError('bad_option', `${what}: key must be 'identity', 'address', 'route' or a function of the call`)
  if (name !== null && !namePattern.test(name))
    throw new BootError('bad_option', `${what}: name must be 1 to 100 printable ASCII characters without { } " and \\`)
  return limit
}

/** A call must not take twice from one bucket at once. @throws BootError `bad_option` */
export function checkNames(what: string, limits: readonly ParsedLimit<never>[]): void {
  const names = limits.flatMap(({ name }) => (name === null ? [] : [name]))
  const twice = names.find((name, i) => names.indexOf(name) !== i)
  if (twice !== undefined) throw new BootError('bad_option', `${what} has two limits called '${twice}'`)
}

function toIntervalUs({ points, periodMs }: Pick<ParsedLimit, 'points' | 'periodMs'>): number {
  return Math.floor((periodMs * 1000) / points)
}

/** What stores work on. */
export function toRule(limit: ParsedLimit<never>, name: string, scope: RuleScope): Rule {
  const { points, periodMs, burst } = limit
  const capacity = points + burst
  const intervalUs = toIntervalUs(limit)
  return Object.freeze({ name, scope, points, periodMs, burst, capacity, intervalUs, spanUs: capacity * intervalUs })
}
