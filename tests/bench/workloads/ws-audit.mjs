import { AuditedSocketLoad } from '../lib/audited-load.mjs'
import { measureWithDatabases, profileWithDatabase } from '../lib/bench-databases.mjs'
import { workload as ws } from './ws.mjs'

const file = new URL('../servers/twinwire-audit.mjs', import.meta.url)

/** Packages that use no database, of an app that has one: without an audit log, and recorded. */
export const workload = {
  ...ws,
  peers: [],
  name: 'ws-audit',
  servers: [
    { name: 'off', file },
    { name: 'recorded', file, env: { TWINWIRE_BENCH_STEPS: 'recorded' } },
  ],
  profiled: 'recorded',
  sliceSeconds: 1,
  createLoad: ({ inFlight }) => new AuditedSocketLoad(inFlight),
  measure: measureWithDatabases,
  profile(server, options, core, folder) {
    return profileWithDatabase(server, this, options, core, folder)
  },
}
