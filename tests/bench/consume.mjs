// npm run bench:consume: what a limit in memory costs beside the look-up that it cannot do without. Core and plugin-ratelimit have to be built.
import process from 'node:process'
import { Instruments, systemClock } from '@twinwire/core/plugin'
import { createTestLogger } from '@twinwire/core/testing'
import { memoryStore } from '@twinwire/plugin-ratelimit'
import { choosePins, pinSelf } from './lib/pin.mjs'
import { describeMachine, printMachine } from './lib/report.mjs'
import { summarize } from './lib/statistics.mjs'

const rounds = 15
const perRound = 1_000_000
const keyCount = 10_000

const pins = choosePins()
if (pins !== null) pinSelf(pins.server)
printMachine(describeMachine(pins))

const keys = Array.from({ length: keyCount }, (_, i) => `identity-${i}`)
const figures = { points: 1_000_000_000, periodMs: 366 * 86_400_000, burst: 0 }
const intervalUs = Math.floor((figures.periodMs * 1000) / figures.points)
const toRule = (name) => ({
  ...figures,
  name,
  scope: 'identity',
  capacity: figures.points,
  intervalUs,
  spanUs: figures.points * intervalUs,
})
const [rule, second] = [toRule('a'), toRule('b')]
const services = {
  clock: systemClock,
  instruments: new Instruments(),
  log: createTestLogger(),
  environment: 'production',
}
const store = await memoryStore().open(services)
const map = new Map(keys.map((key) => [key, { count: 0 }]))

// Each is given a key and counts, so that no optimiser leaves it out.
let passed = 0
const contestants = {
  'Map look-up': (key) => {
    const entry = map.get(key)
    entry.count++
    passed += entry.count & 1
  },
  'Map look-up and the clock': (key) => {
    const entry = map.get(key)
    entry.count = systemClock.monotonic()
    passed += entry.count & 1
  },
  'consume, one limit': (key) => {
    if (store.consume([{ rule, key, cost: 1 }]).allowed) passed++
  },
  'consume, two limits': (key) => {
    if (
      store.consume([
        { rule, key, cost: 1 },
        { rule: second, key, cost: 1 },
      ]).allowed
    )
      passed++
  },
}

const times = new Map(Object.keys(contestants).map((name) => [name, []]))
for (let round = -2; round < rounds; round++) {
  for (const [name, run] of Object.entries(contestants)) {
    const before = process.cpuUsage()
    for (let i = 0; i < perRound; i++) run(keys[i % keyCount])
    const { user, system } = process.cpuUsage(before)
    // The first two rounds belong to the compiler.
    if (round >= 0) times.get(name).push(((user + system) * 1000) / perRound)
  }
}
console.log(`\nCPU per call, median (min..max of ${rounds} rounds of ${perRound}), ${keyCount} keys`)
for (const [name, values] of times) {
  const { median, min, max } = summarize(values)
  console.log(`${name.padEnd(26)} ${median.toFixed(0)} ns (${min.toFixed(0)}..${max.toFixed(0)})`)
}

// How much memory buckets take, at the default bound.
const crowd = await memoryStore().open({ ...services, instruments: new Instruments() })
globalThis.gc?.()
const before = process.memoryUsage().heapUsed
for (let i = 0; i < 1_000_000; i++) crowd.consume([{ rule, key: `203.0.${i >> 8}.${i & 255}`, cost: 1 }])
globalThis.gc?.()
const megabytes = (process.memoryUsage().heapUsed - before) / 1_000_000
console.log(`\n1,000,000 distinct keys, 100,000 kept: ${megabytes.toFixed(1)} MB of heap, ${crowd.size} buckets`)
if (passed === 0) process.exitCode = 1
