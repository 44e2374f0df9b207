import { UnavailableError } from '@twinwire/core'
import type { Limiter, LimiterVerdict } from '../limiter.ts'
import { defaultMaxKeys, MemoryStore } from '../memory/memory-store.ts'
import type { Lease, LimitStore, MaybePromise, Seat, Standing, StoreServices, Take } from '../store.ts'
import { Refusals } from './refusals.ts'
import { type BreakerOptions, StoreBreaker } from './store-breaker.ts'

/**
 * What a call gets when the store fails. `allow`: it passes. `deny`: `unavailable`. `local`: the limits of this process alone hold, by
 * the same rules.
 */
export type OnStoreError = 'allow' | 'deny' | 'local'

const meanwhile: Readonly<Record<OnStoreError, string>> = {
  allow: 'calls pass without limits',
  deny: 'calls are refused',
  local: 'each process limits by itself',
}

/** However long a refusal holds: after that the store is asked again, which may have been told by another process to forget it. */
const maxRefusalMs = 60_000

interface GuardedStoreOptions {
  readonly name: string
  readonly service: string
  readonly onStoreError: OnStoreError
  readonly breaker: BreakerOptions
  readonly services: StoreServices
}

/** A store outside of this process, with everything that keeps calls from suffering when it is slow or away. */
export class GuardedStore implements Limiter {
  readonly #remote: LimitStore
  readonly #local: MemoryStore
  readonly #refusals: Refusals
  readonly #breaker: StoreBreaker
  readonly #onStoreError: OnStoreError

  constructor(remote: LimitStore, { name, service, onStoreError, breaker, services }: GuardedStoreOptions) {
    const { clock, instruments, log } = services
    this.#remote = remote
    this.#local = new MemoryStore(clock, defaultMaxKeys)
    this.#refusals = new Refusals(clock, maxRefusalMs)
    this.#onStoreError = onStoreError
    const parts = { name, service, meanwhile: meanwhile[onStoreError], options: breaker, instruments, log }
    this.#breaker = new StoreBreaker(parts)
  }

  consume(takes: readonly Take[]): MaybePromise<LimiterVerdict> {
    const refused = this.#refusals.check(takes)
    if (refused !== null) return refused
    if (!this.#breaker.admits) return this.#consumeWithout(takes)
    return this.#breaker
      .run(() => this.#remote.consume(takes))
      .then(
        (verdict) => {
          if (!verdict.allowed) this.#refusals.keep(takes, verdict.standings)
          return verdict
        },
        () => this.#consumeWithout(takes),
      )
  }

  #consumeWithout(takes: readonly Take[]): LimiterVerdict {
    if (this.#onStoreError === 'local') return this.#local.consume(takes)
    if (this.#onStoreError === 'allow') return { allowed: true, standings: takes.map(() => null) }
    throw new UnavailableError('The limits cannot be checked now')
  }

  adjust(what: 'take' | 'give back', takes: readonly Take[]): MaybePromise<void> {
    if (what === 'give back') this.#refusals.forget(takes)
    if (!this.#breaker.admits) return this.#local.adjust(what, takes)
    return this.#breaker.run(() => this.#remote.adjust(what, takes)).catch(() => this.#local.adjust(what, takes))
  }

  async peek(takes: readonly Take[]): Promise<readonly Standing[]> {
    return this.#ask(() => this.#remote.peek(takes))
  }

  async reset(takes: readonly Take[]): Promise<void> {
    this.#local.reset(takes)
    await this.#ask(() => this.#remote.reset(takes))
    // Afterwards, so that an answer that was under way leaves nothing behind.
    this.#refusals.forget(takes)
  }

  async #ask<T>(ask: () => MaybePromise<T>): Promise<T> {
    if (!this.#breaker.admits) throw new UnavailableError('The store of limits does not answer')
    return this.#breaker.run(ask)
  }

  acquire(lease: Lease, ttlMs: number): MaybePromise<Seat | null> {
    if (!this.#breaker.admits) return this.#acquireWithout(lease)
    return this.#breaker
      .run(() => this.#remote.acquire(lease, ttlMs))
      .then(
        (refused) => {
          // Should the store fail later, the count of this process is right from the start.
          if (refused === null) this.#local.renew([lease])
          return refused
        },
        () => this.#acquireWithout(lease),
      )
  }

  #acquireWithout(lease: Lease): Seat | null {
    if (this.#onStoreError === 'local') return this.#local.acquire(lease)
    if (this.#onStoreError === 'deny') throw new UnavailableError('The number of connections cannot be checked now')
    this.#local.renew([lease])
    return null
  }

  renew(leases: readonly Lease[], ttlMs: number): MaybePromise<void> {
    if (this.#breaker.admits) return this.#breaker.run(() => this.#remote.renew(leases, ttlMs)).catch(() => {})
  }

  /** A lease that cannot be given up runs out. */
  release(lease: Lease): MaybePromise<void> {
    this.#local.release(lease)
    if (this.#breaker.admits) return this.#breaker.run(() => this.#remote.release(lease)).catch(() => {})
  }

  async ping(): Promise<void> {
    await this.#remote.ping?.()
  }

  async close(): Promise<void> {
    this.#breaker.close()
    this.#local.close()
    await this.#remote.close()
  }
}
