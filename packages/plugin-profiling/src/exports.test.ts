import { expect, it } from 'vitest'

it('@twinwire/plugin-profiling', async () => {
  expect(Object.keys(await import('@twinwire/plugin-profiling')).sort()).toEqual(['profiling'])
})
