import type { Clock } from '@twinwire/core'
import type { AuthInstruments } from '../auth-instruments.ts'
import type { TokenReason } from '../errors.ts'
import type { IssuerKeys, IssuerState } from '../issuer/issuer-keys.ts'
import type { Revocations } from '../logout/revocations.ts'
import type { User } from '../user.ts'
import { type ClaimRules, isAccessTokenHeader, toUser } from './claims.ts'
import { readHeader, type TokenHeader, type Verified, type VerifyOptions, verifyToken } from './jose.ts'
import { type TokenCache, toTokenKey, type VerifiedToken } from './token-cache.ts'

export type VerificationResult = VerifiedToken | { readonly ok: false; readonly reason: TokenReason }

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

/** Three parts of base64url. Anything else is not a signed token, and is rejected without further work. */
const compactForm = /^[\w-]+\.[\w-]+\.[\w-]+$/

/** Verifies access tokens. The result for a token in the cache is returned without a promise. */
export class TokenVerifier {
  readonly #options: VerifierOptions
  readonly #parts: VerifierParts
  /** Verifications that are running, shared by concurrent calls with the same token. */
  readonly #running = new Map<string, Promise<VerificationResult>>()

  constructor(options: VerifierOptions, parts: VerifierParts) {
    this.#options = options
    this.#parts = parts
  }

  verify(token: string): VerificationResult | Promise<VerificationResult> {
    const { cache, instruments } = this.#parts
    if (token.length > this.#options.maxTokenBytes) return this.#counted(invalid('too_large'))
    const key = toTokenKey(token)
    const known = cache.get(key)
    if (known !== undefined) {
      instruments.cacheHits.inc()
      return known
    }
    if (!compactForm.test(token)) return this.#counted(invalid('malformed'))
    instruments.cacheMisses.inc()
    const running = this.#running.get(key)
    if (running !== undefined) return running
    const result = this.#verify(token, key).finally(() => this.#running.delete(key))
    this.#running.set(key, result)
    return result
  }

  async #verify(token: string, key: string): Promise<VerificationResult> {
    const { clock, instruments } = this.#parts
    const startedAt = clock.monotonic()
    try {
      return this.#counted(await this.#check(token, key))
    } finally {
      instruments.duration('validate_token', clock.monotonic() - startedAt)
    }
  }

  #counted(result: VerificationResult): VerificationResult {
    this.#parts.instruments.validated(result.ok ? null : result.reason)
    return result
  }

  async #check(token: string, key: string): Promise<VerificationResult> {
    const { keys, clock, cache } = this.#parts
    const header = readHeader(token)
    if (header === null) return invalid('malformed')
    if (header.alg === undefined || !this.#options.algorithms.includes(header.alg)) return invalid('algorithm')
    if (!isAccessTokenHeader(header)) return invalid('type')
    const verified = await verifyWithKeys(keys, token, header, () => this.#verifyOptions())
    if (!verified.ok) return verified
    // The keys changed while the signature was verified, and the cache was cleared: the key of this token may have been removed.
    if (keys.current?.keys.fingerprint !== verified.keys.fingerprint) return this.#check(token, key)
    const result = toUser(verified.claims, header, this.#options, clock.now())
    if (!result.ok) return result
    // After the last wait, in the same turn as the cache: a token that was revoked meanwhile must not be cached.
    if (this.isRevoked(result.user)) return invalid('revoked')
    cache.set(key, result)
    return result
  }

  /** Check again when time has passed since the verification. */
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
 * Verifies a token by the current keys, and reads them again for an unknown `kid`. They are also read again for a token without `kid`
 * when no current key signed it and the issuer publishes keys without id.
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
  if (kid !== undefined || !isForOtherKeys || !state.keys.someWithoutId) return verified
  const renewed = await keys.renew()
  if (renewed === null || renewed.keys.fingerprint === state.keys.fingerprint) return verified
  return verifyToken(token, renewed.keys, options())
}

function invalid(reason: TokenReason): VerificationResult {
  return { ok: false, reason }
}
