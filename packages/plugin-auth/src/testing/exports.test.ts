import { expect, it } from 'vitest'

// What a door offers is a promise, as in packages/core/src/exports.test.ts.
it('@twinwire/plugin-auth/testing', async () => {
  expect(Object.keys(await import('@twinwire/plugin-auth/testing')).sort()).toEqual(['createTestIssuer'])
})
