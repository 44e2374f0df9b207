import { workload as get } from './http-get.mjs'

/** The same GET on the bare hand-written server, on Twinwire bare, and with a token, a role, a limit, metrics and a deadline. */
export const workload = {
  ...get,
  peers: [],
  name: 'http-guarded',
  servers: [...get.servers, { name: 'full', file: new URL('../servers/twinwire-http-full.mjs', import.meta.url) }],
  profiled: 'full',
}
