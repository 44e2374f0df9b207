import { workload as ws } from './ws.mjs'

/** The same packages, on the bare hand-written server, on Twinwire bare, and with everything on. */
export const workload = {
  ...ws,
  name: 'ws-full',
  servers: [...ws.servers, { name: 'full', file: new URL('../servers/twinwire-ws-full.mjs', import.meta.url) }],
  profiled: 'full',
}
