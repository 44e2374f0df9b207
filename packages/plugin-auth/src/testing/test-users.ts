import { createHash } from 'node:crypto'

/** Somebody who can log in at a test issuer. */
export interface TestUser {
  /** Becomes `preferred_username`. */
  readonly username: string
  /** For the password grant. Default: the username. */
  readonly password?: string
  /** `sub`. Default: a UUID made from the username, the same in every run. */
  readonly id?: string
  /** Default: `<username>@example.test`. */
  readonly email?: string
  /** Roles of the issuer's own client (`resource_access[clientId].roles`). */
  readonly roles?: readonly string[]
  /** Roles of the realm (`realm_access.roles`), beside those that Keycloak gives to everybody. */
  readonly realmRoles?: readonly string[]
  /** Roles of further clients, by client id. */
  readonly clientRoles?: Readonly<Record<string, readonly string[]>>
  /** Paths of groups, for the claim `groups`, which is left out when there are none. */
  readonly groups?: readonly string[]
  /** Default true. A disabled user gets no token, neither for the password nor for a refresh token. */
  readonly enabled?: boolean
}

/** A user with nothing left out. */
export interface KnownUser extends Required<TestUser> {}

export function toKnownUser(user: TestUser): KnownUser {
  return {
    password: user.username,
    id: toUuid(user.username),
    email: `${user.username}@example.test`,
    roles: [],
    realmRoles: [],
    clientRoles: {},
    groups: [],
    enabled: true,
    ...user,
  }
}

/** A UUID of version 8 (RFC 9562: its bits are ours), so that a user is the same one after a restart. */
function toUuid(name: string): string {
  const hex = createHash('sha256').update(`twinwire test user ${name}`).digest('hex')
  return [hex.slice(0, 8), hex.slice(8, 12), `8${hex.slice(13, 16)}`, `a${hex.slice(17, 20)}`, hex.slice(20, 32)].join(
    '-',
  )
}
