import { BootError } from '@twinwire/core'
import { toAddressKey } from './address-key.ts'
import type { LimitRegistry, RegisteredRule } from './limit-registry.ts'
import type { Limiter } from './limiter.ts'
import type { RuleScope } from './rule.ts'
import type { Charge } from './store.ts'

/**
 * Selects buckets: those of an identity, those of an address, the shared one of a route's limit (`key: 'route'`), or those of a key that
 * a key function has returned. `rule` selects one limit by the name that headers show; without it all limits are selected.
 */
export type LimitSubject = (
  | { readonly identity: string }
  | { readonly address: string }
  | { readonly route: string }
  | { readonly key: string }
) & { readonly rule?: string }

/** State of one bucket. */
export interface LimitState {
  /** Name of the limit. */
  readonly rule: string
  /** Size of the bucket: `points + burst`. */
  readonly limit: number
  readonly remaining: number
  /** Milliseconds until one point is available; 0 when it is. */
  readonly retryAfterMs: number
  /** Milliseconds until the bucket is full. */
  readonly resetMs: number
}

/** Access to the limits of an application, outside of calls. Rejects with a BootError `wrong_state` unless the application is running. */
export interface Limits {
  /**
   * Fills buckets. Another process that has cached a denial applies the reset when the denial expires, at most a minute later.
   *
   * @throws UnavailableError when the store does not answer
   */
  reset(subject: LimitSubject): Promise<void>
  /**
   * State of the buckets, in the order in which their limits were declared. Charges nothing.
   *
   * @throws UnavailableError when the store does not answer
   */
  peek(subject: LimitSubject): Promise<readonly LimitState[]>
}

/** What `Limits` works on while an application runs. */
export interface LimitsBacking {
  readonly limiter: Limiter
  readonly registry: LimitRegistry
}

export async function resetBuckets({ limiter, registry }: LimitsBacking, subject: LimitSubject): Promise<void> {
  const charges = toCharges(registry.rules, subject)
  if (charges.length > 0) await limiter.reset(charges)
}

export async function peekBuckets(
  { limiter, registry }: LimitsBacking,
  subject: LimitSubject,
): Promise<readonly LimitState[]> {
  const charges = toCharges(registry.rules, subject)
  const statuses = charges.length > 0 ? await limiter.peek(charges) : []
  return statuses.map(({ remaining, retryAfterMs, resetMs }, i) => {
    const rule = charges[i]?.rule
    return { rule: rule?.name ?? '', limit: rule?.capacity ?? 0, remaining, retryAfterMs, resetMs }
  })
}

function toCharges(rules: Iterable<RegisteredRule>, subject: LimitSubject): readonly Charge[] {
  const [scope, key] = toBucket(subject)
  const charges: Charge[] = []
  for (const { rule, route } of rules) {
    if (rule.scope !== scope) continue
    if (subject.rule !== undefined && subject.rule !== rule.name) continue
    if ('route' in subject && subject.route !== route) continue
    charges.push({ rule, key, cost: 1 })
  }
  return charges
}

function toBucket(subject: LimitSubject): readonly [scope: RuleScope, key: string] {
  if ('identity' in subject) return ['identity', subject.identity]
  if ('address' in subject) return ['address', toAddressKey(subject.address)]
  if ('route' in subject) return ['route', '']
  return ['custom', subject.key]
}

export function notRunning(): BootError {
  return new BootError('wrong_state', 'rateLimit(): reset() and peek() work only while the application is running')
}
