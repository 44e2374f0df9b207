import { BootError } from '@twinwire/core'
import * as steps from './steps.ts'
import { mistakeOfRole } from './user.ts'

/** The steps that add a `user`, for the roles of one application. */
export interface RoleSteps<Role extends string> {
  /** As it was declared. */
  readonly roles: readonly Role[]
  /** As `authenticated` of the package; `user.has` takes the declared roles. */
  authenticated(): steps.AuthStep<steps.WithUser<Role>>
  /** As `requireRoles` of the package, for the declared roles. */
  requireRoles(...roles: readonly [Role, ...Role[]]): steps.AuthStep<steps.WithUser<Role>>
  /** As `requireAnyRole` of the package, for the declared roles. */
  requireAnyRole(...roles: readonly [Role, ...Role[]]): steps.AuthStep<steps.WithUser<Role>>
  /** As `requireScope` of the package; `user.has` takes the declared roles. */
  requireScope(...scopes: readonly [string, ...string[]]): steps.AuthStep<steps.WithUser<Role>>
  /** As `optionalUser` of the package; `user.has` takes the declared roles. */
  optionalUser(): steps.AuthStep<steps.WithOptionalUser<Role>>
}

/**
 * Declares the roles of an application once, and hands out the steps for them: a role that is not in the list, such as a misspelt one, is
 * a type error, in the steps and in `user.has`, and in the steps a BootError where types are not checked. `agent` is a role of the
 * application's client, `realm:admin` one of the realm.
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
    const mistake = mistakeOfRole(role)
    if (mistake !== null) throw new BootError('bad_option', `defineRoles ${mistake}`)
    if (declared.has(role)) throw new BootError('bad_option', `defineRoles has '${role}' twice: remove one`)
    declared.add(role)
  }
  const check = (step: string, wanted: readonly string[]): void => {
    const unknown = wanted.find((role) => !declared.has(role))
    if (unknown === undefined) return
    throw new BootError(
      'bad_option',
      `${step}: '${unknown}' is none of the roles of defineRoles: ${roles.join(', ')}; correct it, or add it there`,
    )
  }
  return {
    roles,
    authenticated: steps.authenticated,
    requireRoles(...wanted) {
      check('requireRoles', wanted)
      return steps.requireRoles(...wanted)
    },
    requireAnyRole(...wanted) {
      check('requireAnyRole', wanted)
      return steps.requireAnyRole(...wanted)
    },
    requireScope: steps.requireScope,
    optionalUser: steps.optionalUser,
  }
}
