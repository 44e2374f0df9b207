import type { Clock } from '@twinwire/core'
import type { AuthInstruments } from '../auth-instruments.ts'
import type { TokenReason } from '../errors.ts'
import type { IssuerKeys, IssuerState } from '../issuer/issuer-keys.ts'
import type { Revocations } from '../logout/revocations.ts'
import type { User } from '../user.ts'
import { type ClaimRules, isAccessTokenHeader, toUser } from './claims.ts'
import { readHeader, type TokenHeader, type Verified, type VerifyOptions, verifyToken } from './jose.ts'
import { type Accepted, type TokenCache, toTokenKey } from './token-cache.ts'

export type Verdict = Accepted | { readonly ok: false; readonly reason: TokenReason }

export interface VerifierOptions extends ClaimRules {
  readonly issuer: string
  readonly audience: readonly string[] | null
  readonly algorithms: readonly string[]
  readonly maxTokenBytes: number
}

interface VerifierParts {
  readonly keys: IssuerKeys
  readonly cache: TokenCache
  readonly revocations: Revocations
  readonly clock: Clock
  readonly instruments: AuthInstruments
}

/** Three parts, each of base64url: what has another form is no signed token, and costs no more. */
const compactForm = /^[\w-]+\.[\w-]+\.[\w-]+$/

/** Judges access tokens. A token that was verified before is answered at once, without a promise. */
export class TokenVerifier {
  readonly #options: VerifierOptions
  readonly #parts: VerifierParts
  /** Tokens that are being verified: the same one, sent twenty times at once, is verified once. */
  readonly #running = new Map<string, Promise<Verdict>>()

  constructor(options: VerifierOptions, parts: VerifierParts) {
    this.#options = options
    this.#parts = parts
  }

  verify(token: string): Verdict | Promise<Verdict> {
    const { cache, instruments } = this.#parts
    if (token.length > this.#options.maxTokenBytes) return this.#counted(refused('too_large'))
    const key = toTokenKey(token)
    const known = cache.get(key)
    if (known !== undefined) {
      instruments.cacheHits.inc()
      return known
    }
    if (!compactForm.test(token)) return this.#counted(refused('malformed'))
    instruments.cacheMisses.inc()
    const running = this.#running.get(key)
    if (running !== undefined) return running
    const verdict = this.#verify(token, key).finally(() => this.#running.delete(key))
    this.#running.set(key, verdict)
    return verdict
  }

  async #verify(token: string, key: string): Promise<Verdict> {
    const { clock, instruments } = this.#parts
    const startedAt = clock.monotonic()
    try {
      return this.#counted(await this.#judge(token, key))
    } finally {
      instruments.duration('validate_token', clock.monotonic() - startedAt)
    }
  }

  #counted(verdict: Verdict): Verdict {
    this.#parts.instruments.validated(verdict.ok ? null : verdict.reason)
    return verdict
  }

  async #judge(token: string, key: string): Promise<Verdict> {
    const { keys, clock, cache } = this.#parts
    const header = readHeader(token)
    if (header === null) return refused('malformed')
    if (header.alg === undefined || !this.#options.algorithms.includes(header.alg)) return refused('algorithm')
    if (!isAccessTokenHeader(header)) return refused('type')
    const verified = await verifyWithKeys(keys, token, header, () => this.#verifyOptions())
    if (!verified.ok) return verified
    // Others were published while the signature was checked: its key may be gone, and the cache was cleared for that.
    if (keys.current?.keys.fingerprint !== verified.keys.fingerprint) return this.#judge(token, key)
    const result = toUser(verified.claims, header, this.#options, clock.now())
    if (!result.ok) return result
    // In one turn with the cache, and after the last wait: what was revoked while the signature was checked does not come in.
    if (this.isRevoked(result.user)) return refused('revoked')
    cache.set(key, result)
    return result
  }

  /** Asked again by whoever lets time pass between a verdict and what it opens. */
  isRevoked(user: User): boolean {
    const { keys, revocations } = this.#parts
    return user.issuedAt < (keys.current?.notBeforeMs ?? 0) || revocations.has(user)
  }

  #verifyOptions(): VerifyOptions {
    const { issuer, audience, algorithms, toleranceMs } = this.#options
    const now = this.#parts.clock.now()
    return { issuer, audience, algorithms, toleranceMs, now, requiredClaims: ['sub', 'exp', 'iat'] }
  }
}

/**
 * By the keys there are; for a key that is not among them by those that the issuer has now. A token without a `kid` names no key: of
 * an issuer that publishes keys without one it is tried again when there are others since.
 */
export async function verifyWithKeys(
  keys: IssuerKeys,
  token: string,
  { kid }: TokenHeader,
  options: () => VerifyOptions,
): Promise<Verified> {
  const isUnknown = (state: IssuerState): boolean => kid !== undefined && !state.keys.ids.has(kid)
  let state = await keys.get()
  if (state !== null && isUnknown(state)) state = await keys.renew()
  if (state === null) return { ok: false, reason: 'unavailable' }
  if (isUnknown(state)) return { ok: false, reason: 'unknown_key' }
  const verified = await verifyToken(token, state.keys, options())
  const isForOtherKeys = !verified.ok && (verified.reason === 'signature' || verified.reason === 'unknown_key')
  if (kid !== undefined || !isForOtherKeys || !state.keys.someUnnamed) return verified
  const renewed = await keys.renew()
  if (renewed === null || renewed.keys.fingerprint === state.keys.fingerprint) return verified
  return verifyToken(token, renewed.keys, options())
}

function refused(reason: TokenReason): Verdict {
  return { ok: false, reason }
}
