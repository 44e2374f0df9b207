import { type Call, route } from '@twinwire/core'
import { describe, expectTypeOf, it } from 'vitest'
import { authenticated, optionalUser, requireAnyRole, requireRoles, requireScope, withAuth } from './steps.ts'
import type { User } from './user.ts'

describe('a step of auth()', () => {
  it('adds a user that is certain', () => {
    route({ use: [authenticated()], handler: (_input, { user }) => expectTypeOf(user).toEqualTypeOf<User>() })
    route({ use: [requireRoles('a', 'b')], handler: (_input, { user }) => expectTypeOf(user).toEqualTypeOf<User>() })
    route({ use: [requireAnyRole('a')], handler: (_input, { user }) => expectTypeOf(user).toEqualTypeOf<User>() })
    route({ use: [requireScope('a')], handler: (_input, { user }) => expectTypeOf(user).toEqualTypeOf<User>() })
    route({
      use: [requireRoles('a'), requireScope('b'), withAuth()],
      handler: (_input, { user, auth }) => {
        expectTypeOf(user).toEqualTypeOf<User>()
        expectTypeOf(auth.revoke(user)).toEqualTypeOf<number>()
      },
    })
  })

  it('adds a user that may be nobody', () => {
    route({
      access: 'public',
      use: [optionalUser()],
      handler: (_input, { user }) => expectTypeOf(user).toEqualTypeOf<User | null>(),
    })
  })

  it('is needed for a user', () => {
    // @ts-expect-error without a step there is no user on the call
    route({ handler: (_input, { user }) => user })
    expectTypeOf<Call>().not.toHaveProperty('user')
  })

  it('cannot say both that there is a user and that there may be none', () => {
    // @ts-expect-error two steps add 'user' with different types
    route({ use: [optionalUser(), authenticated()], handler: () => null })
  })

  it('names at least one role', () => {
    // @ts-expect-error a role is missing
    requireRoles()
    // @ts-expect-error a scope is missing
    requireScope()
  })
})
