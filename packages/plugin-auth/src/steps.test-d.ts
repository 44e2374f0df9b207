import { type Call, route } from '@twinwire/core'
import { describe, expectTypeOf, it } from 'vitest'
import { defineRoles } from './define-roles.ts'
import { authenticated, optionalUser, requireAnyRole, requireRoles, requireScope, withAuth } from './steps.ts'
import type { User } from './user.ts'

describe('a step of auth()', () => {
  it('adds a user', () => {
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

  it('adds a user that may be null', () => {
    route({
      access: 'public',
      use: [optionalUser()],
      handler: (_input, { user }) => expectTypeOf(user).toEqualTypeOf<User | null>(),
    })
  })

  it('is required for a user', () => {
    // @ts-expect-error without a step there is no user on the call
    route({ handler: (_input, { user }) => user })
    expectTypeOf<Call>().not.toHaveProperty('user')
  })

  it('cannot be combined with one that adds another type of user', () => {
    // @ts-expect-error two steps add 'user' with different types
    route({ use: [optionalUser(), authenticated()], handler: () => null })
  })

  it('of declared roles accepts no other role, and neither does `has` of its user', () => {
    const mine = defineRoles(['agent', 'realm:admin'])
    // @ts-expect-error a misspelt role
    mine.requireRoles('agnt')
    // @ts-expect-error the second one is misspelt
    mine.requireRoles('agent', 'realm:admn')
    // @ts-expect-error a role of the client is not one of the realm
    mine.requireAnyRole('admin')
    // @ts-expect-error a role is missing
    mine.requireRoles()
    // @ts-expect-error no roles
    defineRoles([])
    for (const step of [mine.requireRoles('agent'), mine.requireAnyRole('realm:admin'), mine.authenticated()]) {
      route({
        use: [step],
        handler: (_input, { user }) => {
          expectTypeOf(user).toEqualTypeOf<User<'agent' | 'realm:admin'>>()
          user.has('agent')
          // @ts-expect-error a misspelt role
          user.has('agnt')
        },
      })
    }
    route({
      access: 'public',
      use: [mine.optionalUser()],
      // @ts-expect-error a misspelt role
      handler: (_input, { user }) => user?.has('agnt'),
    })
    // A user with declared roles is a User, and both kinds of steps can be combined.
    route({
      use: [mine.requireRoles('agent'), requireScope('b'), authenticated()],
      handler: (_input, { user }): User => user,
    })
    // A list of declared roles can be passed.
    expectTypeOf(mine.roles).toEqualTypeOf<readonly ('agent' | 'realm:admin')[]>()
  })

  it('requires at least one role', () => {
    // @ts-expect-error a role is missing
    requireRoles()
    // @ts-expect-error a scope is missing
    requireScope()
  })
})
