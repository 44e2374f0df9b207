import type { TokenReason } from '../errors.ts'
import { User } from '../user.ts'
import type { Claims, TokenHeader } from './jose.ts'

export interface ClaimRules {
  readonly clientId: string
  /** Clients whose tokens are accepted, by `azp`; null: any. */
  readonly authorizedParties: readonly string[] | null
  readonly toleranceMs: number
  readonly maxLifetimeMs: number
}

export type UserResult =
  | { readonly ok: true; readonly user: User }
  | { readonly ok: false; readonly reason: TokenReason }

/** `at+jwt` is RFC 9068; Keycloak writes `JWT` in the header and `Bearer` into the claims. */
const headerTypes = new Set(['jwt', 'at+jwt', 'application/at+jwt'])

export function isAccessTokenHeader({ typ }: TokenHeader): boolean {
  return typ === undefined || headerTypes.has(typ.toLowerCase())
}

/** What a token whose signature, issuer, audience and times are right says of its user. */
export function toUser(claims: Claims, header: TokenHeader, rules: ClaimRules, now: number): UserResult {
  if (!isAccessToken(claims, header)) return refused('type')
  const { azp, sub, exp = Number.NaN, iat = Number.NaN } = claims
  if (rules.authorizedParties !== null && !(typeof azp === 'string' && rules.authorizedParties.includes(azp)))
    return refused('authorized_party')
  // 1e999 is a number to JSON, and would be a token for ever.
  if (typeof sub !== 'string' || sub === '' || !Number.isFinite(exp) || !Number.isFinite(iat)) return refused('claims')
  if (iat * 1000 > now + rules.toleranceMs) return refused('not_yet_valid')
  if ((exp - iat) * 1000 > rules.maxLifetimeMs) return refused('lifetime')
  const roles = readRoles(claims, rules.clientId)
  const texts = readTexts(claims)
  const { auth_time: authTime = iat, groups = [] } = claims
  if (roles === null || texts === null || !isTextList(groups) || !isTime(authTime)) return refused('claims')
  return {
    ok: true,
    user: new User({
      id: sub,
      name: texts.username ?? sub,
      username: texts.username,
      email: texts.email,
      ...roles,
      groups,
      scopes: texts.scope?.split(' ').filter((each) => each !== '') ?? [],
      sessionId: texts.sessionId,
      issuedAt: iat * 1000,
      // Nobody gets a token before the login: a later time would escape every revocation.
      authenticatedAt: Math.min(authTime, iat) * 1000,
      expiresAt: exp * 1000,
      claims,
    }),
  }
}

/**
 * An ID, refresh, offline or logout token is none, whoever it is meant for. Neither is one that is bound to a key of its holder (`cnf`):
 * as a bearer token it would be what the binding is to prevent.
 */
function isAccessToken({ typ, cnf }: Claims, header: TokenHeader): boolean {
  if (cnf !== undefined) return false
  if (typ === undefined) return header.typ !== undefined && header.typ.toLowerCase() !== 'jwt'
  return typ === 'Bearer'
}

/** Of this client and of the realm; null when they are not lists of texts. */
function readRoles(claims: Claims, clientId: string): Pick<User, 'roles' | 'realmRoles'> | null {
  const realmRoles = readRoleList(claims.realm_access)
  const clients = claims.resource_access ?? {}
  if (realmRoles === null || !isRecord(clients)) return null
  // Own ones only: a client may be called `constructor`.
  const roles = readRoleList(Object.hasOwn(clients, clientId) ? clients[clientId] : undefined)
  return roles === null ? null : { roles, realmRoles }
}

function readRoleList(access: unknown): readonly string[] | null {
  if (access === undefined) return []
  if (!isRecord(access)) return null
  const { roles = [] } = access
  return isTextList(roles) ? roles : null
}

interface Texts {
  readonly username: string | null
  readonly email: string | null
  readonly scope: string | null
  readonly sessionId: string | null
}

function readTexts(claims: Claims): Texts | null {
  const { preferred_username: username = null, email = null, scope = null, sid, session_state: state = null } = claims
  const sessionId = sid ?? state
  if (!isTextOrNull(username) || !isTextOrNull(email) || !isTextOrNull(scope) || !isTextOrNull(sessionId)) return null
  return { username, email, scope, sessionId }
}

function isTextOrNull(value: unknown): value is string | null {
  return value === null || typeof value === 'string'
}
function isTextList(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((each) => typeof each === 'string')
}
function isTime(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value)
}
function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
function refused(reason: TokenReason): { readonly ok: false; readonly reason: TokenReason } {
  return { ok: false, reason }
}
