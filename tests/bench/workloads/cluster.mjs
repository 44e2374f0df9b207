import { execFile } from 'node:child_process'
import { createServer } from 'node:net'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { calibrate } from '../lib/burn.mjs'
import { LoadGenerator } from '../lib/load-generator.mjs'
import { ownCores, pinned } from '../lib/pin.mjs'
import { ServerProcess } from '../lib/server-process.mjs'
import { workload as ws } from './ws.mjs'

const file = new URL('../servers/twinwire-cluster.mjs', import.meta.url)

/** Bounds a run by time only. */
const maxMessages = Number.MAX_SAFE_INTEGER

/**
 * Two workers on both cores against one worker on one of them: packages per second, with a handler that takes 100 us of CPU.
 *
 * The load generator needs CPU too. Beside one worker it has the second core for itself; beside two it shares it with a worker, so that two
 * workers cannot reach 2. How much of one core it took is printed next to the packages; nothing is subtracted. What the machine itself has to
 * spare is printed too, since two virtual cores may be less than twice one: the work of two loops without a server, against that of one.
 */
export const workload = {
  name: 'cluster',
  servers: [
    { name: 'one worker', file, env: { TWINWIRE_BENCH_WORKERS: '1' } },
    { name: 'two workers', file, env: { TWINWIRE_BENCH_WORKERS: '2' } },
  ],
  profiled: 'one worker',
  figures: [
    { key: 'perSecond', title: 'packages per second', unit: '/s', digits: 0 },
    { key: 'loadPercent', title: 'CPU of the load generator', unit: '% of a core', digits: 0 },
    { key: 'capacity', title: 'work of as many loops without a server, against one loop', unit: '', digits: 2 },
  ],
  /** The system distributes connections by their addresses: with too few of them a worker would be idle. */
  connections: 128,
  /** Enough that no worker is ever idle, and few enough that one does not end long after the other. */
  inFlight: 2,
  handlerMicros: 100,

  async measure(servers, { handlerMicros }, options, core, onRound) {
    const rounds = String(calibrate(handlerMicros))
    const results = []
    for (let round = 0; round < options.rounds; round++) {
      const samples = new Map()
      for (const { name, env } of round % 2 === 0 ? servers : servers.toReversed()) {
        const all = { ...env, TWINWIRE_BENCH_ROUNDS: rounds, TWINWIRE_BENCH_PORT: String(await findPort()) }
        const cores = core === null || env.TWINWIRE_BENCH_WORKERS === '1' ? core : [core, ...ownCores()].join(',')
        const capacity = env.TWINWIRE_BENCH_WORKERS === '1' ? 1 : await measureCapacity(core)
        samples.set(name, { ...(await measureOne(all, cores, options)), capacity })
      }
      results.push(samples)
      onRound(round, samples)
    }
    return results
  },
}

async function measureOne(env, core, { connections, inFlight, warmUpSeconds, seconds }) {
  const server = await ServerProcess.start(file, { core, env })
  const load = new LoadGenerator(inFlight)
  try {
    await load.connect(server, connections, ws)
    await load.run(warmUpSeconds, maxMessages)
    const before = process.cpuUsage()
    const run = await load.run(seconds, maxMessages)
    const { user, system } = process.cpuUsage(before)
    return { perSecond: run.messages / run.seconds, loadPercent: (user + system) / run.seconds / 10_000 }
  } finally {
    load.close()
    await server.stop()
  }
}

/** How much more two processes on both cores get done than one, right now. */
async function measureCapacity(core) {
  const one = await loop(core)
  const [first, second] = await Promise.all([loop(core), loop(core === null ? null : ownCores()[0])])
  return (first + second) / one
}

async function loop(core) {
  const [command, args] = pinned(core, [fileURLToPath(new URL('../lib/burn-loop.mjs', import.meta.url))])
  const { stdout } = await promisify(execFile)(command, args)
  return Number(stdout)
}

/** A port that is free now: the processes of a cluster need the same one. */
function findPort() {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address()
      server.close(() => resolve(port))
    })
  })
}
