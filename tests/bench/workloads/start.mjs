import { ServerProcess } from '../lib/server-process.mjs'

/** From the start of the process to its port, and resident memory then. Nothing is sent to it. */
export const workload = {
  name: 'start',
  servers: [
    { name: 'raw', file: new URL('../servers/raw-ws.mjs', import.meta.url) },
    { name: 'twinwire', file: new URL('../servers/twinwire-ws.mjs', import.meta.url) },
  ],
  profiled: 'twinwire',
  /** With `--peers`. */
  peers: [{ name: 'fastify', file: new URL('../peers/fastify-http.mjs', import.meta.url) }],
  rounds: 15,

  figures: [
    { key: 'ms', title: 'milliseconds to listening', unit: 'ms', digits: 0 },
    { key: 'mebibytes', title: 'resident memory then', unit: 'MiB', digits: 1 },
  ],

  async measure(servers, _workload, { rounds }, core, onRound) {
    const results = []
    // The first round fills the caches of the file system, and counts for nothing.
    for (let round = -1; round < rounds; round++) {
      const samples = new Map()
      for (const server of round % 2 === 0 ? servers : servers.toReversed()) {
        samples.set(server.name, await measureOne(server, core))
      }
      if (round < 0) continue
      results.push(samples)
      onRound(round, samples)
    }
    return results
  },

  profile: (server, _options, core, folder) => measureOne(server, core, ['--cpu-prof', `--cpu-prof-dir=${folder}`]),
}

async function measureOne({ file, env }, core, nodeArgs = []) {
  const started = performance.now()
  const server = await ServerProcess.start(file, { core, env, nodeArgs })
  const ms = performance.now() - started
  try {
    return { ms, mebibytes: (await server.rss()) / 1_048_576 }
  } finally {
    await server.stop()
  }
}
