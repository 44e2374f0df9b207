import { expect, it } from 'vitest'

// What a door offers is a promise. A name that comes is a minor release; one that goes is a major one: say so in a changeset.

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
