// Uses node:crypto instead of jose: tokens must not be created by the library that verifies them, tests need tokens without `await`, and
// jose refuses to create some of the invalid tokens that tests need.
import {
  constants,
  createHmac,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type JsonWebKey,
  type KeyObject,
  randomBytes,
  sign,
} from 'node:crypto'

/** What a test issuer can sign with: the algorithms of Keycloak's signing keys. */
export type TestAlgorithm =
  | 'RS256'
  | 'RS384'
  | 'RS512'
  | 'PS256'
  | 'PS384'
  | 'PS512'
  | 'ES256'
  | 'ES384'
  | 'ES512'
  | 'EdDSA'

// Exported as PEM and imported again: on Node.js 20 an export of a key can hang the process when the job that generated the key is
// garbage-collected during the export.
const publicKeyEncoding = { type: 'spki', format: 'pem' } as const
const privateKeyEncoding = { type: 'pkcs8', format: 'pem' } as const
const read = (pem: Readonly<Record<keyof KeyPair, string>>): KeyPair => ({
  publicKey: createPublicKey(pem.publicKey),
  privateKey: createPrivateKey(pem.privateKey),
})
const rsa = (): KeyPair =>
  read(generateKeyPairSync('rsa', { modulusLength: 2048, publicKeyEncoding, privateKeyEncoding }))
const ec = (namedCurve: string) => (): KeyPair =>
  read(generateKeyPairSync('ec', { namedCurve, publicKeyEncoding, privateKeyEncoding }))
const ed25519 = (): KeyPair => read(generateKeyPairSync('ed25519', { publicKeyEncoding, privateKeyEncoding }))
const pkcs = { padding: constants.RSA_PKCS1_PADDING }
const pss = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST }
// JOSE requires r and s concatenated (RFC 7518, section 3.4); the default is DER.
const raw = { dsaEncoding: 'ieee-p1363' } as const

interface Algorithm {
  create(): KeyPair
  /** Null for an algorithm with a fixed hash. */
  readonly hash: string | null
  readonly options: object
}

/** JWS algorithms (RFC 7518, RFC 8037): how a key is created, and how it signs. */
const algorithms: Readonly<Record<TestAlgorithm, Algorithm>> = {
  RS256: { create: rsa, hash: 'sha256', options: pkcs },
  RS384: { create: rsa, hash: 'sha384', options: pkcs },
  RS512: { create: rsa, hash: 'sha512', options: pkcs },
  PS256: { create: rsa, hash: 'sha256', options: pss },
  PS384: { create: rsa, hash: 'sha384', options: pss },
  PS512: { create: rsa, hash: 'sha512', options: pss },
  ES256: { create: ec('P-256'), hash: 'sha256', options: raw },
  ES384: { create: ec('P-384'), hash: 'sha384', options: raw },
  ES512: { create: ec('P-521'), hash: 'sha512', options: raw },
  EdDSA: { create: ed25519, hash: null, options: {} },
}

/** RSA has none. */
const curves: Readonly<Partial<Record<TestAlgorithm, string>>> = {
  ES256: 'P-256',
  ES384: 'P-384',
  ES512: 'P-521',
  EdDSA: 'Ed25519',
}

interface KeyPair {
  readonly publicKey: KeyObject
  readonly privateKey: KeyObject
}

/** A key as the issuer publishes it. */
export interface PublishedKey {
  readonly kid?: string
  readonly alg: string
  readonly use: 'sig' | 'enc'
  readonly [member: string]: unknown
}

export interface SigningKey {
  /** Undefined: tokens do not contain the id of their key. */
  readonly kid: string | undefined
  readonly algorithm: TestAlgorithm
  readonly jwk: PublishedKey
  readonly privateKey: KeyObject
}

export function createSigningKey(algorithm: TestAlgorithm, hasId = true): SigningKey {
  const kid = hasId ? randomBytes(16).toString('base64url') : undefined
  return toSigningKey(algorithm, kid, algorithms[algorithm].create())
}

/** A private JSON Web Key with `alg`. Throws for anything else. */
export function fromPrivateJwk(jwk: JsonWebKey): SigningKey {
  const { alg, kid } = jwk
  if (!isAlgorithm(alg)) throw new TypeError(`there is no algorithm ${JSON.stringify(alg)}`)
  if (jwk.crv !== curves[alg]) throw new TypeError(`a key of ${alg} has the curve ${jwk.crv}`)
  const privateKey = createPrivateKey({ key: jwk, format: 'jwk' })
  const publicKey = createPublicKey(privateKey)
  return toSigningKey(alg, typeof kid === 'string' ? kid : undefined, { privateKey, publicKey })
}

function isAlgorithm(value: unknown): value is TestAlgorithm {
  return typeof value === 'string' && Object.hasOwn(algorithms, value)
}

function toSigningKey(
  algorithm: TestAlgorithm,
  kid: string | undefined,
  { publicKey, privateKey }: KeyPair,
): SigningKey {
  return {
    kid,
    algorithm,
    privateKey,
    jwk: { ...publicKey.export({ format: 'jwk' }), ...(kid !== undefined && { kid }), alg: algorithm, use: 'sig' },
  }
}

/** Keycloak publishes such a key; it must never verify a token. */
export function createEncryptionKey(): PublishedKey {
  const { publicKey } = rsa()
  const kid = randomBytes(16).toString('base64url')
  return { ...publicKey.export({ format: 'jwk' }), kid, alg: 'RSA-OAEP', use: 'enc' }
}

/** Signs header and payload in the compact form without checking them. */
export function signCompact(header: object, payload: object, key: SigningKey): string {
  const { hash, options } = algorithms[key.algorithm]
  const input = signingInput(header, payload)
  const signature = sign(hash, Buffer.from(input), { key: key.privateKey, ...options })
  return `${input}.${signature.toString('base64url')}`
}

/** Signs as Keycloak signs its refresh tokens, with a secret that only the issuer has. */
export function signWithSecret(header: object, payload: object, secret: Buffer): string {
  const input = signingInput({ ...header, alg: 'HS512' }, payload)
  return `${input}.${createHmac('sha512', secret).update(input).digest('base64url')}`
}

function signingInput(header: object, payload: object): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  return `${part(header)}.${part(payload)}`
}
