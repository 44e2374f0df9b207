import { expect, it } from 'vitest'

// Exports are public API: a new name is a minor release, a removed one a major release. Add a changeset.

it('@twinwire/plugin-auth', async () => {
  expect(Object.keys(await import('@twinwire/plugin-auth')).sort()).toEqual([
    'auth',
    'authKey',
    'authenticated',
    'defineRoles',
    'isUser',
    'keycloakIssuer',
    'keycloakSettings',
    'optionalUser',
    'requireAnyRole',
    'requireRoles',
    'requireScope',
    'withAuth',
  ])
})
