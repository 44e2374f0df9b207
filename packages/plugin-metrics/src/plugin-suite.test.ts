import { guard, route } from '@twinwire/core'
import { fakeIdentity, pluginSuite } from '@twinwire/core/testing'
import * as v from 'valibot'
import * as vitest from 'vitest'
import { type MetricsSettings, metrics, metricsSettings } from './index.ts'

const { expect } = vitest
const signedIn = guard({ name: 'signedIn', identity: 'required', run: () => {} })
const read = route({
  http: 'GET /read/:id',
  access: 'public',
  input: v.object({ id: v.number() }),
  handler: ({ id }) => id,
})

pluginSuite(vitest, {
  createPlugin: () => metrics({ access: { use: [signedIn] } }),
  createApp: (plugin) => ({ pkgIds: { READ: 1 }, routes: { READ: read }, plugins: [fakeIdentity(), plugin] }),
  exercise: async ({ client, request }, n) => {
    const headers = { authorization: `Bearer ann-${n}` }
    const one = await client({ headers })
    expect([await one.call('READ', { id: n }), await one.http('READ', { id: n })]).toEqual([n, n])
    const { status, text } = await request('GET /metrics', { headers })
    expect([status, text]).toEqual([200, expect.stringContaining('app_info')])
  },
  instruments: ['metrics_', 'app_', 'http_', 'ws_', 'process_', 'nodejs_'],
  options: {
    create: metrics,
    valid: {
      access: 'public',
      path: '/m',
      version: '1.2.3',
      nodeDefaults: true,
      exemplars: true,
      collectTimeoutMs: 100,
    },
    refused: {
      access: ['none', {}, { networks: ['x'] }, { use: [] }, { port: 70_000 }],
      path: ['m', ''],
      version: ['', 1],
      registry: [{}, null],
      nodeDefaults: [1],
      exemplars: ['yes'],
      collectTimeoutMs: [0, 60_001],
    },
  },
  settings: {
    group: metricsSettings,
    prefixes: ['METRICS_', 'APP_VERSION'],
    variables: { METRICS_NETWORKS: '["10.0.0.0/8"]', APP_VERSION: '1.0.0' },
    refused: { METRICS_NETWORKS: ['[]', '["x"]', 'x'], METRICS_PORT: ['70000', '9464'], METRICS_HOST: ['127.0.0.1'] },
    create: (settings: MetricsSettings) => metrics(settings),
  },
})
