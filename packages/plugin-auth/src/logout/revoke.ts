import type { Clock } from '@twinwire/core'
import type { RevokeTarget } from '../auth.ts'
import type { LiveSockets } from '../live-sockets.ts'
import type { TokenCache } from '../token/token-cache.ts'
import type { User } from '../user.ts'
import { isRevokedBy, type Revocation, type Revocations } from './revocations.ts'

interface RevokeParts {
  readonly cache: TokenCache
  readonly revocations: Revocations
  readonly sockets: LiveSockets
  readonly clock: Clock
}

export interface Revoke {
  /** Remembers it, drops its tokens from the cache and closes its connections, all in this turn. Returns the number of connections. */
  readonly apply: (revocation: Revocation) => number
  readonly target: (target: RevokeTarget) => number
}

export function createRevoke({ cache, revocations, sockets, clock }: RevokeParts): Revoke {
  const apply = (revocation: Revocation): number => {
    const isRevoked = (user: User): boolean => isRevokedBy(user, revocation)
    revocations.add(revocation)
    cache.drop(isRevoked)
    return sockets.close(revocation, isRevoked)
  }

  const revokeUser = (userId: string): number => {
    const known = [...sockets.ofUser(userId), ...cache.drop((user) => user.id === userId)]
    // The clock of the issuer may be ahead: tokens that were seen are revoked in any case.
    const untilMs = known.reduce((latest, { authenticatedAt }) => Math.max(latest, authenticatedAt), clock.now())
    // A refreshed token is a new token of the same session, so known sessions are revoked too.
    for (const { sessionId } of known) if (sessionId !== null) revocations.add({ kind: 'session', sessionId })
    return apply({ kind: 'user', userId, untilMs })
  }

  return {
    apply,
    target(target) {
      if (typeof target === 'string') return revokeUser(target)
      return 'id' in target ? revokeUser(target.id) : apply({ kind: 'session', sessionId: target.sessionId })
    },
  }
}
