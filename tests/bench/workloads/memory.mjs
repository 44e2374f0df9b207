import { setTimeout as sleep } from 'node:timers/promises'
import { checkFileLimit } from '../lib/file-limit.mjs'
import { IdleConnections } from '../lib/idle-load.mjs'
import { ServerProcess } from '../lib/server-process.mjs'

const path = '/ws'
/** Opened and closed first, so that code and tables that all connections share are there before the first reading. */
const warmUpConnections = 500

const raw = new URL('../servers/raw-idle.mjs', import.meta.url)

/** Resident memory of an idle connection: that of many, less that before them, each after a collection. */
export const workload = {
  name: 'memory',
  servers: [
    // An object, a number and a Map entry for each connection: the least with which a server finds it again.
    { name: 'raw', file: raw, env: { TWINWIRE_BENCH_STATE: 'id' } },
    { name: 'raw, UUID', file: raw, env: { TWINWIRE_BENCH_STATE: 'uuid' } },
    { name: 'raw, nothing', file: raw },
    { name: 'twinwire', file: new URL('../servers/twinwire-idle.mjs', import.meta.url) },
    { name: 'with auth', file: new URL('../servers/twinwire-idle-auth.mjs', import.meta.url) },
  ],
  profiled: 'twinwire',
  /** With `--peers`. */
  peers: [{ name: 'ws', file: new URL('../peers/ws-ws.mjs', import.meta.url) }],
  connections: 5000,

  figures: [
    { key: 'perConnection', title: 'resident bytes per idle connection', unit: 'bytes', digits: 0 },
    { key: 'mebibytes', title: 'resident memory before them', unit: 'MiB', digits: 1 },
  ],

  async measure(servers, _workload, { rounds, connections }, core, onRound) {
    checkFileLimit(connections)
    const results = []
    for (let round = 0; round < rounds; round++) {
      const samples = new Map()
      for (const server of round % 2 === 0 ? servers : servers.toReversed()) {
        samples.set(server.name, await measureOne(server, connections, core))
      }
      results.push(samples)
      onRound(round, samples)
    }
    return results
  },

  /** A heap snapshot with all connections open. */
  profile: (server, { connections }, core, folder) => measureOne(server, connections, core, folder),
}

async function measureOne(contestant, connections, core, snapshotFolder = null) {
  const server = await ServerProcess.start(contestant.file, {
    core,
    env: contestant.env,
    nodeArgs: ['--expose-gc'],
  })
  const idle = new IdleConnections()
  try {
    await idle.open(server, warmUpConnections, path)
    idle.close()
    const rssBefore = await settle(server)
    await idle.open(server, connections, path)
    const rss = await settle(server)
    if (idle.size !== connections)
      throw new Error(`${contestant.name} has closed ${connections - idle.size} connections`)
    if (snapshotFolder !== null) await server.ask('snapshot', snapshotFolder)
    return { perConnection: (rss - rssBefore) / connections, mebibytes: rssBefore / 1_048_576 }
  } finally {
    idle.close()
    await server.stop()
  }
}

/** Resident memory after collections, once it no longer falls: V8 gives pages back some time later. */
async function settle(server) {
  let least = Number.POSITIVE_INFINITY
  for (let falling = 0; falling < 3; falling++) {
    await server.ask('collect')
    await sleep(150)
    const rss = await server.rss()
    if (rss < least - 65_536) falling = 0
    least = Math.min(least, rss)
  }
  return least
}
