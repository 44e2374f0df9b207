import { setTimeout as sleep } from 'node:timers/promises'
import { EventReaders } from '../lib/event-readers.mjs'
import { checkFileLimit } from '../lib/file-limit.mjs'
import { ServerProcess } from '../lib/server-process.mjs'

const path = '/events'
/** Opened and closed first, so that code and tables that all readers share are there before the first reading. */
const warmUpReaders = 500
/** Publications before the measured ones, so that the compiler has seen them. */
const warmUpEvents = 200

/** Readers of server-sent events, at one event of 1 KiB a second: CPU of a delivery with all that a second brings, and memory of a reader. */
export const workload = {
  name: 'sse',
  servers: [
    { name: 'raw', file: new URL('../servers/raw-sse.mjs', import.meta.url) },
    { name: 'twinwire', file: new URL('../servers/twinwire-sse.mjs', import.meta.url) },
  ],
  profiled: 'twinwire',
  connections: 2000,
  rounds: 5,

  figures: [
    { key: 'micros', title: 'server CPU per delivered event', unit: 'us', digits: 2 },
    { key: 'kibibytes', title: 'resident memory per reader', unit: 'KiB', digits: 1 },
  ],

  async measure(servers, _workload, { rounds, connections, seconds }, core, onRound) {
    checkFileLimit(connections)
    const results = []
    for (let round = 0; round < rounds; round++) {
      const samples = new Map()
      for (const server of round % 2 === 0 ? servers : servers.toReversed()) {
        samples.set(server.name, await measureOne(server, connections, seconds, core))
      }
      results.push(samples)
      onRound(round, samples)
    }
    return results
  },

  /** A heap snapshot with all readers open, and a CPU profile. */
  profile: (server, { connections, seconds }, core, folder) => measureOne(server, connections, seconds, core, folder),
}

async function measureOne(contestant, connections, seconds, core, folder = null) {
  const nodeArgs = ['--expose-gc', ...(folder === null ? [] : ['--cpu-prof', `--cpu-prof-dir=${folder}`])]
  const server = await ServerProcess.start(contestant.file, { core, nodeArgs })
  const readers = new EventReaders()
  try {
    await readers.open(server, warmUpReaders, path)
    readers.close()
    const rssBefore = await settle(server)
    await readers.open(server, connections, path)
    await sleep(200)
    const rss = await settle(server)
    if (folder !== null) await server.ask('snapshot', folder)
    for (let sent = 0; sent < warmUpEvents; sent += 10) await publish(server, readers, 10, connections)
    const before = await server.cpuMicros()
    for (let second = 0; second < seconds; second++) {
      const next = sleep(1000)
      await publish(server, readers, 1, connections)
      await next
    }
    const micros = ((await server.cpuMicros()) - before) / (seconds * connections)
    if (readers.size !== connections)
      throw new Error(`${contestant.name} has closed ${connections - readers.size} connections`)
    return { micros, kibibytes: (rss - rssBefore) / connections / 1024 }
  } finally {
    readers.close()
    await server.stop()
  }
}

async function publish(server, readers, count, connections) {
  readers.reset()
  await server.ask('publish', { count, perTurn: 1 })
  await readers.received(count * connections)
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
