import { BootError, type Call, guard, type Step } from '@twinwire/core'
import type { PluginKey, StepDemands } from '@twinwire/core/plugin'
import { type AuthApi, type AuthControl, authKey } from './auth.ts'
import { findRoleError, isUser, type User } from './user.ts'

/** What the steps that require a user add to the call. */
export interface WithUser<Role extends string = string> {
  readonly user: User<Role>
}

/** What `optionalUser()` adds to the call. */
export interface WithOptionalUser<Role extends string = string> {
  /** Null without credentials. */
  readonly user: User<Role> | null
}

export type AuthStep<Adds> = Step<'guard', Adds, Call, unknown, PluginKey<'auth', AuthApi>>

/**
 * Requires a user, with any roles; adds `user`. Without one: 401.
 *
 * @example
 * use: [authenticated()],
 * handler: (_input, { user }) => ({ name: user.name, email: user.email }),
 */
export function authenticated(): AuthStep<WithUser> {
  return requireUser('auth.authenticated', {}, () => () => {})
}

/**
 * Requires a user with all of these roles; adds `user`. `get-authors` is a role of the application's client (`clientId`), `realm:admin`
 * one of the realm. Without one of them: 403 / PERMISSION_DENIED, `details.missing_roles`. `defineRoles` returns the same step for the
 * roles of your application, where a misspelt one is a type error.
 *
 * @example
 * use: [requireRoles('create-author')],
 */
export function requireRoles(...roles: readonly [string, ...string[]]): AuthStep<WithUser> {
  checkRoles('requireRoles', roles)
  return requireUser(`auth.requireRoles(${roles.join(', ')})`, { roles }, ({ errors }) => (user) => {
    for (const role of roles) {
      if (!user.has(role)) throw errors.roles(roles.filter((each) => !user.has(each)))
    }
  })
}

/**
 * Requires a user with at least one of these roles; adds `user`. Without any of them: 403 / PERMISSION_DENIED, `details.any_of_roles`.
 *
 * @example
 * use: [requireAnyRole('realm:admin', 'update-author')],
 */
export function requireAnyRole(...roles: readonly [string, ...string[]]): AuthStep<WithUser> {
  checkRoles('requireAnyRole', roles)
  return requireUser(`auth.requireAnyRole(${roles.join(', ')})`, { anyRole: roles }, ({ errors }) => (user) => {
    for (const role of roles) if (user.has(role)) return
    throw errors.anyRole(roles)
  })
}

/**
 * Requires a token with all of these scopes; adds `user`. Without one of them: 403 / PERMISSION_DENIED, `details.missing_scopes`.
 *
 * @example
 * use: [requireScope('authors:write')],
 */
export function requireScope(...scopes: readonly [string, ...string[]]): AuthStep<WithUser> {
  checkSome('requireScope', 'scope', scopes)
  if (scopes.some((scope) => !/^[\x21\x23-\x5b\x5d-\x7e]+$/.test(scope)))
    throw new BootError(
      'bad_option',
      `requireScope requires one name per scope, without spaces, quotes and backslashes, received '${scopes.join("', '")}'`,
    )
  return requireUser(`auth.requireScope(${scopes.join(', ')})`, { scopes }, ({ errors }) => (user) => {
    for (const scope of scopes) {
      if (!user.scopes.includes(scope)) throw errors.scopes(scopes.filter((each) => !user.scopes.includes(each)))
    }
  })
}

/**
 * For a public route: adds `user`, null without credentials. Invalid credentials: 401. A package on WebSocket has the user of its
 * connection.
 *
 * @example
 * access: 'public',
 * use: [optionalUser()],
 * handler: (_input, { user }) => (user === null ? 'Hello' : `Hello ${user.name}`),
 */
export function optionalUser(): AuthStep<WithOptionalUser> {
  const anonymous: WithOptionalUser = { user: null }
  return guard({
    name: 'auth.optionalUser',
    identity: 'optional',
    keepsCall: false,
    needs: authKey,
    bind:
      () =>
      (call: Call): WithOptionalUser =>
        isUser(call.identity) ? { user: call.identity } : anonymous,
  })
}

/** What `withAuth()` adds to the call. */
export interface WithAuth {
  readonly auth: AuthControl
}

/**
 * Adds `auth`, with which a handler revokes users and sessions.
 *
 * @example
 * use: [requireRoles('admin'), withAuth()],
 * handler: ({ userId }, { auth }) => ({ connections_ended: auth.revoke(userId) }),
 */
export function withAuth(): AuthStep<WithAuth> {
  return guard({
    name: 'auth.withAuth',
    keepsCall: false,
    needs: authKey,
    bind: (api) => {
      const adds: WithAuth = { auth: api }
      return () => adds
    },
  })
}

function requireUser(
  name: string,
  demands: StepDemands,
  bind: (api: AuthApi) => (user: User) => void,
): AuthStep<WithUser> {
  return guard({
    name,
    demands,
    identity: 'required',
    keepsCall: false,
    needs: authKey,
    bind: (api) => {
      const check = bind(api)
      return ({ identity }: Call): WithUser => {
        if (!isUser(identity)) throw api.errors.missing()
        check(identity)
        return { user: identity }
      }
    },
  })
}

// The same as the types, for JavaScript.

function checkRoles(step: string, roles: readonly string[]): void {
  checkSome(step, 'role', roles)
  for (const role of roles) {
    const problem = findRoleError(role)
    if (problem !== null) throw new BootError('bad_option', `${step} ${problem}`)
  }
}

function checkSome(step: string, what: string, names: readonly string[]): void {
  if (names.length === 0) throw new BootError('bad_option', `${step} requires at least one ${what}`)
}
