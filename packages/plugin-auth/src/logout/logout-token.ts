import type { Clock } from '@twinwire/core'
import type { AuthInstruments } from '../auth-instruments.ts'
import type { IssuerKeys } from '../issuer/issuer-keys.ts'
import { type Claims, readHeader, type TokenHeader } from '../token/jose.ts'
import { verifyWithKeys } from '../token/token-verifier.ts'
import type { Revocation } from './revocations.ts'

/** OpenID Connect Back-Channel Logout 1.0, section 2.4. */
const logoutEvent = 'http://schemas.openid.net/event/backchannel-logout'
/** How old a logout token may be. */
const maxAgeMs = 120_000
/** Token ids that are remembered; the age bounds what an older one could do. */
const maxTokenIds = 10_000

interface LogoutTokenOptions {
  readonly issuer: string
  /** Clients at the issuer that log out here. */
  readonly clients: readonly string[]
  readonly algorithms: readonly string[]
  readonly toleranceMs: number
  readonly maxTokenBytes: number
}

interface LogoutTokenParts {
  readonly keys: IssuerKeys
  readonly clock: Clock
  readonly instruments: AuthInstruments
}

export type LogoutResult =
  | { readonly kind: 'logout'; readonly revocation: Revocation }
  | { readonly kind: 'refused'; readonly description: string }
  | { readonly kind: 'unavailable' }

/** Verifies logout tokens in full (section 2.6), each of them once. */
export class LogoutTokens {
  readonly #options: LogoutTokenOptions
  readonly #parts: LogoutTokenParts
  /** When each may be forgotten, oldest first. */
  readonly #used = new Map<string, number>()

  constructor(options: LogoutTokenOptions, parts: LogoutTokenParts) {
    this.#options = options
    this.#parts = parts
  }

  async verify(token: string): Promise<LogoutResult> {
    const { clock, instruments } = this.#parts
    const startedAt = clock.monotonic()
    try {
      return await this.#judge(token)
    } finally {
      instruments.duration('validate_logout_token', clock.monotonic() - startedAt)
    }
  }

  async #judge(token: string): Promise<LogoutResult> {
    const { issuer, clients, algorithms, toleranceMs, maxTokenBytes } = this.#options
    const { keys, clock } = this.#parts
    const header = token.length > maxTokenBytes ? null : readHeader(token)
    if (header === null) return refused('The logout token is malformed')
    const verified = await verifyWithKeys(keys, token, header, () => ({
      issuer,
      audience: clients,
      algorithms,
      toleranceMs,
      now: clock.now(),
      requiredClaims: ['iat', 'jti', 'events'],
      maxAgeMs,
    }))
    if (!verified.ok) {
      if (verified.reason === 'unavailable') return { kind: 'unavailable' }
      return refused(`The logout token is not valid: ${verified.reason}`)
    }
    const { claims } = verified
    const mistake = findMistake(claims, header)
    if (mistake !== null) return refused(mistake)
    if (!this.#useOnce(claims)) return refused('The logout token was used before')
    return { kind: 'logout', revocation: toRevocation(claims) }
  }

  #useOnce({ jti = '' }: Claims): boolean {
    const now = this.#parts.clock.now()
    for (const [id, forgetAt] of this.#used) {
      if (forgetAt > now && this.#used.size < maxTokenIds) break
      this.#used.delete(id)
    }
    if (this.#used.has(jti)) return false
    // Issued up to a tolerance ahead of us, it is accepted for its age and a tolerance more.
    this.#used.set(jti, now + maxAgeMs + 2 * this.#options.toleranceMs)
    return true
  }
}

function findMistake(claims: Claims, { typ }: TokenHeader): string | null {
  const { events, nonce, jti, sid, sub } = claims
  const type = typ?.toLowerCase()
  const isTyped = type === 'logout+jwt' || type === 'application/logout+jwt' || claims.typ === 'Logout'
  if (!isTyped) return 'The token is not a logout token'
  if (!isRecord(events) || !isRecord(events[logoutEvent])) return 'The logout token has no logout event'
  if (nonce !== undefined) return 'A logout token has no nonce'
  if (typeof jti !== 'string' || jti === '') return 'The logout token has no jti'
  if (!isAbsentOrText(sid) || !isAbsentOrText(sub)) return 'The sid or sub of the logout token is not a text'
  return sid === undefined && sub === undefined ? 'The logout token names neither a session nor a user' : null
}

/** With a session named it is that one's end, whoever's it is; without, the end of all that the user had. */
function toRevocation({ sid, sub = '', iat = 0 }: Claims): Revocation {
  if (typeof sid === 'string') return { kind: 'session', sessionId: sid }
  return { kind: 'user', userId: sub, untilMs: iat * 1000 }
}

function isAbsentOrText(value: unknown): boolean {
  return value === undefined || (typeof value === 'string' && value !== '')
}
function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
function refused(description: string): LogoutResult {
  return { kind: 'refused', description }
}
