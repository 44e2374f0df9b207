import { workload as ws } from './ws.mjs'

/** The same packages, with a handler that awaits once. */
export const workload = {
  ...ws,
  name: 'async',
  servers: [
    { name: 'raw', file: new URL('../servers/raw-ws.mjs', import.meta.url), env: { TWINWIRE_BENCH_HANDLER: 'async' } },
    { name: 'twinwire', file: new URL('../servers/twinwire-async.mjs', import.meta.url) },
  ],
  peers: [],
}
