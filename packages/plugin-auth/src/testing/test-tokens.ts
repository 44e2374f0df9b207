import { randomBytes, randomUUID } from 'node:crypto'
import { foreignKey } from './key-ring.ts'
import { type SigningKey, signCompact, signWithSecret, type TestAlgorithm } from './signing-keys.ts'
import type { KnownUser } from './test-users.ts'

/** Changes of one token. */
export interface TestTokenOptions {
  /** Lifetime from now; negative for an expired token. Rounded down to seconds. Default: that of the issuer. */
  readonly lifetimeMs?: number
  /** Claims to add or replace; undefined removes one. */
  readonly claims?: Readonly<Record<string, unknown>>
  /** Members of the header to add or replace; undefined removes one. */
  readonly header?: Readonly<Record<string, unknown>>
  /** Default: the first algorithm of the issuer. */
  readonly algorithm?: TestAlgorithm
  /** Signs with a key that the issuer does not publish, under the id of the key that it publishes. */
  readonly forged?: boolean
  /** Id of the session. Default: a new one for each token. */
  readonly sid?: string
  /** Scopes in addition to `profile` and `email`, separated by spaces. */
  readonly scope?: string
}

/** The common properties of all tokens of an issuer. */
export interface TokenIssuer {
  readonly issuer: string
  readonly clientId: string
  readonly audience: string | readonly string[]
  readonly lifetimeMs: number
  now(): number
  signingKey(algorithm: TestAlgorithm | undefined): SigningKey
}

const refreshSecret = randomBytes(64)

/** An access token like those of Keycloak 26. */
export function createAccessToken(issuer: TokenIssuer, user: KnownUser, options: TestTokenOptions): string {
  const clients = { [issuer.clientId]: user.roles, account: accountRoles, ...user.clientRoles }
  return signToken(issuer, { typ: 'JWT' }, options, {
    ...subjectClaims(issuer, user, options),
    jti: `onrtac:${randomUUID()}`,
    aud: issuer.audience,
    typ: 'Bearer',
    azp: issuer.clientId,
    'allowed-origins': ['/*'],
    realm_access: { roles: [...defaultRealmRoles, ...user.realmRoles] },
    resource_access: Object.fromEntries(
      Object.entries(clients)
        .filter(([, roles]) => roles.length > 0)
        .map(([client, roles]) => [client, { roles }]),
    ),
    scope: scopeOf(options),
    ...(user.groups.length > 0 && { groups: user.groups }),
    ...profileClaims(user),
  })
}

/** An ID token. An API must not accept it as an access token. */
export function createIdToken(issuer: TokenIssuer, user: KnownUser, options: TestTokenOptions): string {
  return signToken(issuer, { typ: 'JWT' }, options, {
    ...subjectClaims(issuer, user, options),
    jti: randomUUID(),
    aud: issuer.clientId,
    typ: 'ID',
    azp: issuer.clientId,
    ...profileClaims(user),
  })
}

/** A refresh token, signed with a secret of the issuer, as in Keycloak. */
export function createRefreshToken(issuer: TokenIssuer, user: KnownUser, options: TestTokenOptions): string {
  const claims = {
    ...subjectClaims(issuer, user, options),
    jti: randomUUID(),
    aud: issuer.issuer,
    typ: 'Refresh',
    azp: issuer.clientId,
    scope: scopeOf(options),
  }
  return signWithSecret({ typ: 'JWT', ...options.header }, { ...claims, ...options.claims }, refreshSecret)
}

/** Changes of a logout token. */
export interface TestLogoutOptions extends Omit<TestTokenOptions, 'scope'> {}

/** A logout token of OpenID Connect Back-Channel Logout 1.0, section 2.4. */
export function createLogoutToken(issuer: TokenIssuer, user: KnownUser | null, options: TestLogoutOptions): string {
  const iat = seconds(issuer.now())
  return signToken(issuer, { typ: 'logout+jwt' }, options, {
    iat,
    exp: iat + seconds(options.lifetimeMs ?? logoutLifetimeMs),
    jti: randomUUID(),
    iss: issuer.issuer,
    aud: issuer.clientId,
    ...(user && { sub: user.id }),
    typ: 'Logout',
    ...(options.sid !== undefined && { sid: options.sid }),
    events: { 'http://schemas.openid.net/event/backchannel-logout': {} },
  })
}

const logoutLifetimeMs = 120_000
const defaultRealmRoles = ['offline_access', 'uma_authorization']
const accountRoles = ['manage-account', 'view-profile']

function subjectClaims(issuer: TokenIssuer, user: KnownUser, options: TestTokenOptions): Record<string, unknown> {
  const iat = seconds(issuer.now())
  return {
    exp: iat + seconds(options.lifetimeMs ?? issuer.lifetimeMs),
    iat,
    iss: issuer.issuer,
    sub: user.id,
    sid: options.sid ?? randomUUID(),
    acr: '1',
  }
}

function profileClaims(user: KnownUser): Record<string, unknown> {
  return { email_verified: true, preferred_username: user.username, email: user.email }
}

function scopeOf({ scope }: TestTokenOptions): string {
  return [...new Set(['profile', 'email', ...(scope?.split(' ') ?? [])])].filter((each) => each !== '').join(' ')
}

function signToken(issuer: TokenIssuer, header: object, options: TestTokenOptions, claims: object): string {
  const key = issuer.signingKey(options.algorithm)
  const signer = options.forged ? foreignKey(key.algorithm) : key
  return signCompact(
    { alg: key.algorithm, kid: key.kid, ...header, ...options.header },
    { ...claims, ...options.claims },
    signer,
  )
}

function seconds(ms: number): number {
  return Math.floor(ms / 1000)
}
