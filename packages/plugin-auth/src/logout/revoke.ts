import type { Clock } from '@twinwire/core'
import type { RevokeTarget } from '../auth.ts'
import type { LiveSockets } from '../live-sockets.ts'
import type { TokenCache } from '../token/token-cache.ts'
import type { User } from '../user.ts'
import { isEndedBy, type Revocation, type Revocations } from './revocations.ts'

interface RevokeParts {
  readonly cache: TokenCache
  readonly revocations: Revocations
  readonly sockets: LiveSockets
  readonly clock: Clock
}

export interface Revoke {
  /** Remembers it, forgets its tokens, ends its connections; how many those were. All of it in this turn. */
  readonly apply: (revocation: Revocation) => number
  readonly target: (target: RevokeTarget) => number
}

export function createRevoke({ cache, revocations, sockets, clock }: RevokeParts): Revoke {
  const apply = (revocation: Revocation): number => {
    const isOver = (user: User): boolean => isEndedBy(user, revocation)
    revocations.add(revocation)
    cache.drop(isOver)
    return sockets.end(revocation, isOver)
  }

  const endUser = (userId: string): number => {
    const revocation: Revocation = { kind: 'user', userId, untilMs: clock.now() }
    const isOver = (user: User): boolean => isEndedBy(user, revocation)
    // A refreshed token is a new one of the same session: the sessions that are known here end with what was shown of them.
    for (const { sessionId } of [...sockets.ofUser(userId), ...cache.drop(isOver)]) {
      if (sessionId !== null) revocations.add({ kind: 'session', sessionId })
    }
    return apply(revocation)
  }

  return {
    apply,
    target(target) {
      if (typeof target === 'string') return endUser(target)
      return 'id' in target ? endUser(target.id) : apply({ kind: 'session', sessionId: target.sessionId })
    },
  }
}
