import { option } from '../base/option.ts'
import { type SettingsGroup, settingsGroup } from '../settings/group.ts'
import { variable } from '../settings/variable.ts'
import { addressRules } from '../transport/socket-limits.ts'
import { type ClusterEndpoint, workersBounds } from './options.ts'

/** For `cluster({ ...settings.cluster })`. */
export interface ClusterSettings {
  readonly workers: number | 'auto'
  readonly endpoint?: ClusterEndpoint
}

const { min, max } = workersBounds
const expects = `an integer from ${min} to ${max}, or auto`

/**
 * `WORKERS`, `CLUSTER_PORT` and `CLUSTER_HOST`. Unlike the option, the variable has the default 1: no cluster.
 *
 * @example
 * const declared = defineSettings({ cluster: clusterSettings })
 * await cluster({ ...declared.read().cluster, run: () => import('./server.js') })
 */
export const clusterSettings: SettingsGroup<ClusterSettings> = settingsGroup({
  variables: {
    workers: variable.text('WORKERS', {
      about: 'Processes that serve, on Linux; `auto`: one for each core; 1: no further process',
      default: '1',
      expects,
      check: (text) => (toWorkers(text) === null ? `must be ${expects}` : null),
    }),
    port: variable.option('CLUSTER_PORT', option.integer({ max: 65_535 }), {
      about: 'Port on which the parent of the workers serves health and metrics of the cluster; 0: any free port',
      whenUnset: 'none',
    }),
    host: variable.option('CLUSTER_HOST', option.string({ expects: addressRules.host.expects }), {
      about: 'Address that this port listens on',
      whenUnset: '`127.0.0.1`',
    }),
  },
  check: ({ isSet }) => (isSet('host') && !isSet('port') ? ['CLUSTER_PORT is required when CLUSTER_HOST is set'] : []),
  to({ workers, port, host }) {
    const endpoint = port === undefined ? {} : { endpoint: { port, ...(host !== undefined && { host }) } }
    return { workers: toWorkers(workers) ?? 1, ...endpoint }
  },
})

function toWorkers(text: string): number | 'auto' | null {
  if (text === 'auto') return text
  const count = /^[1-9]\d{0,3}$/.test(text) ? Number(text) : 0
  return count >= min && count <= max ? count : null
}
