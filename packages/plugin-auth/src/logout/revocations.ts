import type { Clock, Logger } from '@twinwire/core'
import type { User } from '../user.ts'

/** What is over: one session, or everything a user had until a moment. */
export type Revocation =
  | { readonly kind: 'session'; readonly sessionId: string }
  | { readonly kind: 'user'; readonly userId: string /** Epoch milliseconds. */; readonly untilMs: number }

/** Does it end what this user came with? Times of tokens are whole seconds: of the same second counts as before. */
export function isEndedBy(user: User, revocation: Revocation): boolean {
  if (revocation.kind === 'session') return user.sessionId === revocation.sessionId
  return user.id === revocation.userId && user.authenticatedAt <= revocation.untilMs
}

interface Entry {
  readonly revocation: Revocation
  readonly forgetAt: number
}

interface RevocationOptions {
  /** At least as long as a token lives. */
  readonly rememberMs: number
  readonly maxEntries: number
  readonly clock: Clock
  readonly log: Logger
}

/** What was revoked, for as long as a token that was issued before could still be shown. */
export class Revocations {
  readonly #options: RevocationOptions
  /** Oldest first. */
  readonly #sessions = new Map<string, Entry>()
  readonly #users = new Map<string, Entry>()

  constructor(options: RevocationOptions) {
    this.#options = options
  }

  get size(): number {
    return this.#sessions.size + this.#users.size
  }

  add(revocation: Revocation): void {
    const { rememberMs, clock } = this.#options
    const forgetAt = clock.now() + rememberMs
    if (revocation.kind === 'session') return this.#put(this.#sessions, revocation.sessionId, { revocation, forgetAt })
    const known = this.#users.get(revocation.userId)?.revocation
    // A logout that was long on its way must not take back a later one.
    const isLater = known?.kind === 'user' && known.untilMs > revocation.untilMs
    this.#put(this.#users, revocation.userId, { revocation: isLater ? known : revocation, forgetAt })
  }

  /** Is what this user came with over? */
  has(user: User): boolean {
    const session = user.sessionId === null ? undefined : this.#sessions.get(user.sessionId)
    const all = this.#users.get(user.id)
    return (
      (session !== undefined && isEndedBy(user, session.revocation)) ||
      (all !== undefined && isEndedBy(user, all.revocation))
    )
  }

  #put(entries: Map<string, Entry>, key: string, entry: Entry): void {
    const { maxEntries, clock, log } = this.#options
    // To the end: the order is that of time.
    entries.delete(key)
    entries.set(key, entry)
    for (const [oldKey, { forgetAt }] of entries) {
      const isFull = entries.size > maxEntries
      if (forgetAt > clock.now() && !isFull) break
      if (isFull && forgetAt > clock.now())
        log.warn(
          { maxEntries },
          'Too many revocations are remembered: the oldest is forgotten before its tokens expire',
        )
      entries.delete(oldKey)
    }
  }
}
