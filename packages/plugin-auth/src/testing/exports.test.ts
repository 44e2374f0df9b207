import { expect, it } from 'vitest'

// Exports are public API, as in packages/core/src/exports.test.ts.
it('@twinwire/plugin-auth/testing', async () => {
  expect(Object.keys(await import('@twinwire/plugin-auth/testing')).sort()).toEqual(['createTestIssuer'])
})
