import { workload as ws } from './ws.mjs'

/** The same packages, on Twinwire with the memory broker and with redisBroker(). */
export const workload = {
  ...ws,
  peers: [],
  name: 'ws-broker',
  servers: [
    { name: 'memory', file: new URL('../servers/twinwire-ws.mjs', import.meta.url) },
    { name: 'redis', file: new URL('../servers/twinwire-ws-broker.mjs', import.meta.url) },
  ],
  profiled: 'redis',
}
