// npm run check:allocations [-- --update | --profile <folder>]: how many bytes a call allocates on the heap of V8, without sockets. The
// packages have to be built. The count does not depend on the machine or on what else runs there: the same build gives the same bytes.
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import * as v from 'valibot'
import { findNodes } from '../package/lib/nodes.mjs'
import { type Counts, compareCounts } from './compare.ts'

const file = fileURLToPath(new URL('baseline.json', import.meta.url))
const script = fileURLToPath(new URL('measure.mjs', import.meta.url))
const scenarios = [
  'WebSocket call',
  'WebSocket call, everything on',
  'HTTP GET',
  'HTTP POST',
  'publication to 10 connections',
] as const
const Baseline = v.record(
  v.string(),
  v.record(v.string(), v.object({ optimized: v.number(), interpreted: v.number() })),
)

/** One thread, and no randomness: nothing of a run depends on when another thread has finished. No collection within a window. */
const flags = [
  '--expose-gc',
  '--single-threaded',
  '--hash-seed=1',
  '--random-seed=1',
  '--min-semi-space-size=128',
  '--max-semi-space-size=128',
]

const { values } = parseArgs({ options: { update: { type: 'boolean', default: false }, profile: { type: 'string' } } })
const [major = ''] = process.versions.node.split('.')

if (!existsSync(new URL('../../packages/core/dist/index.js', import.meta.url)))
  fail('The packages are not built: run `npm run build`')
if (values.profile !== undefined) profile(resolve(values.profile))
else if (values.update) update()
else check()

function check(): void {
  const baseline = v.parse(Baseline, JSON.parse(readFileSync(file, 'utf8')))[major]
  // Other compilers decide otherwise.
  if (process.arch !== 'x64') return console.log(`allocations: not checked on ${process.arch}, the baseline is of x64`)
  if (baseline === undefined)
    return console.log(`allocations: not checked on Node ${major}, for which there is no baseline`)
  const { lines, problems, fell } = compareCounts(baseline, countAll(process.execPath))
  for (const line of lines) console.log(`allocations: ${line}`)
  if (fell)
    console.log('allocations: there are fewer than before: keep that with `npm run check:allocations -- --update`')
  if (problems.length > 0) fail(problems.join('\n'))
}

/** Of each major version of Node that is supported, from npm: they differ by a few percent. */
function update(): void {
  const nodes = findNodes().map(({ version, path }) => [version.split('.')[0] ?? '', countAll(path)] as const)
  const sorted = nodes.toSorted(([one], [other]) => Number(one) - Number(other))
  writeFileSync(file, `${JSON.stringify(Object.fromEntries(sorted), null, 2)}\n`)
  console.log(`allocations: baseline.json has the counts of Node ${sorted.map(([version]) => version).join(', ')}`)
}

function countAll(node: string): Counts {
  return Object.fromEntries(
    scenarios.map((name) => [name, { optimized: count(node, name), interpreted: count(node, name, '--no-opt') }]),
  )
}

/** The median of the windows, as an integer. */
function count(node: string, scenario: string, ...more: readonly string[]): number {
  const windows = v.parse(v.array(v.number()), JSON.parse(run(node, [...flags, ...more, script, scenario])))
  const sorted = windows.toSorted((a, b) => a - b)
  return Math.round(sorted[sorted.length >> 1] ?? Number.NaN)
}

/** What allocates: heap profiles, to be opened in the developer tools of a browser. */
function profile(folder: string): void {
  for (const [i, name] of scenarios.entries()) {
    const options = [
      '--heap-prof',
      '--heap-prof-interval=512',
      `--heap-prof-dir=${folder}`,
      `--heap-prof-name=${i}.heapprofile`,
    ]
    run(process.execPath, [...flags, ...options, script, name])
    console.log(`${name}: ${folder}/${i}.heapprofile`)
  }
}

function run(node: string, args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(node, args, { encoding: 'utf8' })
  if (status !== 0) fail(`${args.at(-1)}: ${stderr}`)
  return stdout
}

function fail(message: string): never {
  console.error(message)
  process.exit(1)
}
