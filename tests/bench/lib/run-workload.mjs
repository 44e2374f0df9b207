import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { toBaseline } from './baseline.mjs'
import { measureRounds, runAlone } from './measure.mjs'
import { printRound, printSummary, summarizeRounds } from './report.mjs'

const workloads = [
  'ws',
  'ws-metrics',
  'ws-tracing',
  'http-tracing',
  'ws-broker',
  'ws-protobuf',
  'ws-full',
  'auth',
  'limits',
  'database',
  'once',
  'outbox',
  'order',
  'audit',
  'ws-audit',
  'http-get',
  'http-post',
  'http-guarded',
  'http-download',
  'http-static',
  'upload',
  'fan-out',
  'fan-out-slow',
  'fan-out-broker',
  'memory',
  'sse',
  'start',
  'cluster',
  'cluster-empty',
  'async',
]

/**
 * Reads the options of a workload, as they are on the command line, with its defaults.
 *
 * @param {Record<string, string | boolean | undefined>} values
 * @throws Error that says what to change
 */
export async function openWorkload(values) {
  const name = values.workload
  if (!workloads.includes(name)) throw new Error(`No workload '${name}': there is ${workloads.join(', ')}`)
  const { workload } = await import(`../workloads/${name}.mjs`)
  const toCount = (option, byDefault, min, max) => {
    const count = Number(values[option] ?? byDefault)
    if (Number.isInteger(count) && count >= min && count <= max) return count
    throw new Error(`--${option} must be an integer from ${min} to ${max}`)
  }
  const options = {
    rounds: toCount('rounds', workload.rounds ?? 7, 3, 100),
    seconds: toCount('seconds', 2, 1, 60),
    // The optimising compiler needs some hundred thousand messages to settle.
    warmUpSeconds: workload.warmUpSeconds ?? 2,
    connections: toCount('connections', workload.connections ?? 64, 1, 20_000),
    inFlight: toCount('in-flight', workload.inFlight ?? 16, 1, 64),
    perTurn: toCount('per-turn', 4, 1, 64),
  }
  if (values.peers && !existsSync(new URL('../peers/node_modules', import.meta.url))) {
    throw new Error('Install the other servers first: npm --prefix tests/bench/peers install --ignore-scripts')
  }
  const servers = [...workload.servers, ...(values.peers ? (workload.peers ?? []) : [])]
  if (values.baseline !== undefined) {
    const profiled = servers.find((server) => server.name === workload.profiled)
    // With the packages of that checkout: plugins and core belong together.
    servers.push(toBaseline(profiled, values.baseline))
  }
  return { workload, options, servers }
}

/** Measures and prints. */
export async function runWorkload({ workload, options, servers }, core) {
  const onRound = (round, samples) => printRound(round, samples, workload.figures)
  const rounds = await (workload.measure ?? measureRounds)(servers, workload, options, core, onRound)
  const summary = summarizeRounds(rounds, workload.servers[0].name, workload.figures)
  printSummary(summary, workload.figures)
  await workload.alone?.(options)
  return { options, summary, rounds: rounds.map((samples) => Object.fromEntries(samples)) }
}

/** One more run, whose numbers count for nothing, since watching costs. */
export async function profileWorkload({ workload, options, servers }, core, path) {
  const folder = resolve(path)
  const watched = servers.find(({ name }) => name === workload.profiled)
  if (workload.profile !== undefined) await workload.profile(watched, options, core, folder)
  else await runAlone(watched, workload, options, core, ['--cpu-prof', `--cpu-prof-dir=${folder}`])
  console.log(`profile written to ${folder}`)
}
