import { type Logger, type MaybePromise, UnavailableError } from '@twinwire/core'
import { CircuitBreaker, type CircuitState, type circuitBreakerRules, type OptionsOf } from '@twinwire/core/plugin'
import type { Limiter, LimiterResult } from '../limiter.ts'
import { defaultMaxKeys, MemoryStore } from '../memory/memory-store.ts'
import type { Charge, ConnectionSlot, Lease, LimitStore, QuotaStatus, StoreServices } from '../store.ts'
import { DenialCache } from './denial-cache.ts'

/**
 * What happens to a call when the store fails. `allow`: it is accepted without limits. `deny`: it gets `unavailable`. `local`: this process
 * applies the same limits on its own.
 */
export type OnStoreError = 'allow' | 'deny' | 'local'

/** For the log. */
const fallbacks: Readonly<Record<OnStoreError, string>> = {
  allow: 'calls are accepted without limits',
  deny: 'calls are refused',
  local: 'each process applies its limits on its own',
}

/** Longest time for which a denial is cached: another process may have reset the bucket. */
const maxDenialMs = 60_000

export type ResolvedBreakerOptions = OptionsOf<ReturnType<typeof circuitBreakerRules>>

interface GuardedStoreOptions {
  readonly name: string
  readonly service: string
  readonly onStoreError: OnStoreError
  readonly breaker: ResolvedBreakerOptions
  readonly services: StoreServices
}

/** A remote store with a circuit breaker, a denial cache and a fallback, so that calls do not suffer when it is slow or unreachable. */
export class GuardedStore implements Limiter {
  readonly #remote: LimitStore
  readonly #local: MemoryStore
  readonly #denials: DenialCache
  readonly #breaker: CircuitBreaker
  readonly #onStoreError: OnStoreError

  constructor(remote: LimitStore, { name, service, onStoreError, breaker, services }: GuardedStoreOptions) {
    const { clock, instruments, log } = services
    this.#remote = remote
    this.#local = new MemoryStore(clock, defaultMaxKeys)
    this.#denials = new DenialCache(clock, maxDenialMs)
    this.#onStoreError = onStoreError
    const onChange = changeLogger(log, { name, service, fallback: fallbacks[onStoreError] })
    this.#breaker = new CircuitBreaker({ service, options: breaker, clock, instruments, onChange })
  }

  consume(charges: readonly Charge[]): MaybePromise<LimiterResult> {
    const cached = this.#denials.check(charges)
    if (cached !== null) return cached
    if (!this.#breaker.admits) return this.#consumeWithoutStore(charges)
    return this.#breaker
      .run(() => this.#remote.consume(charges))
      .then(
        (result) => {
          if (!result.allowed) this.#denials.add(charges, result.statuses)
          return result
        },
        () => this.#consumeWithoutStore(charges),
      )
  }

  #consumeWithoutStore(charges: readonly Charge[]): LimiterResult {
    if (this.#onStoreError === 'local') return this.#local.consume(charges)
    if (this.#onStoreError === 'allow') return { allowed: true, statuses: charges.map(() => null) }
    throw new UnavailableError('Rate limits cannot be checked at the moment')
  }

  adjust(kind: 'charge' | 'refund', charges: readonly Charge[]): MaybePromise<void> {
    if (kind === 'refund') this.#denials.delete(charges)
    if (!this.#breaker.admits) return this.#local.adjust(kind, charges)
    return this.#breaker.run(() => this.#remote.adjust(kind, charges)).catch(() => this.#local.adjust(kind, charges))
  }

  async peek(charges: readonly Charge[]): Promise<readonly QuotaStatus[]> {
    return this.#run(() => this.#remote.peek(charges))
  }

  async reset(charges: readonly Charge[]): Promise<void> {
    this.#local.reset(charges)
    await this.#run(() => this.#remote.reset(charges))
    // Last, because a consume that was in flight during the reset may have cached a denial.
    this.#denials.delete(charges)
  }

  async #run<T>(operation: () => MaybePromise<T>): Promise<T> {
    if (!this.#breaker.admits) throw new UnavailableError('The rate limit store does not respond')
    return this.#breaker.run(operation)
  }

  acquire(lease: Lease, ttlMs: number): MaybePromise<ConnectionSlot | null> {
    if (!this.#breaker.admits) return this.#acquireWithoutStore(lease)
    return this.#breaker
      .run(() => this.#remote.acquire(lease, ttlMs))
      .then(
        (full) => {
          // Keeps the local count correct for the time when the store fails.
          if (full === null) this.#local.renew([lease])
          return full
        },
        () => this.#acquireWithoutStore(lease),
      )
  }

  #acquireWithoutStore(lease: Lease): ConnectionSlot | null {
    if (this.#onStoreError === 'local') return this.#local.acquire(lease)
    if (this.#onStoreError === 'deny') throw new UnavailableError('Connection limits cannot be checked at the moment')
    this.#local.renew([lease])
    return null
  }

  /** A failure is counted by the circuit breaker; the next renewal adds the leases again. */
  renew(leases: readonly Lease[], ttlMs: number): MaybePromise<void> {
    if (this.#breaker.admits) return this.#breaker.run(() => this.#remote.renew(leases, ttlMs)).catch(() => {})
  }

  /** A lease that cannot be released expires. */
  release(lease: Lease): MaybePromise<void> {
    this.#local.release(lease)
    if (this.#breaker.admits) return this.#breaker.run(() => this.#remote.release(lease)).catch(() => {})
  }

  async ping(): Promise<void> {
    await this.#remote.ping?.()
  }

  async close(): Promise<void> {
    this.#breaker.dispose()
    this.#local.close()
    await this.#remote.close()
  }
}

/** An outage is two lines on the level `warn`, however many probes fail in between. */
function changeLogger(
  log: Logger,
  { name, service, fallback }: { readonly name: string; readonly service: string; readonly fallback: string },
): (from: CircuitState, to: CircuitState, error: unknown) => void {
  return (from, to, error) => {
    const fields = { service, from, to }
    if (to === 'closed') log.warn(fields, `${name} is available again`)
    else if (to === 'half_open') log.debug(fields, `${name} is tried again`)
    else if (from === 'closed') log.warn({ ...fields, err: error }, `${name} is failing: ${fallback}`)
    else log.debug(fields, `${name} is still failing`)
  }
}
