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

// The only file that uses jose. Its errors, which contain the claims of a token, do not leave it.

/** Public keys of the issuer. */
export interface KeySet {
  readonly find: JWTVerifyGetKey
  readonly ids: ReadonlySet<string>
  /** Has any of the keys no id? Tokens that it signs do not say which key that is. */
  readonly someWithoutId: boolean
  /** Equal for equal sets. */
  readonly fingerprint: string
}

/**
 * Null for a document that is not a key set, or that has no usable key. Unusable keys are left out: with them jose would fail at the
 * verification of a token, as an internal error.
 */
export function createKeySet(document: unknown): KeySet | null {
  if (!isKeySet(document)) return null
  const keys = document.keys.filter(isUsable)
  if (keys.length === 0) return null
  return {
    find: createLocalJWKSet({ keys }),
    ids: new Set(keys.flatMap(({ kid }) => (typeof kid === 'string' ? [kid] : []))),
    someWithoutId: keys.some(({ kid }) => typeof kid !== 'string'),
    fingerprint: JSON.stringify(keys),
  }
}

function isKeySet(document: unknown): document is JSONWebKeySet {
  if (typeof document !== 'object' || document === null || !('keys' in document)) return false
  return Array.isArray(document.keys) && document.keys.every((key) => typeof key === 'object' && key !== null)
}

/** Minimum length of an RSA key (RFC 7518, section 3.3). */
const minModulusBits = 2048

function isUsable(key: JWK): boolean {
  try {
    const { asymmetricKeyType, asymmetricKeyDetails } = createPublicKey({ key: { ...key }, format: 'jwk' })
    return asymmetricKeyType !== 'rsa' || (asymmetricKeyDetails?.modulusLength ?? 0) >= minModulusBits
  } catch {
    return false
  }
}

/** The parts of a token's header that are read before its signature is verified. */
export interface TokenHeader {
  readonly alg: string | undefined
  readonly typ: string | undefined
  readonly kid: string | undefined
}

/** Null when it is not a JSON object, or has a duplicate member. */
export function readHeader(token: string): TokenHeader | null {
  const encoded = token.slice(0, token.indexOf('.'))
  if (hasDuplicateMembers(Buffer.from(encoded, 'base64url').toString())) return null
  try {
    const { alg, typ, kid } = decodeProtectedHeader(token)
    const isOptionalString = (value: unknown): boolean => value === undefined || typeof value === 'string'
    return isOptionalString(alg) && isOptionalString(typ) && isOptionalString(kid) ? { alg, typ, kid } : null
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
  /** For tokens without an expiry that are used once. */
  readonly maxAgeMs?: number
}

export type Claims = JWTPayload & Readonly<Record<string, unknown>>
export type Verified =
  | { readonly ok: true; readonly claims: Claims /** That verified it. */; readonly keys: KeySet }
  | { readonly ok: false; readonly reason: TokenReason }

/** Verifies signature, algorithm, issuer, audience and times. Rejects only with errors that are not the token's. */
export async function verifyToken(token: string, keys: KeySet, options: VerifyOptions): Promise<Verified> {
  return (await verifyBy(token, keys, keys.find, options)) ?? { ok: false, reason: 'signature' }
}

/**
 * A token without a `kid` may match several keys: each is tried; null when none of them signed it. Other errors do not depend on the key,
 * so they end the search.
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

/**
 * A JSON string, a bracket, or the colon after a name. The closing quote may be missing: a match that failed for it would be tried again
 * from each quote within, in quadratic time.
 */
const jsonPart = /"(?:[^"\\]|\\.)*"?|[{}[\]:]/gs

/**
 * Has an object of this JSON, at any depth, a duplicate member? `JSON.parse` takes the last, another parser the first: what two parsers
 * read differently must not be trusted. The result for invalid JSON is arbitrary.
 */
export function hasDuplicateMembers(json: string): boolean {
  const open: Set<string>[] = []
  let text = ''
  for (const [part] of json.matchAll(jsonPart)) {
    if (part === '{' || part === '[') open.push(new Set())
    else if (part === '}' || part === ']') open.pop()
    else if (part === ':') {
      const names = open.at(-1)
      if (names === undefined) continue
      const name = toName(text)
      if (names.has(name)) return true
      names.add(name)
    } else text = part
  }
  return false
}

/** The name `"\u0073ub"` is `sub`. */
function toName(text: string): string {
  if (!text.includes('\\')) return text.slice(1, -1)
  try {
    return String(JSON.parse(text))
  } catch {
    return text
  }
}
