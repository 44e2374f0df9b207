import { AuditedHttpLoad } from '../lib/audited-load.mjs'
import { measureWithDatabases, profileWithDatabase } from '../lib/bench-databases.mjs'
import { workload as post } from './http-post.mjs'

const file = new URL('../servers/twinwire-audit.mjs', import.meta.url)

/** POST that inserts a row in a transaction: without an audit log, recorded, and with audited(). */
export const workload = {
  ...post,
  peers: [],
  name: 'audit',
  servers: [
    { name: 'off', file },
    { name: 'recorded', file, env: { TWINWIRE_BENCH_STEPS: 'recorded' } },
    { name: 'audited', file, env: { TWINWIRE_BENCH_STEPS: 'audited' } },
  ],
  profiled: 'recorded',
  headers: () => ['content-type'],
  connections: 16,
  /** A call takes much longer here, and the compiler needs as many. */
  warmUpSeconds: 8,
  sliceSeconds: 1,
  createLoad: ({ inFlight }) => new AuditedHttpLoad(inFlight),
  measure: measureWithDatabases,
  profile(server, options, core, folder) {
    return profileWithDatabase(server, this, options, core, folder)
  },
}
