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
    const known = [...sockets.ofUser(userId), ...cache.drop((user) => user.id === userId)]
    // By the issuer's clock, which may be ahead of ours: what was shown of the user is over in any case.
    const untilMs = known.reduce((latest, { authenticatedAt }) => Math.max(latest, authenticatedAt), clock.now())
    // A refreshed token is a new one of the same session: the sessions that are known here end with what was shown of them.
    for (const { sessionId } of known) if (sessionId !== null) revocations.add({ kind: 'session', sessionId })
    return apply({ kind: 'user', userId, untilMs })
  }

  return {
    apply,
    target(target) {
      if (typeof target === 'string') return endUser(target)
      return 'id' in target ? endUser(target.id) : apply({ kind: 'session', sessionId: target.sessionId })
    },
  }
}
