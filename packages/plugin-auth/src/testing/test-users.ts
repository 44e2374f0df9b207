import { createHash } from 'node:crypto'

/** A user of a test issuer. */
export interface TestUser {
  /** Becomes `preferred_username`. */
  readonly username: string
  /** For the password grant. Default: the username. */
  readonly password?: string
  /** `sub`. Default: a UUID derived from the username, the same in every run. */
  readonly id?: string
  /** Default: `<username>@example.test`. */
  readonly email?: string
  /** Roles of the issuer's own client (`resource_access[clientId].roles`). */
  readonly roles?: readonly string[]
  /** Roles of the realm (`realm_access.roles`), in addition to the default roles of Keycloak. */
  readonly realmRoles?: readonly string[]
  /** Roles of other clients, by client id. */
  readonly clientRoles?: Readonly<Record<string, readonly string[]>>
  /** Paths of groups, for the claim `groups`; without any, the claim is left out. */
  readonly groups?: readonly string[]
  /** Default true. A disabled user gets no token, neither by password nor by refresh token. */
  readonly enabled?: boolean
}

/** A user with all defaults. */
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

/** A UUID of version 8 (RFC 9562: custom bits), so that a user has the same id after a restart. */
function toUuid(name: string): string {
  const hex = createHash('sha256').update(`twinwire test user ${name}`).digest('hex')
  return [hex.slice(0, 8), hex.slice(8, 12), `8${hex.slice(13, 16)}`, `a${hex.slice(17, 20)}`, hex.slice(20, 32)].join(
    '-',
  )
}
