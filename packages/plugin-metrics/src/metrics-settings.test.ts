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
  [{ ENV: 'production' }, 'METRICS_PORT or METRICS_NETWORKS is required in production'],
  [{ METRICS_PORT: '1', METRICS_NETWORKS: '["::1"]' }, 'METRICS_PORT and METRICS_NETWORKS are both set: remove one'],
  [{ METRICS_HOST: '::1' }, 'METRICS_PORT is required when METRICS_HOST is set'],
  [{ METRICS_PORT: '65536' }, 'METRICS_PORT must be an integer'],
  [{ METRICS_PORT: '1', METRICS_HOST: 'a b' }, 'METRICS_HOST must be a host name'],
  [{ METRICS_NETWORKS: '[]' }, 'METRICS_NETWORKS must contain at least one address'],
  [{ METRICS_NETWORKS: '["::1","home"]' }, 'METRICS_NETWORKS entry 2 must be an IP address'],
])('%j is refused', (variables, message) => {
  expect(() => read(variables)).toThrow(message)
})
