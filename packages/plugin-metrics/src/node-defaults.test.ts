import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { HistogramCell } from '@twinwire/core/plugin'
import { expect, it } from 'vitest'
import { nodeDefaults } from './node-defaults.ts'

it('are started once', async () => {
  const [one, two] = await Promise.all([nodeDefaults(), nodeDefaults()])
  expect(one).toBe(two)
  expect(one.registry.getMetricsAsArray().map(({ name }) => name)).not.toContain('nodejs_gc_duration_seconds')
})

it('count every garbage collection, also several in one turn of the event loop', async () => {
  const { instruments } = await nodeDefaults()
  const major = instruments.families()[0]?.cells.find(({ labels }) => labels.kind === 'major')?.cell
  if (!(major instanceof HistogramCell)) throw new Error('no histogram')
  setFlagsFromString('--expose-gc')
  const collect: () => void = runInNewContext('gc')
  const before = major.count
  for (let i = 0; i < 5; i++) collect()
  while (major.count < before + 5) await new Promise((resolve) => setImmediate(resolve))
  expect(major.count).toBeGreaterThanOrEqual(before + 5)
})
