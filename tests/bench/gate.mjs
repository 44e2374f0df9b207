// npm run bench:gate [-- --base main] [--workloads ws,ws-full,http-get,http-post,fan-out] [--rounds 7] [--seconds 2] [--limit 5]
// The working tree against a commit, or against the folder of another checkout that is built already. Both run the server files of this
// checkout, alternately. Fails when a message costs more CPU than the limit allows, in percent of the base.
import { existsSync } from 'node:fs'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { buildPackages, openCheckout } from './lib/base-checkout.mjs'
import { copyServer } from './lib/baseline.mjs'
import { measureRounds } from './lib/measure.mjs'
import { choosePins, pinSelf } from './lib/pin.mjs'
import { describeMachine, printMachine, printRound, printSummary, summarizeRounds } from './lib/report.mjs'

const { values } = parseArgs({
  options: {
    base: { type: 'string', default: 'main' },
    workloads: { type: 'string', default: 'ws,ws-full,http-get,http-post,fan-out' },
    rounds: { type: 'string', default: '7' },
    seconds: { type: 'string', default: '2' },
    limit: { type: 'string', default: '5' },
  },
})
const [rounds, seconds, limit] = [Number(values.rounds), Number(values.seconds), Number(values.limit)]
if (!(Number.isInteger(rounds) && rounds > 0 && seconds > 0 && limit > 0)) {
  console.error('--rounds must be an integer; --seconds and --limit must be numbers; all of them more than 0')
  process.exit(1)
}
const names = values.workloads.split(',')
for (const name of names) {
  if (existsSync(new URL(`workloads/${name}.mjs`, import.meta.url))) continue
  console.error(`No workload '${name}' in tests/bench/workloads`)
  process.exit(1)
}

// Without a listener a signal ends the process before its `exit` handlers, which remove folders. Servers end with this process.
const exitCodes = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 }
for (const [signal, code] of Object.entries(exitCodes)) process.on(signal, () => process.exit(code))

const root = fileURLToPath(new URL('../../', import.meta.url))
const base = await openCheckout(values.base)
const failures = []
try {
  await buildPackages(root)
  const pins = choosePins()
  if (pins !== null) pinSelf(pins.load)
  printMachine(describeMachine(pins))
  for (const name of names) failures.push(...(await compare(name, pins?.server ?? null)))
} finally {
  base.remove()
}
for (const failure of failures) console.error(failure)
if (failures.length > 0) process.exitCode = 1
else console.log(`\nNo workload costs over ${limit} % more than on ${values.base}`)

/** Why a workload fails the gate; empty when it passes. */
async function compare(name, core) {
  const { workload } = await import(`./workloads/${name}.mjs`)
  const { file, env } = workload.servers.find((server) => server.name === workload.profiled)
  const servers = [
    { ...copyServer({ file, env }, base.folder), name: 'base' },
    { name: 'now', file, env },
  ]
  console.log(`\n${name}, against ${values.base}`)
  const options = {
    rounds,
    seconds,
    warmUpSeconds: 2,
    connections: workload.connections ?? 64,
    inFlight: workload.inFlight ?? 16,
    perTurn: 4,
  }
  try {
    const summary = summarizeRounds(await measureRounds(servers, workload, options, core, printRound), 'base')
    printSummary(summary)
    const { median, min, max } = summary.find((row) => row.name === 'now').ratio
    if (median <= 1 + limit / 100) return []
    const spread = `median ${median.toFixed(3)} times the base (${min.toFixed(3)} to ${max.toFixed(3)})`
    return [
      `${name}: a message costs ${spread}. Run it again alone on the machine; then find the cost with \`npm run bench -- --workload ${name} --profile <folder>\``,
    ]
  } catch (error) {
    // Not a pass: a server may need what the base does not have yet. Then the base has to be a newer commit.
    return [`${name}: not compared: ${error.message}`]
  }
}
