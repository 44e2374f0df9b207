import { LoadGenerator } from './load-generator.mjs'
import { ServerProcess } from './server-process.mjs'
import { median } from './statistics.mjs'

/** Bounds a run by count as well as by time. */
const maxMessages = 10_000_000
const defaultSliceSeconds = 0.1

/**
 * @typedef {object} Options
 * @property {number} rounds
 * @property {number} seconds measured of each server in each round
 * @property {number} warmUpSeconds
 * @property {number} connections
 * @property {number} inFlight packages under way on each connection
 *
 * @typedef {object} Sample
 * @property {number} micros server CPU per message
 * @property {number} messages
 * @property {number} perSecond
 */

/**
 * Measures the servers of a workload alternately. Every round starts new processes, because JIT compilation differs from
 * run to run, and is part of the spread. Within a round they take turns in short slices, first to last and last to first, so
 * that whatever else the machine does meanwhile falls on all of them alike.
 *
 * @param {{ name: string, file: URL, env?: Record<string, string> }[]} servers
 * @param {Options} options
 * @param {number | null} core
 * @param {(round: number, samples: Map<string, Sample>) => void} onRound
 * @returns {Promise<Map<string, Sample>[]>}
 */
export async function measureRounds(servers, workload, options, core, onRound) {
  const rounds = []
  for (let round = 0; round < options.rounds; round++) {
    const samples = await measureRound(round % 2 === 0 ? servers : servers.toReversed(), workload, options, core)
    rounds.push(samples)
    onRound(round, samples)
  }
  return rounds
}

async function measureRound(servers, workload, options, core) {
  const contestants = []
  try {
    for (const server of servers) contestants.push(await Contestant.start(server, workload, options, core))
    for (const contestant of contestants) await contestant.load.run(options.warmUpSeconds, maxMessages)
    const slices = Math.ceil(options.seconds / (workload.sliceSeconds ?? defaultSliceSeconds))
    for (let slice = 0; slice < slices; slice++) {
      for (const contestant of slice % 2 === 0 ? contestants : contestants.toReversed()) await contestant.measure()
    }
    return new Map(contestants.map((contestant) => [contestant.name, contestant.sample]))
  } finally {
    for (const contestant of contestants) await contestant.stop()
  }
}

/** Runs one server alone, under the given arguments of Node: for what is looked at and not compared. */
export async function runAlone(server, workload, options, core, nodeArgs) {
  const contestant = await Contestant.start(server, workload, options, core, nodeArgs)
  try {
    await contestant.load.run(options.warmUpSeconds + options.seconds, maxMessages)
  } finally {
    await contestant.stop()
  }
}

/** One server of a round, and its load. */
class Contestant {
  name
  load
  #server
  #sliceSeconds
  /** @type {{ micros: number, messages: number, perSecond: number }[]} */
  #slices = []

  constructor(name, server, load, sliceSeconds) {
    this.name = name
    this.#server = server
    this.load = load
    this.#sliceSeconds = sliceSeconds
  }

  static async start({ name, file, env, dialect }, workload, options, core, nodeArgs = []) {
    const server = await ServerProcess.start(file, { core, env, nodeArgs })
    const contestant = new Contestant(
      name,
      server,
      workload.createLoad?.(options) ?? new LoadGenerator(options.inFlight),
      workload.sliceSeconds ?? defaultSliceSeconds,
    )
    try {
      await contestant.load.connect(server, options.connections, { ...workload, ...dialect }, name)
    } catch (error) {
      await contestant.stop()
      throw new Error(`${name}: ${error.message}`, { cause: error })
    }
    return contestant
  }

  async measure() {
    // Nothing is under way at either reading, so that the CPU between them is that of these messages, all and only.
    const before = await this.#server.cpuMicros()
    const { messages, seconds } = await this.load.run(this.#sliceSeconds, maxMessages)
    const micros = ((await this.#server.cpuMicros()) - before) / messages
    this.#slices.push({ micros, messages, perSecond: messages / seconds })
  }

  /** Medians: a slice in which the machine was busy elsewhere counts as one, not by how busy it was. */
  get sample() {
    return {
      micros: median(this.#slices.map(({ micros }) => micros)),
      messages: this.#slices.reduce((sum, { messages }) => sum + messages, 0),
      perSecond: median(this.#slices.map(({ perSecond }) => perSecond)),
    }
  }

  async stop() {
    this.load.close()
    await this.#server.stop()
  }
}
