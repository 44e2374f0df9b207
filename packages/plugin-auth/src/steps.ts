import { BootError, type Call, guard, type Step } from '@twinwire/core'
import type { PluginKey, StepDemands } from '@twinwire/core/plugin'
import { type AuthApi, type AuthControl, authKey } from './auth.ts'
import { isUser, mistakeOfRole, type User } from './user.ts'

/** What the steps that demand a user add to the call. */
export interface WithUser<Role extends string = string> {
  readonly user: User<Role>
}

/** What `optionalUser()` adds to the call. */
export interface WithOptionalUser<Role extends string = string> {
  /** Null: the request had no credentials. */
  readonly user: User<Role> | null
}

export type AuthStep<Adds> = Step<'guard', Adds, Call, unknown, PluginKey<'auth', AuthApi>>

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
 * A user with all of these roles; adds `user`. `get-authors` is a role of the application's client (`clientId`), `realm:admin` one of the
 * realm. Without one of them: 403 / PERMISSION_DENIED, `details.missing_roles`. `defineRoles` has the same step for a list of roles of
 * one's own, where a misspelt one is a type error.
 *
 * @example
 * use: [requireRoles('create-author')],
 */
export function requireRoles(...roles: readonly [string, ...string[]]): AuthStep<WithUser> {
  checkRoles('requireRoles', roles)
  return demand(`auth.requireRoles(${roles.join(', ')})`, { roles }, ({ refusals }) => (user) => {
    for (const role of roles) {
      if (!user.has(role)) throw refusals.roles(roles.filter((each) => !user.has(each)))
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
  checkRoles('requireAnyRole', roles)
  return demand(`auth.requireAnyRole(${roles.join(', ')})`, { anyRole: roles }, ({ refusals }) => (user) => {
    for (const role of roles) if (user.has(role)) return
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
  checkSome('requireScope', 'scope', scopes)
  if (scopes.some((scope) => !/^[\x21\x23-\x5b\x5d-\x7e]+$/.test(scope)))
    throw new BootError(
      'bad_option',
      `requireScope needs the name of each scope by itself, in characters that scopes have, and not '${scopes.join("', '")}'`,
    )
  return demand(`auth.requireScope(${scopes.join(', ')})`, { scopes }, ({ refusals }) => (user) => {
    for (const scope of scopes) {
      if (!user.scopes.includes(scope)) throw refusals.scopes(scopes.filter((each) => !user.scopes.includes(each)))
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

// What the types say, for those who have none.

function checkRoles(step: string, roles: readonly string[]): void {
  checkSome(step, 'role', roles)
  for (const role of roles) {
    const mistake = mistakeOfRole(role)
    if (mistake !== null) throw new BootError('bad_option', `${step} ${mistake}`)
  }
}

function checkSome(step: string, what: string, names: readonly string[]): void {
  if (names.length === 0) throw new BootError('bad_option', `${step} needs the name of at least one ${what}`)
}
