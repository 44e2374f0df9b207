import type { Identity } from '@twinwire/core'

/** What a token says of its user. */
export type UserFacts = Omit<User, 'has'>

const realmPrefix = 'realm:'

/**
 * Who a verified token speaks for. The same object for every call made with that token: frozen, at any depth. Only `auth()` makes one.
 * `Role` is the roles that `has` may be asked for: those of `defineRoles`, or any.
 */
export class User<Role extends string = string> implements Identity {
  /** `sub`: stable over logins and changes of name. */
  readonly id: string
  /** For people: `preferred_username`, else `sub`. */
  readonly name: string
  /** `preferred_username`; null without one. */
  readonly username: string | null
  /** Null without one. Whether it was verified is in `claims.email_verified`. */
  readonly email: string | null
  /**
   * Roles of this application's client (`clientId`), as Keycloak names them: `['agent']`. Roles of other clients are in
   * `claims.resource_access` and never count here.
   */
  readonly roles: readonly string[]
  /** Roles of the realm, as Keycloak names them: `['offline_access', 'admin']`. In steps and in `has` such a role is `realm:admin`. */
  readonly realmRoles: readonly string[]
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
  readonly #roles: ReadonlySet<string>
  readonly #realmRoles: ReadonlySet<string>

  constructor(facts: UserFacts) {
    this.id = facts.id
    this.name = facts.name
    this.username = facts.username
    this.email = facts.email
    this.roles = facts.roles
    this.realmRoles = facts.realmRoles
    this.groups = facts.groups
    this.scopes = facts.scopes
    this.sessionId = facts.sessionId
    this.issuedAt = facts.issuedAt
    this.authenticatedAt = facts.authenticatedAt
    this.expiresAt = facts.expiresAt
    this.claims = facts.claims
    this.#roles = new Set(facts.roles)
    this.#realmRoles = new Set(facts.realmRoles)
    deepFreeze(this)
  }

  /**
   * Has the user this role? `agent` is a role of this application's client, `realm:admin` one of the realm: the names that `requireRoles`
   * takes, with the same answer. For questions within a handler; what a route demands belongs in its `use`.
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

/** Is this an identity that `auth()` made? */
export function isUser(identity: Identity | null): identity is User {
  return identity !== null && User.isUser(identity)
}

/** What is wrong with the name of a role; null: nothing. There is one way to write each. */
export function mistakeOfRole(role: unknown): string | null {
  if (typeof role !== 'string' || role.trim() === '' || role === realmPrefix)
    return `needs the name of each role, such as 'agent' or 'realm:admin', and not '${String(role)}'`
  if (role.startsWith('client:'))
    return `takes roles of this application's client by their bare names: write '${role.slice('client:'.length)}' instead of '${role}'`
  return null
}

/** One user is shared by all calls of a token: nothing may be changed in it. */
function deepFreeze<T extends object>(value: T): T {
  for (const each of Object.values(value)) {
    if (typeof each === 'object' && each !== null && !Object.isFrozen(each)) deepFreeze(each)
  }
  return Object.freeze(value)
}
