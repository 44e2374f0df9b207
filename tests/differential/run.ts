// npm run diff:builds -- --base <folder of another checkout, built> [--count 20000] [--seed n] [--case n]
// Sends the same generated requests to the servers of two builds and compares what they answer, byte for byte.
import { resolve } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import type { Profile } from './apps.ts'
import { type Build, startBuild } from './build.ts'
import { compareCounts, toText } from './compare.ts'
import { createCase, playOnBoth, runCases } from './run-cases.ts'
import { createTokens, startIssuer } from './tokens.ts'

const { values } = parseArgs({
  options: {
    base: { type: 'string' },
    count: { type: 'string', default: '20000' },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 2 ** 31)) },
    case: { type: 'string' },
  },
})
const [count, seed, index] = [Number(values.count), Number(values.seed), Number(values.case ?? 0)]
if (values.base === undefined || ![count, seed, index].every(Number.isInteger)) {
  console.error(
    'npm run diff:builds -- --base <folder of another checkout, built> [--count 20000] [--seed n] [--case n]',
  )
  process.exit(1)
}
// Each case has its own client address, which only Linux has on the loopback interface.
if (process.platform !== 'linux') {
  console.error('diff:builds runs on Linux only')
  process.exit(1)
}

const nowMs = Date.now()
const issuer = await startIssuer(nowMs)
const shared = { issuer: issuer.issuer, nowMs }
const root = fileURLToPath(new URL('../..', import.meta.url))
const builds: Build[] = []
try {
  const before = await startBuild(resolve(values.base), shared)
  builds.push(before)
  const now = await startBuild(root, shared)
  builds.push(now)
  if (values.case === undefined) await compareAll(before, now)
  else await showCase(before, now)
} finally {
  await Promise.all(builds.map((build) => build.stop()))
  await issuer.stop()
}

async function compareAll(before: Build, now: Build): Promise<void> {
  console.log(`seed ${seed}, ${count} requests`)
  const run = { seed, tokens: createTokens(issuer), before: before.ports, now: now.ports }
  const { cases, requests, differences, unstable } = await runCases(run, count)
  for (const message of Object.values(unstable).flat()) console.log(message)
  for (const message of differences) console.error(`\n${message}`)
  let differs = differences.length
  // What was counted, logged and passed to hooks is compared as a whole, because cases run at the same time.
  const compareTotals = (what: string, profile: Profile, old: readonly string[], current: readonly string[]): void => {
    const lines = compareCounts(old, current)
    if (lines.length === 0) return
    const isCertain = unstable[profile].length === 0
    if (isCertain) differs += 1
    console.error(
      `\n${what} of ${profile} differ (+ only now, - only before)${isCertain ? '' : ', maybe because of the cases above'}:`,
    )
    console.error(lines.slice(0, 30).join('\n'))
  }
  compareTotals('hooks and log', 'edges', await before.lines(), await now.lines())
  compareTotals('metrics', 'full', await readMetrics(before), await readMetrics(now))
  console.log(`\n${requests} requests in ${cases} cases: ${differs} differences`)
  if (differs > 0) process.exitCode = 1
}

async function showCase(before: Build, now: Build): Promise<void> {
  const each = createCase(seed, index, createTokens(issuer))
  for (const [i, { peer, pieces, awaits, when }] of each.steps.entries()) {
    const condition = when === undefined ? '' : `, if ${when}`
    console.log(`step ${i}, client ${peer}, awaits ${awaits.kind}${condition}:`)
    for (const piece of pieces) console.log(`  ${JSON.stringify(piece)}`)
  }
  const answers = await playOnBoth({ before: before.ports, now: now.ports }, each, 0)
  console.log(`\n=== before\n${toText(answers.before, each)}\n\n=== now\n${toText(answers.now, each)}`)
}

async function readMetrics({ ports }: Build): Promise<string[]> {
  const response = await fetch(`http://127.0.0.1:${ports.full}/metrics`)
  return (await response.text()).split('\n')
}
