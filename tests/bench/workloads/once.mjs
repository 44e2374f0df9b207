import { randomUUID } from 'node:crypto'
import { measureWithDatabases, profileWithDatabase } from '../lib/bench-databases.mjs'
import { DatabaseLoad } from '../lib/database-load.mjs'
import { pkgId } from '../servers/contract.mjs'

const file = new URL('../servers/twinwire-database.mjs', import.meta.url)

/** A route that inserts a row and publishes an event, in a transaction, without once() and with it: each call has a key of its own. */
export const workload = {
  name: 'once',
  path: '/ws',
  servers: [
    { name: 'transaction', file },
    { name: 'once', file, env: { TWINWIRE_BENCH_STEPS: 'once' } },
  ],
  profiled: 'once',
  figures: [
    { key: 'perSecond', title: 'calls per second', unit: '/s', digits: 0 },
    { key: 'micros', title: "server CPU per call, without PostgreSQL's", unit: 'us', digits: 0 },
  ],
  connections: 16,
  inFlight: 4,
  fresh: true,
  /** A call takes much longer here, and the compiler needs as many. */
  warmUpSeconds: 8,
  sliceSeconds: 1,
  measure: measureWithDatabases,
  profile(server, options, core, folder) {
    return profileWithDatabase(server, this, options, core, folder)
  },
  createLoad: ({ inFlight }) => new DatabaseLoad(inFlight),
  toPackage(connection) {
    const req_id = randomUUID()
    const data = { name: 'Ursula K. Le Guin', page: 1 + (connection % 9) }
    const reply = { pkg_id: pkgId, req_id, status_code: 0, meta: null, data: { id: data.page, name: data.name } }
    return { text: JSON.stringify({ pkg_id: pkgId, req_id, method: '', data }), reply }
  },
  probes: [],
}
