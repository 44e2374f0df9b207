// npm run bench -- --workload ws|ws-metrics|ws-full|http-get|http-post|http-guarded|fan-out|fan-out-slow|memory|start|auth|limits|database [--rounds 7] [--seconds 2] [--connections 64] [--in-flight 16] [--per-turn 4]
//   [--json out.json] [--baseline <folder of another checkout, built>] [--profile <folder>]
// The packages have to be built. Servers run on one core, the load generator (this process) on another; loopback only.
import { existsSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import process from 'node:process'
import { parseArgs } from 'node:util'
import { toBaseline } from './lib/baseline.mjs'
import { measureRounds, runAlone } from './lib/measure.mjs'
import { choosePins, pinSelf } from './lib/pin.mjs'
import { describeMachine, printMachine, printRound, printSummary, summarizeRounds } from './lib/report.mjs'

const workloads = [
  'ws',
  'ws-metrics',
  'ws-full',
  'auth',
  'limits',
  'database',
  'http-get',
  'http-post',
  'http-guarded',
  'fan-out',
  'fan-out-slow',
  'memory',
  'start',
  'async',
]

const { values } = parseArgs({
  options: {
    workload: { type: 'string', default: 'ws' },
    rounds: { type: 'string' },
    seconds: { type: 'string', default: '2' },
    connections: { type: 'string' },
    'in-flight': { type: 'string' },
    'per-turn': { type: 'string', default: '4' },
    json: { type: 'string' },
    baseline: { type: 'string' },
    profile: { type: 'string' },
    peers: { type: 'boolean', default: false },
  },
})
if (!workloads.includes(values.workload)) fail(`No workload '${values.workload}': there is ${workloads.join(', ')}`)
const { workload } = await import(`./workloads/${values.workload}.mjs`)
values.rounds ??= String(workload.rounds ?? 7)
values.connections ??= String(workload.connections ?? 64)
values['in-flight'] ??= String(workload.inFlight ?? 16)
const options = {
  rounds: toCount('rounds', 5, 100),
  seconds: toCount('seconds', 1, 60),
  // The optimising compiler needs some hundred thousand messages to settle.
  warmUpSeconds: 2,
  connections: toCount('connections', 1, 20_000),
  inFlight: toCount('in-flight', 1, 64),
  perTurn: toCount('per-turn', 1, 64),
}
if (!existsSync(new URL('../../packages/core/dist/index.js', import.meta.url))) fail('Build core first: npm run build')

if (values.peers && !existsSync(new URL('peers/node_modules', import.meta.url))) {
  fail('Install the other servers first: npm --prefix tests/bench/peers install --ignore-scripts')
}

const pins = choosePins()
const core = pins?.server ?? null
if (pins !== null) pinSelf(pins.load)
const machine = describeMachine(pins)
printMachine(machine)
console.log(`workload ${workload.name}: ${JSON.stringify(options)}\n`)

if (workload.run !== undefined) {
  // One that has no server under it measures by itself.
  await workload.run(options)
  process.exit()
}

const servers = [...workload.servers, ...(values.peers ? workload.peers : [])]
if (values.baseline !== undefined) {
  // With the packages of that checkout: plugins and core belong together.
  servers.push(
    toBaseline(
      servers.find(({ name }) => name === workload.profiled),
      values.baseline,
    ),
  )
}
try {
  const onRound = (round, samples) => printRound(round, samples, workload.figures)
  const rounds = await (workload.measure ?? measureRounds)(servers, workload, options, core, onRound)
  const summary = summarizeRounds(rounds, workload.servers[0].name, workload.figures)
  printSummary(summary, workload.figures)
  await workload.alone?.(options)
  if (values.profile !== undefined) await profile(resolve(values.profile))
  if (values.json !== undefined) {
    const report = { workload: workload.name, date: new Date().toISOString(), machine, options, summary, rounds }
    writeFileSync(values.json, `${JSON.stringify(report, fromMap, 2)}\n`)
  }
} catch (error) {
  fail(error.message)
}

/** One more run, whose numbers count for nothing, since watching costs. */
async function profile(folder) {
  const watched = servers.find(({ name }) => name === workload.profiled)
  if (workload.profile !== undefined) await workload.profile(watched, options, core, folder)
  else await runAlone(watched, workload, options, core, ['--cpu-prof', `--cpu-prof-dir=${folder}`])
  console.log(`profile written to ${folder}`)
}

function fromMap(_key, value) {
  return value instanceof Map ? Object.fromEntries(value) : value
}

function toCount(name, min, max) {
  const count = Number(values[name])
  if (!Number.isInteger(count) || count < min || count > max) fail(`--${name} must be an integer from ${min} to ${max}`)
  return count
}

function fail(message) {
  console.error(message)
  process.exit(1)
}
