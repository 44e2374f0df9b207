import type { TokenReason } from '../errors.ts'
import { User } from '../user.ts'
import type { Claims, TokenHeader } from './jose.ts'

export interface ClaimRules {
  readonly clientId: string
  /** Clients whose tokens are accepted, by `azp`; null: any. */
  readonly authorizedParties: readonly string[] | null
  readonly toleranceMs: number
  readonly maxTokenLifetimeMs: number
}

export type UserResult =
  | { readonly ok: true; readonly user: User }
  | { readonly ok: false; readonly reason: TokenReason }

/** `at+jwt` is RFC 9068; Keycloak writes `JWT` in the header and `Bearer` into the claims. */
const headerTypes = new Set(['jwt', 'at+jwt', 'application/at+jwt'])

export function isAccessTokenHeader({ typ }: TokenHeader): boolean {
  return typ === undefined || headerTypes.has(typ.toLowerCase())
}

/** The user of a token whose signature, issuer, audience and times are valid. */
export function toUser(claims: Claims, header: TokenHeader, rules: ClaimRules, now: number): UserResult {
  if (!isAccessToken(claims, header)) return invalid('type')
  const { azp, sub, exp = Number.NaN, iat = Number.NaN } = claims
  if (rules.authorizedParties !== null && !(typeof azp === 'string' && rules.authorizedParties.includes(azp)))
    return invalid('authorized_party')
  // JSON allows 1e999, which would be a token that never expires.
  if (typeof sub !== 'string' || sub === '' || !Number.isFinite(exp) || !Number.isFinite(iat)) return invalid('claims')
  if (iat * 1000 > now + rules.toleranceMs) return invalid('not_yet_valid')
  if ((exp - iat) * 1000 > rules.maxTokenLifetimeMs) return invalid('lifetime')
  const roles = readRoles(claims, rules.clientId)
  const strings = readStrings(claims)
  const { auth_time: authTime = iat, groups = [] } = claims
  if (roles === null || strings === null || !isStringList(groups) || !isTime(authTime)) return invalid('claims')
  return {
    ok: true,
    user: new User({
      id: sub,
      name: strings.username ?? sub,
      username: strings.username,
      email: strings.email,
      ...roles,
      groups,
      scopes: strings.scope?.split(' ').filter((each) => each !== '') ?? [],
      sessionId: strings.sessionId,
      issuedAt: iat * 1000,
      // A token is never issued before the login: with a later time it would escape revocations.
      authenticatedAt: Math.min(authTime, iat) * 1000,
      expiresAt: exp * 1000,
      claims,
    }),
  }
}

/**
 * False for ID, refresh, offline and logout tokens, and for a token that is bound to a key of its holder (`cnf`): accepting it without
 * proof of that key would defeat the binding.
 */
function isAccessToken({ typ, cnf }: Claims, header: TokenHeader): boolean {
  if (cnf !== undefined) return false
  if (typ === undefined) return header.typ !== undefined && header.typ.toLowerCase() !== 'jwt'
  return typ === 'Bearer'
}

/** Roles of this client and of the realm; null when they are not lists of strings. */
function readRoles(claims: Claims, clientId: string): Pick<User, 'roles' | 'realmRoles'> | null {
  const realmRoles = readRoleList(claims.realm_access)
  const clients = claims.resource_access ?? {}
  if (realmRoles === null || !isRecord(clients)) return null
  // Own members only: a client may be called `constructor`.
  const roles = readRoleList(Object.hasOwn(clients, clientId) ? clients[clientId] : undefined)
  return roles === null ? null : { roles, realmRoles }
}

function readRoleList(access: unknown): readonly string[] | null {
  if (access === undefined) return []
  if (!isRecord(access)) return null
  const { roles = [] } = access
  return isStringList(roles) ? roles : null
}

interface Strings {
  readonly username: string | null
  readonly email: string | null
  readonly scope: string | null
  readonly sessionId: string | null
}

function readStrings(claims: Claims): Strings | null {
  const { preferred_username: username = null, email = null, scope = null, sid, session_state: state = null } = claims
  const sessionId = sid ?? state
  if (!isStringOrNull(username) || !isStringOrNull(email) || !isStringOrNull(scope) || !isStringOrNull(sessionId))
    return null
  return { username, email, scope, sessionId }
}

function isStringOrNull(value: unknown): value is string | null {
  return value === null || typeof value === 'string'
}
function isStringList(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((each) => typeof each === 'string')
}
function isTime(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value)
}
function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
function invalid(reason: TokenReason): { readonly ok: false; readonly reason: TokenReason } {
  return { ok: false, reason }
}
