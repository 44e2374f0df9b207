import { workload as ws } from './ws.mjs'

/** The same packages: what a limit in memory adds to a call. */
export const workload = {
  ...ws,
  peers: [],
  name: 'limits',
  servers: [
    { name: 'bare', file: new URL('../servers/twinwire-ws.mjs', import.meta.url) },
    { name: 'limited', file: new URL('../servers/limited-ws.mjs', import.meta.url) },
    {
      name: 'limited twice',
      file: new URL('../servers/limited-ws.mjs', import.meta.url),
      env: { TWINWIRE_BENCH_LIMITS: 'all' },
    },
  ],
  profiled: 'limited',
}
