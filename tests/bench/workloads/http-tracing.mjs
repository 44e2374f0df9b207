import { workload as guarded } from './http-guarded.mjs'

const file = new URL('../servers/twinwire-http-full.mjs', import.meta.url)

/** A GET with a token, a role, a limit, metrics and a deadline, without and with traces, of which a sampler drops all. */
export const workload = {
  ...guarded,
  name: 'http-tracing',
  servers: [
    { name: 'off', file },
    { name: 'on', file, env: { TWINWIRE_BENCH_TRACES: 'dropped' } },
  ],
  profiled: 'on',
}
