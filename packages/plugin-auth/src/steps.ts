import { BootError, type Call, guard, type PluginKey, type Step, type StepDemands } from '@twinwire/core'
import { type AuthApi, type AuthControl, authKey } from './auth.ts'
import { hasRoleKey, isUser, toRoleKey, type User } from './user.ts'

/** What the steps that demand a user add to the call. */
export interface WithUser {
  readonly user: User
}

/** What `optionalUser()` adds to the call. */
export interface WithOptionalUser {
  /** Null: the request had no credentials. */
  readonly user: User | null
}

type AuthStep<Adds> = Step<'guard', Adds, Call, unknown, PluginKey<'auth', AuthApi>>

/**
 * Any user, whatever roles; adds `user`.
 *
 * @example
 * use: [authenticated()],
 * handler: (_input, { user }) => ({ name: user.name, email: user.email }),
 */
export function authenticated(): AuthStep<WithUser> {
  return demand('auth.authenticated', {}, () => () => {})
}

/**
 * A user with all of these roles; adds `user`. `realm:admin` is a role of the realm, `client:get-authors`, or bare `get-authors`, one of
 * the application's client. Without one of them: 403 / PERMISSION_DENIED, `details.missing_roles`.
 *
 * @example
 * use: [requireRoles('create-author')],
 */
export function requireRoles(...roles: readonly [string, ...string[]]): AuthStep<WithUser> {
  const keys = checkNames('requireRoles', roles).map(toRoleKey)
  return demand(`auth.requireRoles(${roles.join(', ')})`, { roles }, ({ refusals }) => (user) => {
    for (const key of keys) {
      if (!hasRoleKey(user, key)) throw refusals.roles(roles.filter((role) => !hasRoleKey(user, toRoleKey(role))))
    }
  })
}

/**
 * A user with at least one of these roles; adds `user`. With none of them: 403 / PERMISSION_DENIED, `details.any_of_roles`.
 *
 * @example
 * use: [requireAnyRole('realm:admin', 'update-author')],
 */
export function requireAnyRole(...roles: readonly [string, ...string[]]): AuthStep<WithUser> {
  const keys = checkNames('requireAnyRole', roles).map(toRoleKey)
  return demand(`auth.requireAnyRole(${roles.join(', ')})`, { anyRole: roles }, ({ refusals }) => (user) => {
    for (const key of keys) if (hasRoleKey(user, key)) return
    throw refusals.anyRole(roles)
  })
}

/**
 * A token with all of these scopes; adds `user`. Without one of them: 403 / PERMISSION_DENIED, `details.missing_scopes`.
 *
 * @example
 * use: [requireScope('authors:write')],
 */
export function requireScope(...scopes: readonly [string, ...string[]]): AuthStep<WithUser> {
  const wanted = checkNames('requireScope', scopes)
  if (wanted.some((scope) => /[^\x21\x23-\x5b\x5d-\x7e]/.test(scope)))
    throw new BootError(
      'bad_option',
      `requireScope: '${wanted.join("', '")}' has a character that no scope has: name each scope for itself`,
    )
  return demand(`auth.requireScope(${wanted.join(', ')})`, { scopes: wanted }, ({ refusals }) => (user) => {
    for (const scope of wanted) {
      if (!user.scopes.includes(scope)) throw refusals.scopes(wanted.filter((each) => !user.scopes.includes(each)))
    }
  })
}

/**
 * On a public route: who calls, if anybody; adds `user`, null without credentials. Bad ones are 401. A package on WebSocket has the
 * connection's user.
 *
 * @example
 * access: 'public',
 * use: [optionalUser()],
 * handler: (_input, { user }) => (user === null ? 'Hello' : `Hello ${user.name}`),
 */
export function optionalUser(): AuthStep<WithOptionalUser> {
  const nobody: WithOptionalUser = { user: null }
  return guard({
    name: 'auth.optionalUser',
    identity: 'optional',
    needs: authKey,
    bind:
      () =>
      (call: Call): WithOptionalUser =>
        isUser(call.identity) ? { user: call.identity } : nobody,
  })
}

/** What `withAuth()` adds to the call. */
export interface WithAuth {
  readonly auth: AuthControl
}

/**
 * Adds `auth`, with which a handler ends what a user is signed in with.
 *
 * @example
 * use: [requireRoles('admin'), withAuth()],
 * handler: ({ userId }, { auth }) => ({ connections_ended: auth.revoke(userId) }),
 */
export function withAuth(): AuthStep<WithAuth> {
  return guard({
    name: 'auth.withAuth',
    needs: authKey,
    bind: (api) => {
      const adds: WithAuth = { auth: api }
      return () => adds
    },
  })
}

function demand(name: string, demands: StepDemands, bind: (api: AuthApi) => (user: User) => void): AuthStep<WithUser> {
  return guard({
    name,
    demands,
    identity: 'required',
    needs: authKey,
    bind: (api) => {
      const check = bind(api)
      return ({ identity }: Call): WithUser => {
        if (!isUser(identity)) throw api.refusals.missing()
        check(identity)
        return { user: identity }
      }
    },
  })
}

function checkNames(step: string, names: readonly string[]): readonly string[] {
  // What the types say, for those who have none.
  if (names.length > 0 && names.every((name) => typeof name === 'string' && name.trim() !== '')) return names
  throw new BootError('bad_option', `${step} needs the name of at least one role or scope, and none that is empty`)
}
