import { expect, it } from 'vitest'

it('@twinwire/plugin-otel', async () => {
  expect(Object.keys(await import('@twinwire/plugin-otel')).sort()).toEqual(['otel'])
})
