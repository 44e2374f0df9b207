import { createNetworks, endpointPortRules, option } from '@twinwire/core/plugin'
import { type SettingsGroup, settingsGroup, variable } from '@twinwire/core/settings'
import type { MetricsAccess } from './options.ts'

/** For `metrics({ ...settings.metrics })`. */
export interface MetricsSettings {
  readonly access?: MetricsAccess
  readonly version?: string
}

/**
 * `METRICS_PORT` with `METRICS_HOST`, or `METRICS_NETWORKS`: one of them is required in production; elsewhere the metrics are public without
 * them. `APP_VERSION`. An app that requires a role sets `access` in its code instead of using this group.
 *
 * @example
 * const declared = defineSettings({ metrics: metricsSettings })
 * const plugin = metrics(declared.read().metrics)
 */
export const metricsSettings: SettingsGroup<MetricsSettings> = settingsGroup({
  variables: {
    port: variable.option('METRICS_PORT', option.integer({ max: 65_535 }), {
      about: 'Separate port that serves only the metrics; 0: any free port',
      whenUnset: 'they are served on the port of the app',
    }),
    host: variable.option('METRICS_HOST', endpointPortRules.host, {
      about: 'Address that this port listens on',
      whenUnset: '`127.0.0.1`',
    }),
    networks: variable.list('METRICS_NETWORKS', {
      about: 'Addresses that may read the metrics on the port of the app',
      optional: true,
      whenUnset: { dev: 'any', test: 'any', staging: 'any', production: 'by `METRICS_PORT`' },
      expects: 'a JSON list of IP addresses and CIDR networks, such as ["10.0.0.0/8"]',
      check: (list) => {
        if (list.length === 0) return 'must contain at least one address or network'
        const invalid = list.findIndex((entry) => !isNetwork(entry))
        return invalid === -1 ? null : `entry ${invalid + 1} must be an IP address or a CIDR network`
      },
    }),
    version: variable.text('APP_VERSION', {
      about: 'Version of the application, for the metric `app_info`',
      optional: true,
      whenUnset: '`unknown`',
    }),
  },
  check({ environment, isSet }) {
    if (isSet('port') && isSet('networks')) return ['METRICS_PORT and METRICS_NETWORKS are both set: remove one']
    if (isSet('host') && !isSet('port')) return ['METRICS_PORT is required when METRICS_HOST is set']
    if (environment !== 'production' || isSet('port') || isSet('networks')) return []
    return ['METRICS_PORT or METRICS_NETWORKS is required in production: set one to say who may read the metrics']
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

/** By the check of the option; its message is not used, because it quotes the entry. */
function isNetwork(entry: string): boolean {
  try {
    createNetworks([entry], 'METRICS_NETWORKS')
    return true
  } catch {
    return false
  }
}
