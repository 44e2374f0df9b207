import type { Clock, Logger, MaybePromise } from '@twinwire/core'
import type { PluginControl } from '@twinwire/core/plugin'
import type { RevokeTarget } from '../auth.ts'
import type { LiveSockets } from '../live-sockets.ts'
import type { TokenCache } from '../token/token-cache.ts'
import type { User } from '../user.ts'
import { readRevocationMessage, toRevocationMessages } from './revocation-message.ts'
import { isRevokedBy, type Revocation, type Revocations } from './revocations.ts'

interface RevokeParts {
  readonly cache: TokenCache
  readonly revocations: Revocations
  readonly sockets: LiveSockets
  readonly clock: Clock
  readonly log: Logger
  /** By how much the clocks of issuer and nodes may differ. */
  readonly toleranceMs: number
  /** For how long a revocation matters. */
  readonly rememberMs: number
}

/** What was done on this node, and whether the others are going to know. */
export interface Revoked {
  /** Connections that were closed on this node. */
  readonly closed: number
  /** False: the broker did not take it, and it is sent again in the background. Never rejects. */
  readonly isSent: MaybePromise<boolean>
}

/**
 * Revokes on this node, all in one turn: remembers it, drops its tokens from the cache and closes its connections. Then tells the other nodes,
 * which do the same; those that are cut off or start later, as long as it matters.
 */
export class Revoke {
  readonly #parts: RevokeParts
  readonly #control: PluginControl
  #isReported = false

  constructor(parts: RevokeParts, onControl: (handler: (data: unknown) => void) => PluginControl) {
    this.#parts = parts
    this.#control = onControl((data) => this.#receive(data))
  }

  /** What the issuer has ended. */
  apply(revocation: Revocation): Revoked {
    const forgetAt = this.#forgetAt()
    const closed = this.#applyHere(revocation, forgetAt)
    return { closed, isSent: this.#send([revocation], forgetAt, false) }
  }

  /** What the application ends. Returns the number of connections that were closed on this node. */
  target(target: RevokeTarget): number {
    if (typeof target === 'string') return this.#user(target)
    return 'id' in target ? this.#user(target.id) : this.apply({ kind: 'session', sessionId: target.sessionId }).closed
  }

  #user(userId: string): number {
    const forgetAt = this.#forgetAt()
    const all = this.#expand({ kind: 'user', userId, untilMs: this.#parts.clock.now() }, Number.POSITIVE_INFINITY)
    // The user closes the connections of the sessions, which were found by them.
    let closed = 0
    for (const each of all)
      if (each.kind === 'user') closed = this.#applyHere(each, forgetAt)
      else this.#parts.revocations.add(each, forgetAt)
    void this.#send(all, forgetAt, true)
    return closed
  }

  /**
   * With the sessions of the user that are known here, since a refreshed token is a new token of the same session. The clock of the issuer may be
   * ahead, so that tokens which were seen are revoked in any case, if their login is not after `latestMs`. The user comes last.
   */
  #expand(revocation: Revocation & { readonly kind: 'user' }, latestMs: number): readonly Revocation[] {
    const { cache, sockets } = this.#parts
    const { userId } = revocation
    const known = [...sockets.ofUser(userId), ...cache.drop(({ id }) => id === userId)]
    const sessions = new Set<string>()
    let { untilMs } = revocation
    for (const { authenticatedAt, sessionId } of known) {
      if (authenticatedAt > latestMs) continue
      untilMs = Math.max(untilMs, authenticatedAt)
      if (sessionId !== null) sessions.add(sessionId)
    }
    const ofSessions = [...sessions].map((sessionId) => ({ kind: 'session', sessionId }) as const)
    return [...ofSessions, { kind: 'user', userId, untilMs }]
  }

  #applyHere(revocation: Revocation, forgetAt: number): number {
    const { cache, revocations, sockets } = this.#parts
    const isRevoked = (user: User): boolean => isRevokedBy(user, revocation)
    revocations.add(revocation, forgetAt)
    cache.drop(isRevoked)
    return sockets.close(revocation, isRevoked)
  }

  #send(revocations: readonly Revocation[], forgetAt: number, withKnownSessions: boolean): MaybePromise<boolean> {
    const keepMs = Math.ceil(forgetAt - this.#parts.clock.now())
    const results = toRevocationMessages({ revocations, forgetAt, withKnownSessions }).map((message) =>
      this.#control.send(message, { keepMs }),
    )
    if (results.every((result) => typeof result === 'boolean')) return !results.includes(false)
    return Promise.all(results.map(async (result) => result)).then((sent) => !sent.includes(false))
  }

  /** Of another node. A message that comes again, or late, does no harm. */
  #receive(data: unknown): void {
    const { clock, log, rememberMs, toleranceMs } = this.#parts
    const message = readRevocationMessage(data)
    if (message === null) return this.#reportMalformed()
    const now = clock.now()
    const forgetAt = Math.min(message.forgetAt, now + rememberMs)
    if (forgetAt <= now) return
    const sent = new Set<string>()
    const unsent: Revocation[] = []
    let closed = 0
    for (const given of message.revocations) {
      if (given.kind === 'session') sent.add(given.sessionId)
      for (const each of this.#here(given, message.withKnownSessions, now + toleranceMs)) {
        closed += this.#applyHere(each, forgetAt)
        if (each.kind === 'session' && !sent.has(each.sessionId)) unsent.push(each)
      }
    }
    if (closed > 0) log.info({ connections: closed }, 'Another node ended a session')
    // Sessions that the sender does not know: their tokens may be refreshed and used on a third node.
    if (unsent.length > 0) void this.#send(unsent, forgetAt, false)
  }

  /** `latestMs`: no valid token is of a later login. A node whose clock is ahead must not lock users out here. */
  #here(given: Revocation, withKnownSessions: boolean, latestMs: number): readonly Revocation[] {
    if (given.kind === 'session') return [given]
    const revocation = { ...given, untilMs: Math.min(given.untilMs, latestMs) }
    return withKnownSessions ? this.#expand(revocation, revocation.untilMs + this.#parts.toleranceMs) : [revocation]
  }

  #reportMalformed(): void {
    if (this.#isReported) return
    this.#isReported = true
    this.#parts.log.warn(
      'A malformed revocation of another node was ignored: does another version of the plugin run there?',
    )
  }

  #forgetAt(): number {
    return this.#parts.clock.now() + this.#parts.rememberMs
  }
}
