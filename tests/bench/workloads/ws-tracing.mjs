import { workload as ws } from './ws.mjs'

/** The same packages, on Twinwire without and with traces, of which a sampler drops all. */
export const workload = {
  ...ws,
  peers: [],
  name: 'ws-tracing',
  servers: [
    { name: 'off', file: new URL('../servers/twinwire-ws.mjs', import.meta.url) },
    { name: 'on', file: new URL('../servers/twinwire-ws-tracing.mjs', import.meta.url) },
  ],
  profiled: 'on',
}
