import type { Identity } from '@twinwire/core'

/** The user data of a token. */
export type UserData = Omit<User, 'has'>

const realmPrefix = 'realm:'

/**
 * The user of a verified token. Every call with that token gets the same object, which is deeply frozen. Only `auth()` creates it.
 * `Role`: the roles that `has` accepts, those of `defineRoles` or any.
 */
export class User<Role extends string = string> implements Identity {
  /** `sub`: does not change with the name of the user. */
  readonly id: string
  /** For display: `preferred_username`, or `sub` without one. */
  readonly name: string
  /** `preferred_username`; null without one. */
  readonly username: string | null
  /** Null without one. Whether it was verified is in `claims.email_verified`. */
  readonly email: string | null
  /**
   * Roles of this application's client (`clientId`), as Keycloak names them: `['agent']`. Roles of other clients are only in
   * `claims.resource_access`.
   */
  readonly roles: readonly string[]
  /** Roles of the realm, as Keycloak names them: `['offline_access', 'admin']`. In steps and in `has` such a role is `realm:admin`. */
  readonly realmRoles: readonly string[]
  /** As the token contains them: `/staff/editors` with full paths. */
  readonly groups: readonly string[]
  readonly scopes: readonly string[]
  /** The login session at the issuer (`sid`); null for tokens without one, such as those of service accounts. */
  readonly sessionId: string | null
  /** Epoch milliseconds. */
  readonly issuedAt: number
  /** Epoch milliseconds of the login (`auth_time`); `issuedAt` for a token without it. */
  readonly authenticatedAt: number
  /** Epoch milliseconds. */
  readonly expiresAt: number
  /** All claims of the token. */
  readonly claims: Readonly<Record<string, unknown>>
  readonly #roles: ReadonlySet<string>
  readonly #realmRoles: ReadonlySet<string>

  constructor(data: UserData) {
    this.id = data.id
    this.name = data.name
    this.username = data.username
    this.email = data.email
    this.roles = data.roles
    this.realmRoles = data.realmRoles
    this.groups = data.groups
    this.scopes = data.scopes
    this.sessionId = data.sessionId
    this.issuedAt = data.issuedAt
    this.authenticatedAt = data.authenticatedAt
    this.expiresAt = data.expiresAt
    this.claims = data.claims
    this.#roles = new Set(data.roles)
    this.#realmRoles = new Set(data.realmRoles)
    deepFreeze(this)
  }

  /**
   * Does the user have this role? `agent` is a role of this application's client, `realm:admin` one of the realm, as in `requireRoles`. For
   * decisions within a handler; roles that a route requires belong in its `use`.
   *
   * @example
   * if (user.has('realm:admin')) return everything
   */
  has(role: Role): boolean {
    return role.startsWith(realmPrefix) ? this.#realmRoles.has(role.slice(realmPrefix.length)) : this.#roles.has(role)
  }

  static isUser(value: object): value is User {
    return #roles in value
  }
}

/** Was this identity created by `auth()`? */
export function isUser(identity: Identity | null): identity is User {
  return identity !== null && User.isUser(identity)
}

/** What is wrong with the name of a role; null for a valid one. */
export function findRoleError(role: unknown): string | null {
  if (typeof role !== 'string' || role.trim() === '' || role === realmPrefix)
    return `requires names of roles, such as 'agent' or 'realm:admin', received '${String(role)}'`
  if (role.startsWith('client:'))
    return `takes roles of this application's client without prefix: write '${role.slice('client:'.length)}' instead of '${role}'`
  return null
}

/** All calls of a token share one user. */
function deepFreeze<T extends object>(value: T): T {
  for (const each of Object.values(value)) {
    if (typeof each === 'object' && each !== null && !Object.isFrozen(each)) deepFreeze(each)
  }
  return Object.freeze(value)
}
