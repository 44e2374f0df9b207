// npm run bench:metrics: what a cell costs beside prom-client, and what a scrape of 10,000 series costs. The packages have to be built.

import { fork } from 'node:child_process'
import { once } from 'node:events'
import process from 'node:process'
import { createApp } from '@twinwire/core'
import { Instruments } from '@twinwire/core/plugin'
import { metrics } from '@twinwire/plugin-metrics'
import { Counter, Histogram, Registry } from 'prom-client'
import { choosePins, pinSelf } from './lib/pin.mjs'
import { describeMachine, printMachine } from './lib/report.mjs'
import { summarize } from './lib/statistics.mjs'

const rounds = 15
const buckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5]
const endpoints = Array.from({ length: 100 }, (_, i) => `/endpoint-${i}`)
const methods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS', 'A', 'B', 'C']

const pins = choosePins()
if (pins !== null) pinSelf(pins.server)
printMachine(describeMachine(pins))
await measureCells()
await measureScrapes()

/** CPU of this process, in microseconds: a busy machine makes a wall clock wait, and this not. */
function cpuMicros() {
  const { user, system } = process.cpuUsage()
  return user + system
}

function measureCells() {
  const instruments = new Instruments()
  const labels = { method: methods, endpoint: endpoints }
  const cell = instruments.counter('ours_total', 'Ours', labels).cell({ method: 'GET', endpoint: endpoints[7] })
  const histogramCell = instruments
    .histogram('ours_seconds', 'Ours', buckets, labels)
    .cell({ method: 'GET', endpoint: endpoints[7] })
  const registers = [new Registry()]
  const labelNames = ['method', 'endpoint']
  const counter = new Counter({ name: 'theirs_total', help: 'Theirs', labelNames, registers })
  const histogram = new Histogram({ name: 'theirs_seconds', help: 'Theirs', labelNames, buckets, registers })
  const child = counter.labels('GET', endpoints[7])
  const contests = {
    'cell.inc()': () => cell.inc(),
    'counter.inc({ method, endpoint })': () => counter.inc({ method: 'GET', endpoint: endpoints[7] }),
    'counter.labels(…).inc(), kept': () => child.inc(),
    'cell.observe(v)': (i) => histogramCell.observe((i & 15) / 100),
    'histogram.observe({ method, endpoint }, v)': (i) =>
      histogram.observe({ method: 'GET', endpoint: endpoints[7] }, (i & 15) / 100),
  }
  const times = new Map(Object.keys(contests).map((name) => [name, []]))
  for (let round = 0; round <= rounds; round++) {
    for (const [name, work] of Object.entries(contests)) {
      const count = name.startsWith('cell') ? 5_000_000 : 500_000
      const before = cpuMicros()
      for (let i = 0; i < count; i++) work(i)
      // The first round warms up.
      if (round > 0) times.get(name).push(((cpuMicros() - before) * 1000) / count)
    }
  }
  console.log(`\nnanoseconds of CPU, median (min..max of ${rounds} rounds)`)
  for (const [name, values] of times) console.log(`${name.padEnd(44)} ${show(summarize(values), 0)}`)
}

/** 1000 histogram cells and 10,000 series and some, all of which have changed since the last scrape. */
async function measureScrapes() {
  const app = createApp({
    pkgIds: {},
    routes: {},
    environment: 'production',
    defaultAccess: 'public',
    http: { hosts: ['127.0.0.1'] },
    plugins: [metrics({ access: { networks: ['127.0.0.0/8'] } })],
    log: 'error',
  })
  const family = app.instruments.histogram('many_seconds', 'Many', buckets.slice(0, 7), {
    method: methods,
    endpoint: endpoints,
  })
  const cells = methods.flatMap((method) => endpoints.map((endpoint) => family.cell({ method, endpoint })))
  const { url } = await app.listen({ port: 0 })
  const client = fork(new URL('./lib/scrape-client.mjs', import.meta.url))
  const samples = { cpu: [], turn: [], milliseconds: [] }
  let series = 0
  const scrape = async () => {
    for (const [i, cell] of cells.entries()) cell.observe((i % 90) / 10)
    client.send(`${url}/metrics`)
    const [read] = await once(client, 'message')
    series = read
  }
  for (let round = 0; round < 10; round++) await scrape()
  for (let round = 0; round < rounds; round++) {
    const [started, before] = [performance.now(), cpuMicros()]
    await scrape()
    samples.cpu.push((cpuMicros() - before) / 1000)
    samples.milliseconds.push(performance.now() - started)
    // Watching keeps the loop busy, so that it has rounds of its own.
    const turns = watchTurns()
    await scrape()
    samples.turn.push(await turns.stop())
  }
  console.log(`\na scrape of ${series} series over HTTP, milliseconds, median (min..max of ${rounds})`)
  console.log(`CPU of the server                            ${show(summarize(samples.cpu), 1)}`)
  console.log(`longest turn of the event loop, CPU          ${show(summarize(samples.turn), 1)}`)
  console.log(`until the answer was read                    ${show(summarize(samples.milliseconds), 1)}`)
  client.disconnect()
  await app.close()
}

/** The most CPU that one turn of the event loop took. */
function watchTurns() {
  let longest = 0
  let last = cpuMicros()
  let done = false
  const beat = () => {
    const now = cpuMicros()
    longest = Math.max(longest, now - last)
    last = now
    if (!done) setImmediate(beat)
  }
  setImmediate(beat)
  return {
    async stop() {
      await new Promise((resolve) => setImmediate(resolve))
      done = true
      return longest / 1000
    },
  }
}

function show({ median, min, max }, digits) {
  return `${median.toFixed(digits)} (${min.toFixed(digits)}..${max.toFixed(digits)})`
}
