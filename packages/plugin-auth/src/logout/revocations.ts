import type { Clock, Logger } from '@twinwire/core'
import type { User } from '../user.ts'

/** One session, or everything of a user until a moment. */
export type Revocation =
  | { readonly kind: 'session'; readonly sessionId: string }
  | { readonly kind: 'user'; readonly userId: string /** Epoch milliseconds. */; readonly untilMs: number }

/** Does it apply to the token of this user? Times of tokens are in seconds: the same second counts as before. */
export function isRevokedBy(user: User, revocation: Revocation): boolean {
  if (revocation.kind === 'session') return user.sessionId === revocation.sessionId
  return user.id === revocation.userId && user.authenticatedAt <= revocation.untilMs
}

interface Entry {
  readonly revocation: Revocation
  readonly forgetAt: number
}

interface RevocationOptions {
  /** At least the maximum lifetime of a token. */
  readonly rememberMs: number
  readonly maxEntries: number
  readonly clock: Clock
  readonly log: Logger
}

/** The revocations of the recent past, for as long as a token that was issued before can be valid. */
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

  /** @param forgetAt - Epoch milliseconds. Default: in `rememberMs`. */
  add(revocation: Revocation, forgetAt: number = this.#options.clock.now() + this.#options.rememberMs): void {
    const isSession = revocation.kind === 'session'
    const entries = isSession ? this.#sessions : this.#users
    const key = isSession ? revocation.sessionId : revocation.userId
    const known = entries.get(key)
    if (known === undefined) return this.#put(entries, key, { revocation, forgetAt })
    // A delayed logout must not replace a later one.
    const isLater = !isSession && known.revocation.kind === 'user' && known.revocation.untilMs > revocation.untilMs
    this.#put(entries, key, {
      revocation: isLater ? known.revocation : revocation,
      forgetAt: Math.max(known.forgetAt, forgetAt),
    })
  }

  /** Is the token of this user revoked? */
  has(user: User): boolean {
    const session = user.sessionId === null ? undefined : this.#sessions.get(user.sessionId)
    const all = this.#users.get(user.id)
    return (
      (session !== undefined && isRevokedBy(user, session.revocation)) ||
      (all !== undefined && isRevokedBy(user, all.revocation))
    )
  }

  #put(entries: Map<string, Entry>, key: string, entry: Entry): void {
    const { maxEntries, clock, log } = this.#options
    // Moved to the end: the order is by time.
    entries.delete(key)
    entries.set(key, entry)
    for (const [oldKey, { forgetAt }] of entries) {
      const isFull = entries.size > maxEntries
      if (forgetAt > clock.now() && !isFull) break
      if (isFull && forgetAt > clock.now())
        log.warn(
          { maxEntries },
          'The limit of remembered revocations is reached: the oldest is forgotten before its tokens expire; raise maxRevocations',
        )
      entries.delete(oldKey)
    }
  }
}
