import { hash } from 'node:crypto'
import type { Clock } from '@twinwire/core'
import { LRUCache } from 'lru-cache'
import type { User } from '../user.ts'

/** The result of a successful verification, as the verifier returns it: a cache hit allocates nothing. */
export interface VerifiedToken {
  readonly ok: true
  readonly user: User
}

/** The cache is keyed by digests, so that a memory dump does not contain its tokens. */
export function toTokenKey(token: string): string {
  return hash('sha256', token, 'base64url')
}

/** Verified tokens, each until it expires; within the tolerance after that a token is verified each time. */
export class TokenCache {
  readonly #entries: LRUCache<string, VerifiedToken> | null
  readonly #clock: Clock

  /** `maxEntries` 0: no cache. */
  constructor(maxEntries: number, clock: Clock) {
    this.#entries = maxEntries === 0 ? null : new LRUCache({ max: maxEntries })
    this.#clock = clock
  }

  get size(): number {
    return this.#entries?.size ?? 0
  }

  get(key: string): VerifiedToken | undefined {
    const entry = this.#entries?.get(key)
    if (entry === undefined || entry.user.expiresAt > this.#clock.now()) return entry
    this.#entries?.delete(key)
    return undefined
  }

  set(key: string, entry: VerifiedToken): void {
    if (entry.user.expiresAt > this.#clock.now()) this.#entries?.set(key, entry)
  }

  /** Removes the tokens of users for which `isRevoked` is true. Returns these users. */
  drop(isRevoked: (user: User) => boolean): readonly User[] {
    const dropped: User[] = []
    for (const [key, { user }] of this.#entries?.entries() ?? []) {
      if (!isRevoked(user)) continue
      dropped.push(user)
      this.#entries?.delete(key)
    }
    return dropped
  }

  clear(): void {
    this.#entries?.clear()
  }
}
