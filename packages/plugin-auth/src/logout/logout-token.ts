import type { Clock } from '@twinwire/core'
import type { AuthInstruments } from '../auth-instruments.ts'
import type { IssuerKeys } from '../issuer/issuer-keys.ts'
import { type Claims, readHeader, type TokenHeader } from '../token/jose.ts'
import { verifyWithKeys } from '../token/token-verifier.ts'
import type { Revocation } from './revocations.ts'

/** OpenID Connect Back-Channel Logout 1.0, section 2.4. */
const logoutEvent = 'http://schemas.openid.net/event/backchannel-logout'
/** Maximum age of a logout token. */
const maxAgeMs = 120_000
/** Number of remembered token ids; the age limit bounds what a forgotten one can do. */
const maxTokenIds = 10_000

interface LogoutTokenOptions {
  readonly issuer: string
  /** Clients at the issuer whose logout tokens are accepted. */
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
  | { readonly kind: 'logout'; readonly revocation: Revocation; readonly tokenId: string }
  | { readonly kind: 'invalid'; readonly description: string }
  | { readonly kind: 'unavailable' }

/** Verifies logout tokens (section 2.6), and accepts each only once on this node. On another one it ends the same session again: no harm. */
export class LogoutTokens {
  readonly #options: LogoutTokenOptions
  readonly #parts: LogoutTokenParts
  /** Token id -> when it may be forgotten; oldest first. */
  readonly #used = new Map<string, number>()

  constructor(options: LogoutTokenOptions, parts: LogoutTokenParts) {
    this.#options = options
    this.#parts = parts
  }

  async verify(token: string): Promise<LogoutResult> {
    const { clock, instruments } = this.#parts
    const startedAt = clock.monotonic()
    try {
      return await this.#check(token)
    } finally {
      instruments.duration('validate_logout_token', clock.monotonic() - startedAt)
    }
  }

  /** It is accepted once more: the issuer is asked to send it again. */
  release(tokenId: string): void {
    this.#used.delete(tokenId)
  }

  async #check(token: string): Promise<LogoutResult> {
    const { issuer, clients, algorithms, toleranceMs, maxTokenBytes } = this.#options
    const { keys, clock } = this.#parts
    const header = token.length > maxTokenBytes ? null : readHeader(token)
    if (header === null) return invalid('The logout token is malformed')
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
      return invalid(`The logout token is invalid: ${verified.reason}`)
    }
    const { claims } = verified
    const problem = findProblem(claims, header)
    if (problem !== null) return invalid(problem)
    if (!this.#useOnce(claims)) return invalid('The logout token was used before')
    return { kind: 'logout', revocation: toRevocation(claims), tokenId: claims.jti ?? '' }
  }

  #useOnce({ jti = '' }: Claims): boolean {
    const now = this.#parts.clock.now()
    for (const [id, forgetAt] of this.#used) {
      if (forgetAt > now && this.#used.size < maxTokenIds) break
      this.#used.delete(id)
    }
    if (this.#used.has(jti)) return false
    // Its clock may be ahead by the tolerance, and it is accepted for the tolerance after its maximum age.
    this.#used.set(jti, now + maxAgeMs + 2 * this.#options.toleranceMs)
    return true
  }
}

function findProblem(claims: Claims, { typ }: TokenHeader): string | null {
  const { events, nonce, jti, sid, sub } = claims
  const type = typ?.toLowerCase()
  const isTyped = type === 'logout+jwt' || type === 'application/logout+jwt' || claims.typ === 'Logout'
  if (!isTyped) return 'The token is not a logout token'
  if (!isRecord(events) || !isRecord(events[logoutEvent])) return 'The logout token has no logout event'
  if (nonce !== undefined) return 'A logout token must not contain a nonce'
  if (typeof jti !== 'string' || jti === '') return 'The logout token has no jti'
  if (!isAbsentOrString(sid) || !isAbsentOrString(sub)) return 'The sid or sub of the logout token is not a string'
  return sid === undefined && sub === undefined ? 'The logout token contains neither sid nor sub' : null
}

/** With a sid the end of that session; without one, of all sessions of the user. */
function toRevocation({ sid, sub = '', iat = 0 }: Claims): Revocation {
  if (typeof sid === 'string') return { kind: 'session', sessionId: sid }
  return { kind: 'user', userId: sub, untilMs: iat * 1000 }
}

function isAbsentOrString(value: unknown): boolean {
  return value === undefined || (typeof value === 'string' && value !== '')
}
function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
function invalid(description: string): LogoutResult {
  return { kind: 'invalid', description }
}
