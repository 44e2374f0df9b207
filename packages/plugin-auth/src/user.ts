import type { Identity } from '@twinwire/core'

/** Marks what this plugin made, and holds the roles for fast questions. */
const granted: unique symbol = Symbol('granted')

/** Who a verified token speaks for. The same object for every call made with that token: frozen, at any depth. */
export interface User extends Identity {
  /** `sub`: stable over logins and changes of name. */
  readonly id: string
  /** For people: `preferred_username`, else `sub`. */
  readonly name: string
  /** `preferred_username`; null without one. */
  readonly username: string | null
  /** Null without one. Whether it was verified is in `claims.email_verified`. */
  readonly email: string | null
  /**
   * `realm:admin` is a role of the realm, `client:get-authors` one of this application's client (`clientId`). Roles of other clients
   * are in `claims.resource_access` and never count here.
   */
  readonly roles: readonly string[]
  /** As the token names them, `/staff/editors` with full paths. */
  readonly groups: readonly string[]
  readonly scopes: readonly string[]
  /** The login session at the issuer (`sid`); null for tokens without one, such as those of service accounts. */
  readonly sessionId: string | null
  /** Epoch milliseconds. */
  readonly issuedAt: number
  /** Epoch milliseconds of the login itself (`auth_time`), where the token says it; else `issuedAt`. */
  readonly authenticatedAt: number
  /** Epoch milliseconds. */
  readonly expiresAt: number
  /** Everything the token says. */
  readonly claims: Readonly<Record<string, unknown>>
  readonly [granted]: ReadonlySet<string>
}

/** Is this an identity that `auth()` made? */
export function isUser(identity: Identity | null): identity is User {
  return identity !== null && granted in identity
}

/** `role` as `toRoleKey` writes it. */
export function hasRoleKey(user: User, role: string): boolean {
  return user[granted].has(role)
}

/** `realm:admin` and `client:get-authors` as they are; a bare name is a role of the application's client. */
export function toRoleKey(role: string): string {
  return role.startsWith('realm:') || role.startsWith('client:') ? role : `client:${role}`
}

/**
 * Has the user this role? For questions within a handler; what a route demands stands in its `use`.
 *
 * @example
 * if (hasRole(call.user, 'realm:admin')) return everything
 */
export function hasRole(user: User, role: string): boolean {
  return hasRoleKey(user, toRoleKey(role))
}

/** Freezes what it is made of. */
export function createUser(facts: Omit<User, typeof granted>): User {
  return deepFreeze({ ...facts, [granted]: new Set(facts.roles) })
}

/** One user is shared by all calls of a token: nothing may be changed in it. */
function deepFreeze<T extends object>(value: T): T {
  for (const each of Object.values(value)) {
    if (typeof each === 'object' && each !== null && !Object.isFrozen(each)) deepFreeze(each)
  }
  return Object.freeze(value)
}
