import { workload as ws } from './ws.mjs'

/** The same packages, on Twinwire without and with its metrics. */
export const workload = {
  ...ws,
  peers: [],
  name: 'ws-metrics',
  servers: [
    { name: 'off', file: new URL('../servers/twinwire-ws.mjs', import.meta.url) },
    { name: 'on', file: new URL('../servers/twinwire-ws-metrics.mjs', import.meta.url) },
  ],
  profiled: 'on',
}
