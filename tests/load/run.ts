// Two nodes in processes of their own, a Redis, and many clients that call over both wires, upload, subscribe and come back: what each received is
// compared with what was published. By hand: npm run load -- --connections 10000 --seconds 600. The result is JSON. A machine that does nothing
// else is needed for the percentiles; `ulimit -n` has to allow the connections.
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { cpus } from 'node:os'
import process from 'node:process'
import { setTimeout } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { startChildApp } from '../support/child-app.ts'
import { startRedisServer } from '../support/redis-server.ts'
import { LoadClient, type LoadRecord } from './load-client.ts'

const defaults = {
  connections: 2000,
  seconds: 60,
  /** Of which each subscribes to one. */
  topics: 40,
  /** Each second: publications, calls over WebSocket, calls over HTTP, uploads of 1 MiB, connections that come back. */
  publications: 20,
  calls: 500,
  requests: 100,
  uploads: 2,
  reconnects: 20,
}
type Option = keyof typeof defaults
const names = Object.keys(defaults) as Option[]
const { values } = parseArgs({ options: Object.fromEntries(names.map((name) => [name, { type: 'string' as const }])) })
const options = { ...defaults }
for (const name of names) {
  const value = Number(values[name] ?? defaults[name])
  if (!Number.isSafeInteger(value) || value < 0) throw new Error(`--${name} must be an integer`)
  options[name] = value
}
const { connections, seconds, topics } = options
if (connections < 2 * topics || topics < 1 || seconds < 1)
  throw new Error('--connections must be twice --topics at least')

/** CPU seconds and resident MiB of a process (Linux). */
function usage(pid: number): { readonly cpuSeconds: number; readonly rssMiB: number } {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  const rss = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
  return { cpuSeconds: (Number(fields[11]) + Number(fields[12])) / 100, rssMiB: Number(rss) / 1024 }
}
const round = (value: number): number => Math.round(value * 10) / 10
function percentiles(values: number[]): Readonly<Record<string, number>> {
  values.sort((x, y) => x - y)
  const at = (p: number): number => round(values[Math.floor((values.length - 1) * p)] ?? 0)
  return { count: values.length, p50: at(0.5), p95: at(0.95), p99: at(0.99), max: at(1) }
}

const record: LoadRecord = { sentAt: new Map(), events: [], calls: [], problems: [], notRecovered: 0, gaps: 0 }
const requests: number[] = []
const uploads: number[] = []

const redis = await startRedisServer()
const apps = await Promise.all([0, 1].map(() => startChildApp('load-app.ts', { REDIS: redis.url })))
const portOf = (i: number): number => apps[i % apps.length]?.port ?? 0
const empty = apps.map(({ pid }) => usage(pid))
const clients = Array.from({ length: connections }, (_, i) => new LoadClient(i, `news:${i % topics}`, record))
for (let i = 0; i < clients.length; i += 50)
  await Promise.all(clients.slice(i, i + 50).map((client) => client.connect(portOf(client.name))))
await setTimeout(1000)
const idle = apps.map(({ pid }) => usage(pid))

async function post(
  path: string,
  body: string | Uint8Array<ArrayBuffer>,
  expected: object,
  times: number[],
  i: number,
) {
  const startedMs = performance.now()
  try {
    const type = typeof body === 'string' ? 'application/json' : 'application/octet-stream'
    const init = { method: 'POST', body, headers: { 'content-type': type } }
    const answer = await fetch(`http://127.0.0.1:${portOf(i)}${path}`, init)
    const text = await answer.text()
    if (text !== JSON.stringify(expected)) record.problems.push(`POST ${path}: ${answer.status} ${text.slice(0, 200)}`)
    times.push(performance.now() - startedMs)
  } catch (error) {
    record.problems.push(`POST ${path}: ${String(error)} ${error instanceof Error ? String(error.cause ?? '') : ''}`)
  }
}

const payload = new Uint8Array(randomBytes(1024 * 1024))
const published = Array.from({ length: topics }, () => 0)
const done = { publications: 0, calls: 0, requests: 0, uploads: 0, reconnects: 0 }
const pending = new Set<Promise<void>>()
const track = (work: Promise<void>): void => {
  const tracked = work
    .catch((error: unknown) => void record.problems.push(String(error)))
    .finally(() => pending.delete(tracked))
  pending.add(tracked)
}
const actions: Readonly<Record<keyof typeof done, (i: number) => void>> = {
  publications: (i) => {
    // Of each topic the first client publishes: it stays.
    const topic = i % topics
    published[topic] = (published[topic] ?? 0) + 1
    record.sentAt.set(i, performance.now())
    const client = clients[topic]
    if (client !== undefined) track(client.say(i))
  },
  calls: (i) => {
    const client = clients[(i * 7) % connections]
    if (client !== undefined) track(client.echo(`call ${i}`))
  },
  requests: (i) => track(post('/echo', JSON.stringify({ text: `${i}` }), { text: `${i}` }, requests, i)),
  uploads: (i) => track(post('/uploads', payload, { bytes: payload.byteLength }, uploads, i)),
  reconnects: (i) => {
    const client = clients[topics + ((i * 13) % (connections - topics))]
    if (client !== undefined) track(client.connect(portOf(i)))
  },
}
const kinds = Object.keys(done) as (keyof typeof done)[]
const begin = performance.now()
for (let elapsed = 0; elapsed < seconds; elapsed = (performance.now() - begin) / 1000) {
  for (const kind of kinds) {
    while (done[kind] < elapsed * options[kind]) {
      done[kind] += 1
      actions[kind](done[kind])
    }
  }
  await setTimeout(5)
}
const tookSeconds = (performance.now() - begin) / 1000
const busy = apps.map(({ pid }) => usage(pid))
const isBehind = ({ name, offset }: LoadClient): boolean => offset < (published[name % topics] ?? 0)
for (let i = 0; i < 1200 && (pending.size > 0 || clients.some(isBehind)); i += 1) await setTimeout(50)
if (pending.size > 0) record.problems.push(`${pending.size} calls and connections have no end`)
for (const { name, offset } of clients) {
  const expected = published[name % topics]
  if (offset !== expected) record.problems.push(`client ${name} ends at ${offset} of ${expected}`)
}
console.log(
  JSON.stringify(
    {
      machine: `${cpus().length} x ${cpus()[0]?.model}, Node ${process.version}`,
      options,
      seconds: round(tookSeconds),
      ...done,
      notRecovered: record.notRecovered,
      gaps: record.gaps,
      problems: record.problems.length,
      firstProblems: record.problems.slice(0, 5),
      milliseconds: {
        webSocketCalls: percentiles(record.calls),
        httpCalls: percentiles(requests),
        uploads: percentiles(uploads),
        events: percentiles(record.events),
      },
      nodes: busy.map(({ cpuSeconds, rssMiB }, i) => ({
        cpuPercent: Math.round((100 * (cpuSeconds - (idle[i]?.cpuSeconds ?? 0))) / tookSeconds),
        rssMiB: Math.round(rssMiB),
        idleKiBPerConnection: round((((idle[i]?.rssMiB ?? 0) - (empty[i]?.rssMiB ?? 0)) * 1024 * 2) / connections),
      })),
    },
    null,
    2,
  ),
)
// The connections that this ends are not counted.
process.exitCode = record.problems.length === 0 ? 0 : 1
for (const app of apps) app.kill('SIGKILL')
await redis.stop()
process.exit()
