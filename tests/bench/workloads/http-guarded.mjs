import { workload as get } from './http-get.mjs'

/** As long as the tokens of the test issuer, for the servers that do not look at it: all of them read requests of one length. */
const unread = 'x'.repeat(1189)

/** The same GET on the bare hand-written server, on Twinwire bare, and with a token, a role, a limit, metrics and a deadline. */
export const workload = {
  ...get,
  peers: [],

  toRequest: (connection, slot, token) => get.toRequest(connection, slot, token ?? unread),
  name: 'http-guarded',
  servers: [...get.servers, { name: 'full', file: new URL('../servers/twinwire-http-full.mjs', import.meta.url) }],
  profiled: 'full',
}
