import type { Identify } from '@twinwire/core/plugin'
import type { AuthInstruments } from './auth-instruments.ts'
import { readAuthorization } from './bearer.ts'
import type { Refusals } from './errors.ts'
import type { TokenVerifier, Verdict } from './token/token-verifier.ts'
import type { User } from './user.ts'

interface IdentifyParts {
  readonly verifier: TokenVerifier
  readonly refusals: Refusals
  readonly instruments: AuthInstruments
}

/** Who sent an HTTP request, by its `Authorization` header alone. At once for a token that was verified before. */
export function createIdentify({ verifier, refusals, instruments }: IdentifyParts): Identify {
  const toIdentity = (verdict: Verdict): User => {
    if (verdict.ok) {
      instruments.attempted('http', null)
      return verdict.user
    }
    instruments.attempted('http', verdict.reason)
    throw refusals.token(verdict.reason)
  }
  return ({ headers }) => {
    const credentials = readAuthorization(headers.authorization)
    if (credentials.kind === 'none') return null
    if (credentials.kind === 'bad') {
      instruments.attempted('http', 'request')
      throw refusals.request(credentials.description)
    }
    const verdict = verifier.verify(credentials.token)
    return verdict instanceof Promise ? verdict.then(toIdentity) : toIdentity(verdict)
  }
}
