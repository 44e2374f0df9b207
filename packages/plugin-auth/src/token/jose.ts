import { createPublicKey } from 'node:crypto'
import {
  createLocalJWKSet,
  decodeProtectedHeader,
  errors,
  type JSONWebKeySet,
  type JWK,
  type JWTPayload,
  type JWTVerifyGetKey,
  jwtVerify,
} from 'jose'
import type { TokenReason } from '../errors.ts'
import { hasDuplicateMembers } from './duplicate-members.ts'

// The only file that knows the library: what leaves it are values of ours, and no error with a token's claims in it.

/** Public keys of the issuer. */
export interface KeySet {
  readonly find: JWTVerifyGetKey
  readonly ids: ReadonlySet<string>
  /** Is a key among them that has no id, so that tokens do not name theirs? */
  readonly someUnnamed: boolean
  /** Of the document it was made of: two sets of one fingerprint are the same. */
  readonly fingerprint: string
}

/**
 * Null for a document that is no key set, or one without a key that can be used. Those that cannot are left out: the library would find
 * out with a token at hand, and whoever names such a key would get an internal error.
 */
export function createKeySet(document: unknown): KeySet | null {
  if (!isKeySet(document)) return null
  const keys = document.keys.filter(isUsable)
  if (keys.length === 0) return null
  return {
    find: createLocalJWKSet({ keys }),
    ids: new Set(keys.flatMap(({ kid }) => (typeof kid === 'string' ? [kid] : []))),
    someUnnamed: keys.some(({ kid }) => typeof kid !== 'string'),
    fingerprint: JSON.stringify(keys),
  }
}

function isKeySet(document: unknown): document is JSONWebKeySet {
  if (typeof document !== 'object' || document === null || !('keys' in document)) return false
  return Array.isArray(document.keys) && document.keys.every((key) => typeof key === 'object' && key !== null)
}

/** Least length of an RSA key (RFC 7518, section 3.3). */
const minModulusBits = 2048

function isUsable(key: JWK): boolean {
  try {
    const { asymmetricKeyType, asymmetricKeyDetails } = createPublicKey({ key: { ...key }, format: 'jwk' })
    return asymmetricKeyType !== 'rsa' || (asymmetricKeyDetails?.modulusLength ?? 0) >= minModulusBits
  } catch {
    return false
  }
}

/** The parts of a token's header that are looked at before its signature. */
export interface TokenHeader {
  readonly alg: string | undefined
  readonly typ: string | undefined
  readonly kid: string | undefined
}

/** Null for what is no JSON object, or names a member twice. */
export function readHeader(token: string): TokenHeader | null {
  const encoded = token.slice(0, token.indexOf('.'))
  if (hasDuplicateMembers(Buffer.from(encoded, 'base64url').toString())) return null
  try {
    const { alg, typ, kid } = decodeProtectedHeader(token)
    const isText = (value: unknown): boolean => value === undefined || typeof value === 'string'
    return isText(alg) && isText(typ) && isText(kid) ? { alg, typ, kid } : null
  } catch {
    return null
  }
}

export interface VerifyOptions {
  readonly issuer: string
  readonly audience: readonly string[] | null
  readonly algorithms: readonly string[]
  readonly toleranceMs: number
  /** Epoch milliseconds. */
  readonly now: number
  readonly requiredClaims: readonly string[]
  /** Of tokens that are acted on once, and say no end of their own. */
  readonly maxAgeMs?: number
}

export type Claims = JWTPayload & Readonly<Record<string, unknown>>
export type Verified =
  | { readonly ok: true; readonly claims: Claims /** By which it was found good. */; readonly keys: KeySet }
  | { readonly ok: false; readonly reason: TokenReason }

/** Signature, algorithm, issuer, audience and times. Rejects only with what is no fault of the token. */
export async function verifyToken(token: string, keys: KeySet, options: VerifyOptions): Promise<Verified> {
  return (await verifyBy(token, keys, keys.find, options)) ?? { ok: false, reason: 'signature' }
}

/**
 * A token without a `kid` may fit several keys: each of them is tried, and null says that none of them signed it. What else is wrong
 * with the token does not depend on the key, so any other fault ends the search.
 */
async function verifyByEach(
  token: string,
  keys: KeySet,
  candidates: errors.JWKSMultipleMatchingKeys,
  options: VerifyOptions,
): Promise<Verified | null> {
  for await (const key of candidates) {
    const verified = await verifyBy(token, keys, () => key, options)
    if (verified !== null) return verified
  }
  return null
}

/** Null when the key did not sign the token. */
async function verifyBy(
  token: string,
  keys: KeySet,
  find: JWTVerifyGetKey,
  options: VerifyOptions,
): Promise<Verified | null> {
  try {
    const { payload } = await jwtVerify(token, find, {
      issuer: options.issuer,
      ...(options.audience === null ? {} : { audience: [...options.audience] }),
      algorithms: [...options.algorithms],
      clockTolerance: options.toleranceMs / 1000,
      currentDate: new Date(options.now),
      requiredClaims: [...options.requiredClaims],
      ...(options.maxAgeMs === undefined ? {} : { maxTokenAge: options.maxAgeMs / 1000 }),
    })
    const [, body = ''] = token.split('.')
    if (hasDuplicateMembers(Buffer.from(body, 'base64url').toString())) return { ok: false, reason: 'malformed' }
    return { ok: true, claims: payload, keys }
  } catch (error) {
    if (error instanceof errors.JWKSMultipleMatchingKeys) return verifyByEach(token, keys, error, options)
    if (error instanceof errors.JWSSignatureVerificationFailed) return null
    return { ok: false, reason: toReason(error) }
  }
}

function toReason(error: unknown): TokenReason {
  if (error instanceof errors.JWTExpired) return 'expired'
  if (error instanceof errors.JWTClaimValidationFailed) return toClaimReason(error.claim, error.reason)
  if (error instanceof errors.JWKSNoMatchingKey || error instanceof errors.JWKSInvalid) return 'unknown_key'
  if (error instanceof errors.JOSEAlgNotAllowed || error instanceof errors.JOSENotSupported) return 'algorithm'
  if (error instanceof errors.JOSEError) return 'malformed'
  throw error
}

function toClaimReason(claim: string, reason: string): TokenReason {
  if (claim === 'iss') return 'issuer'
  if (claim === 'aud') return 'audience'
  return (claim === 'nbf' || claim === 'iat') && reason === 'check_failed' ? 'not_yet_valid' : 'claims'
}
