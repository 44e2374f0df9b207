import { hash } from 'node:crypto'
import type { Clock } from '@twinwire/core'
import { LRUCache } from 'lru-cache'
import type { User } from '../user.ts'

/** A verdict as the verifier hands it out, so that a hit allocates nothing. */
export interface Accepted {
  readonly ok: true
  readonly user: User
}

/** Tokens are kept by their digest: a dump of the process has none of them. */
export function toTokenKey(token: string): string {
  return hash('sha256', token, 'base64url')
}

/** Tokens that were verified, at most so many, each until it expires: a token within the tolerance is verified anew. */
export class TokenCache {
  readonly #entries: LRUCache<string, Accepted> | null
  readonly #clock: Clock

  /** `maxEntries` 0: none are kept. */
  constructor(maxEntries: number, clock: Clock) {
    this.#entries = maxEntries === 0 ? null : new LRUCache({ max: maxEntries })
    this.#clock = clock
  }

  get size(): number {
    return this.#entries?.size ?? 0
  }

  get(key: string): Accepted | undefined {
    const entry = this.#entries?.get(key)
    if (entry === undefined || entry.user.expiresAt > this.#clock.now()) return entry
    this.#entries?.delete(key)
    return undefined
  }

  set(key: string, entry: Accepted): void {
    if (entry.user.expiresAt > this.#clock.now()) this.#entries?.set(key, entry)
  }

  /** Forgets the tokens of users for whom it is over, and says who they were. */
  drop(isOver: (user: User) => boolean): readonly User[] {
    const dropped: User[] = []
    for (const [key, { user }] of this.#entries?.entries() ?? []) {
      if (!isOver(user)) continue
      dropped.push(user)
      this.#entries?.delete(key)
    }
    return dropped
  }

  clear(): void {
    this.#entries?.clear()
  }
}
