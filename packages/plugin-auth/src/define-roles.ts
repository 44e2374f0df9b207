import { BootError } from '@twinwire/core'
import * as steps from './steps.ts'
import { findRoleError } from './user.ts'

/** The steps that add a `user`, for the roles of one application. */
export interface RoleSteps<Role extends string> {
  /** In the order of declaration. */
  readonly roles: readonly Role[]
  /** Like `authenticated` of the package; `user.has` takes the declared roles. */
  authenticated(): steps.AuthStep<steps.WithUser<Role>>
  /** Like `requireRoles` of the package, for the declared roles. */
  requireRoles(...roles: readonly [Role, ...Role[]]): steps.AuthStep<steps.WithUser<Role>>
  /** Like `requireAnyRole` of the package, for the declared roles. */
  requireAnyRole(...roles: readonly [Role, ...Role[]]): steps.AuthStep<steps.WithUser<Role>>
  /** Like `requireScope` of the package; `user.has` takes the declared roles. */
  requireScope(...scopes: readonly [string, ...string[]]): steps.AuthStep<steps.WithUser<Role>>
  /** Like `optionalUser` of the package; `user.has` takes the declared roles. */
  optionalUser(): steps.AuthStep<steps.WithOptionalUser<Role>>
}

/**
 * Declares the roles of an application once, and returns the steps for them: a role that is not in the list, such as a misspelt one, is
 * a type error in the steps and in `user.has`; without types it is a BootError in the steps. `agent` is a role of the application's
 * client, `realm:admin` one of the realm.
 *
 * @example
 * // roles.ts
 * export const { requireRoles, requireAnyRole, authenticated } = defineRoles(['agent', 'supervisor', 'realm:admin'])
 * // tickets.routes.ts
 * use: [requireRoles('agent')],
 * handler: (_input, { user }) => ({ canClose: user.has('supervisor') }),
 */
export function defineRoles<const Role extends string>(roles: readonly [Role, ...Role[]]): RoleSteps<Role> {
  const declared = new Set<string>()
  for (const role of roles) {
    const problem = findRoleError(role)
    if (problem !== null) throw new BootError('bad_option', `defineRoles ${problem}`)
    if (declared.has(role)) throw new BootError('bad_option', `defineRoles has '${role}' twice: remove one`)
    declared.add(role)
  }
  const check = (step: string, required: readonly string[]): void => {
    const unknown = required.find((role) => !declared.has(role))
    if (unknown === undefined) return
    throw new BootError(
      'bad_option',
      `${step}: '${unknown}' is not one of the roles of defineRoles (${roles.join(', ')}): correct it, or add it there`,
    )
  }
  return {
    roles,
    authenticated: steps.authenticated,
    requireRoles(...required) {
      check('requireRoles', required)
      return steps.requireRoles(...required)
    },
    requireAnyRole(...required) {
      check('requireAnyRole', required)
      return steps.requireAnyRole(...required)
    },
    requireScope: steps.requireScope,
    optionalUser: steps.optionalUser,
  }
}
