import { defineSettings } from '@twinwire/core/settings'
import { expect, it } from 'vitest'
import { type MetricsSettings, metricsSettings } from './metrics-settings.ts'

const read = (variables: Readonly<Record<string, string>>): MetricsSettings =>
  defineSettings({ metrics: metricsSettings }).read({ variables }).metrics

it.each<[Record<string, string>, MetricsSettings]>([
  [{}, {}],
  [{ APP_VERSION: '1.2.3' }, { version: '1.2.3' }],
  [{ METRICS_NETWORKS: '["10.0.0.0/8"]', ENV: 'production' }, { access: { networks: ['10.0.0.0/8'] } }],
  [{ METRICS_PORT: '9464', ENV: 'production' }, { access: { port: 9464, host: undefined } }],
  [{ METRICS_PORT: '9464', METRICS_HOST: '::1' }, { access: { port: 9464, host: '::1' } }],
])('%j', (variables, settings) => {
  expect(read(variables)).toEqual(settings)
})

it.each<[Record<string, string>, string]>([
  [{ ENV: 'production' }, 'METRICS_PORT is not set: set it, or METRICS_NETWORKS'],
  [{ METRICS_PORT: '1', METRICS_NETWORKS: '["::1"]' }, 'METRICS_PORT is set, and so is METRICS_NETWORKS'],
  [{ METRICS_HOST: '::1' }, 'METRICS_HOST is set, and METRICS_PORT is not'],
  [{ METRICS_PORT: '65536' }, 'METRICS_PORT must be an integer'],
  [{ METRICS_PORT: '1', METRICS_HOST: 'a b' }, 'METRICS_HOST must be a host name'],
  [{ METRICS_NETWORKS: '[]' }, 'METRICS_NETWORKS must name an address'],
  [{ METRICS_NETWORKS: '["::1","home"]' }, 'METRICS_NETWORKS has an entry, number 2, that is no IP address'],
])('%j is refused', (variables, message) => {
  expect(() => read(variables)).toThrow(message)
})
