import { expect, it } from 'vitest'

it('@twinwire/plugin-metrics', async () => {
  expect(Object.keys(await import('@twinwire/plugin-metrics')).sort()).toMatchInlineSnapshot(`
    [
      "clusterMetrics",
      "metrics",
      "metricsSettings",
    ]
  `)
})

it('@twinwire/plugin-metrics/testing', async () => {
  expect(Object.keys(await import('@twinwire/plugin-metrics/testing')).sort()).toMatchInlineSnapshot(`
    [
      "readScrape",
    ]
  `)
})
