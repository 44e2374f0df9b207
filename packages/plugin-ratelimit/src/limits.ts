import { BootError } from '@twinwire/core'
import { toAddressKey } from './address-key.ts'
import type { KnownRule, LimitRegistry } from './limit-registry.ts'
import type { Limiter } from './limiter.ts'
import type { RuleScope } from './rule.ts'
import type { Take } from './store.ts'

/**
 * Whose buckets: those of an identity, of an address, the one of a route's limit for all callers, or those that a key function has named.
 * `rule` is the name of one limit, as headers show it; left out: all of them.
 */
export type LimitSubject = (
  | { readonly identity: string }
  | { readonly address: string }
  | { readonly route: string }
  | { readonly key: string }
) & { readonly rule?: string }

/** How one bucket stands. */
export interface LimitState {
  /** Name of the limit. */
  readonly rule: string
  readonly limit: number
  readonly remaining: number
  /** Until one point is there; 0 when it is. */
  readonly retryAfterMs: number
  /** Until all are. */
  readonly resetMs: number
}

/** What an app does with its limits, outside of calls. */
export interface Limits {
  /**
   * Fills buckets: a customer who has been let off, a test. Other processes hear of it when they ask the store next, at the latest a minute
   * after they have refused.
   */
  reset(subject: LimitSubject): Promise<void>
  /** How buckets stand, in the order of their limits; takes nothing. */
  peek(subject: LimitSubject): Promise<readonly LimitState[]>
}

/** What `Limits` works on while an app runs. */
export interface LimitsBacking {
  readonly limiter: Limiter
  readonly registry: LimitRegistry
}

/** @throws UnavailableError when the store does not answer. */
export async function resetBuckets({ limiter, registry }: LimitsBacking, subject: LimitSubject): Promise<void> {
  const takes = toTakes(registry.rules, subject)
  if (takes.length > 0) await limiter.reset(takes)
}

/** @throws UnavailableError when the store does not answer. */
export async function peekBuckets(
  { limiter, registry }: LimitsBacking,
  subject: LimitSubject,
): Promise<readonly LimitState[]> {
  const takes = toTakes(registry.rules, subject)
  const standings = takes.length > 0 ? await limiter.peek(takes) : []
  return standings.map(({ remaining, retryAfterMs, resetMs }, i) => {
    const rule = takes[i]?.rule
    return { rule: rule?.name ?? '', limit: rule?.capacity ?? 0, remaining, retryAfterMs, resetMs }
  })
}

function toTakes(rules: Iterable<KnownRule>, subject: LimitSubject): readonly Take[] {
  const [scope, key] = toBucket(subject)
  const takes: Take[] = []
  for (const { rule, route } of rules) {
    if (rule.scope !== scope) continue
    if (subject.rule !== undefined && subject.rule !== rule.name) continue
    if ('route' in subject && subject.route !== route) continue
    takes.push({ rule, key, cost: 1 })
  }
  return takes
}

function toBucket(subject: LimitSubject): readonly [scope: RuleScope, key: string] {
  if ('identity' in subject) return ['identity', subject.identity]
  if ('address' in subject) return ['address', toAddressKey(subject.address)]
  if ('route' in subject) return ['route', '']
  return ['custom', subject.key]
}

export function notRunning(): BootError {
  return new BootError('wrong_state', 'rateLimit(): limits can be asked for and reset while their app runs')
}
