// npm run bench -- --workload ws|ws-metrics|ws-tracing|http-tracing|ws-broker|ws-protobuf|ws-full|async|http-get|http-post|http-guarded|http-download|http-static|upload|fan-out|fan-out-slow|fan-out-broker|memory|sse|start|cluster|cluster-empty|auth|limits|database|once|outbox|audit|ws-audit
//   [--rounds 7] [--seconds 2] [--connections 64] [--in-flight 16] [--per-turn 4] [--peers] [--json out.json]
//   [--baseline <folder of another checkout, built>] [--profile <folder>]
// npm run bench -- --all [--rows ws,http-get] [--rounds 7] [--json out.json]
//   All rows of the table in docs_site/performance.md, with the other servers; rows that out.json has from before are kept.
// The packages have to be built. Servers run on one core, the load generator (this process) on another; loopback only.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import process from 'node:process'
import { parseArgs } from 'node:util'
import { choosePins, pinSelf } from './lib/pin.mjs'
import { describeMachine, printMachine } from './lib/report.mjs'
import { runs, toCommand } from './lib/rows.mjs'
import { openWorkload, profileWorkload, runWorkload } from './lib/run-workload.mjs'

const { values } = parseArgs({
  options: {
    workload: { type: 'string', default: 'ws' },
    rounds: { type: 'string' },
    seconds: { type: 'string' },
    connections: { type: 'string' },
    'in-flight': { type: 'string' },
    'per-turn': { type: 'string' },
    json: { type: 'string' },
    baseline: { type: 'string' },
    profile: { type: 'string' },
    peers: { type: 'boolean' },
    all: { type: 'boolean', default: false },
    rows: { type: 'string' },
  },
})
if (!existsSync(new URL('../../packages/core/dist/index.js', import.meta.url))) fail('Build core first: npm run build')

const pins = choosePins()
const core = pins?.server ?? null
if (pins !== null) pinSelf(pins.load)
const machine = describeMachine(pins)
printMachine(machine)
try {
  if (values.all) await runAll()
  else await runOne()
} catch (error) {
  fail(error.message)
}

async function runOne() {
  const opened = await openWorkload(values)
  const { workload, options } = opened
  console.log(`workload ${workload.name}: ${JSON.stringify(options)}\n`)
  if (workload.run !== undefined) {
    // One that has no server under it measures by itself.
    await workload.run(options)
    process.exit()
  }
  const result = await runWorkload(opened, core)
  if (values.profile !== undefined) await profileWorkload(opened, core, values.profile)
  if (values.json !== undefined) {
    writeJson({ workload: workload.name, date: new Date().toISOString(), machine, ...result })
  }
}

async function runAll() {
  const wanted = values.rows?.split(',') ?? runs.map(({ id }) => id)
  const unknown = wanted.filter((id) => !runs.some((run) => run.id === id))
  if (unknown.length > 0)
    throw new Error(`No row ${unknown.join(', ')}: there is ${runs.map(({ id }) => id).join(', ')}`)
  const results =
    values.json !== undefined && existsSync(values.json) ? JSON.parse(readFileSync(values.json, 'utf8')) : {}
  const failures = []
  for (const run of runs.filter(({ id }) => wanted.includes(id))) {
    // Many rows in one go: less of each, which the spread shows.
    const flags = { rounds: values.rounds ?? '7', seconds: values.seconds ?? '1', ...run.options, peers: true }
    const command = toCommand(run, flags)
    console.log(`\n${run.title}: ${command}\n`)
    try {
      const result = await runWorkload(await openWorkload({ ...flags, workload: run.workload }), core)
      results[run.id] = { command, date: new Date().toISOString(), machine, ...result }
      if (values.json !== undefined) writeJson(results)
    } catch (error) {
      failures.push(`${run.id}: ${error.message}`)
    }
  }
  if (failures.length > 0) throw new Error(failures.join('\n'))
}

function writeJson(value) {
  writeFileSync(values.json, `${JSON.stringify(value, null, 2)}\n`)
}

function fail(message) {
  console.error(message)
  process.exit(1)
}
