import { createNetworks } from '@twinwire/core/plugin'
import { type SettingsGroup, settingsGroup, variable } from '@twinwire/core/settings'
import type { MetricsAccess } from './options.ts'

/** For `metrics({ ...settings.metrics })`. */
export interface MetricsSettings {
  readonly access?: MetricsAccess
  readonly version?: string
}

/**
 * `METRICS_PORT` with `METRICS_HOST`, or `METRICS_NETWORKS`: in production one of them, elsewhere with neither they are public. `APP_VERSION`. An
 * app that asks for a role leaves the group out and says so in its code.
 *
 * @example
 * const declared = defineSettings({ metrics: metricsSettings })
 * const plugin = metrics(declared.read().metrics)
 */
export const metricsSettings: SettingsGroup<MetricsSettings> = settingsGroup({
  variables: {
    port: variable.integer('METRICS_PORT', {
      about: 'A port that serves the metrics and nothing else; 0 takes a free one',
      max: 65_535,
      optional: true,
      whenUnset: 'the port of the app serves them',
    }),
    host: variable.text('METRICS_HOST', {
      about: 'Address that this port listens on',
      optional: true,
      whenUnset: '`127.0.0.1`',
      expects: 'a host name or an IP address',
      check: (host) => (/^[\w.:-]+$/.test(host) ? null : 'must be a host name or an IP address'),
    }),
    networks: variable.list('METRICS_NETWORKS', {
      about: 'Addresses that may read the metrics on the port of the app',
      optional: true,
      whenUnset: { dev: 'any', test: 'any', staging: 'any', production: 'by `METRICS_PORT`' },
      expects: 'a JSON list of IP addresses and CIDR networks, such as ["10.0.0.0/8"]',
      check: (list) => {
        if (list.length === 0) return 'must name an address or a network'
        const wrong = list.findIndex((entry) => !isNetwork(entry))
        return wrong === -1 ? null : `has an entry, number ${wrong + 1}, that is no IP address and no CIDR network`
      },
    }),
    version: variable.text('APP_VERSION', {
      about: 'Version of the application, for the metric `app_info`',
      optional: true,
      whenUnset: '`unknown`',
    }),
  },
  check({ environment, isSet }) {
    if (isSet('port') && isSet('networks')) return ['METRICS_PORT is set, and so is METRICS_NETWORKS: keep one of them']
    if (isSet('host') && !isSet('port')) return ['METRICS_HOST is set, and METRICS_PORT is not: set it too']
    if (environment !== 'production' || isSet('port') || isSet('networks')) return []
    return ['METRICS_PORT is not set: set it, or METRICS_NETWORKS, to say who may read the metrics']
  },
  to({ port, host, networks, version }) {
    const access = toAccess(port, host, networks)
    return { ...(access !== undefined && { access }), ...(version !== undefined && { version }) }
  },
})

function toAccess(
  port: number | undefined,
  host: string | undefined,
  networks: readonly string[] | undefined,
): MetricsAccess | undefined {
  if (port !== undefined) return { port, host }
  return networks === undefined ? undefined : { networks }
}

/** By the check of the option itself; its message is not used, since it quotes the entry. */
function isNetwork(entry: string): boolean {
  try {
    createNetworks([entry], 'METRICS_NETWORKS')
    return true
  } catch {
    return false
  }
}
