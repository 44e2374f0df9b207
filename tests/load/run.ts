// Two nodes in processes of their own, a Redis, and many clients: what each received is compared with what was published. By hand:
// npm run load -- --connections 2000 --seconds 60. The result is JSON. A machine that does nothing else is needed for the percentiles.
import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { cpus } from 'node:os'
import process from 'node:process'
import { setTimeout } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { WebSocket } from 'ws'
import { startChildApp } from '../support/child-app.ts'
import { startRedisServer } from '../support/redis-server.ts'

const { values } = parseArgs({
  options: {
    connections: { type: 'string', default: '2000' },
    seconds: { type: 'string', default: '60' },
    /** Publications each second. */
    rate: { type: 'string', default: '5' },
    /** Connections that come back, each second. */
    reconnects: { type: 'string', default: '20' },
  },
})
const [connections, seconds, rate, reconnects] = [
  values.connections,
  values.seconds,
  values.rate,
  values.reconnects,
].map(Number) as [number, number, number, number]

/** When each number was sent. */
const sentAt = new Map<number, number>()
const latencies: number[] = []
const problems: string[] = []
let notRecovered = 0
let gaps = 0

class Client {
  readonly name: number
  #since: { epoch: string; offset: number } | null = null
  #socket: WebSocket | null = null

  constructor(name: number) {
    this.name = name
  }
  get offset(): number {
    return this.#since?.offset ?? 0
  }

  connect(port: number): Promise<void> {
    this.#socket?.terminate()
    const socket = new WebSocket(`ws://127.0.0.1:${port}/ws`)
    this.#socket = socket
    return new Promise((resolve, reject) => {
      socket.on('error', reject)
      socket.on('open', () => {
        const since = this.#since === null ? {} : { since: this.#since }
        socket.send(JSON.stringify({ type: 'subscribe', id: 1, topic: 'news:1', ...since }))
      })
      socket.on('message', (message) => {
        if (socket !== this.#socket) return
        const frame = JSON.parse(String(message))
        if (frame.pkg_id === 100) this.#event(frame)
        else if (frame.type === 'gap') {
          gaps += 1
          this.#since = { epoch: frame.epoch, offset: frame.offset }
        } else if (frame.type === 'subscribed') {
          if (this.#since !== null && !frame.recovered) notRecovered += 1
          this.#since = { epoch: frame.epoch, offset: frame.offset }
          resolve()
        }
      })
    })
  }

  say(n: number): void {
    this.#socket?.send(JSON.stringify({ pkg_id: 1, req_id: randomUUID(), method: '', data: { n } }))
  }

  #event({
    meta: { epoch, offset },
    data: { n },
  }: {
    meta: { epoch: string; offset: number }
    data: { n: number }
  }): void {
    const at = sentAt.get(n)
    if (at !== undefined) latencies.push(performance.now() - at)
    const last = this.#since
    if (last !== null && (last.epoch !== epoch || last.offset + 1 !== offset))
      problems.push(`client ${this.name}: ${epoch}:${offset} after ${last.epoch}:${last.offset}`)
    this.#since = { epoch, offset }
  }
}

/** CPU seconds and resident MiB of a process (Linux). */
function usage(pid: number): { readonly cpuSeconds: number; readonly rssMiB: number } {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  const rss = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
  return { cpuSeconds: (Number(fields[11]) + Number(fields[12])) / 100, rssMiB: Math.round(Number(rss) / 1024) }
}

const redis = await startRedisServer()
const apps = await Promise.all([0, 1].map(() => startChildApp('realtime-app.ts', { REDIS: redis.url })))
const portOf = (i: number): number => apps[i % apps.length]?.port ?? 0
const clients = Array.from({ length: connections }, (_, i) => new Client(i))
for (let i = 0; i < clients.length; i += 50)
  await Promise.all(clients.slice(i, i + 50).map((client) => client.connect(portOf(client.name))))
const before = apps.map(({ pid }) => usage(pid))
const begin = performance.now()
let n = 0
let returned = 0
const pending: Promise<void>[] = []
while (performance.now() - begin < seconds * 1000) {
  const elapsed = (performance.now() - begin) / 1000
  while (n < elapsed * rate) {
    sentAt.set(++n, performance.now())
    clients[(n * 7) % 4]?.say(n)
  }
  // The first four publish, so they stay.
  while (returned < elapsed * reconnects) {
    const client = clients[4 + ((++returned * 13) % (connections - 4))]
    if (client !== undefined) pending.push(client.connect(portOf(returned)))
  }
  await setTimeout(5)
}
await Promise.all(pending)
for (let i = 0; i < 400 && clients.some(({ offset }) => offset < n); i++) await setTimeout(50)
for (const { name, offset } of clients) if (offset !== n) problems.push(`client ${name} ends at ${offset} of ${n}`)
latencies.sort((x, y) => x - y)
const percentile = (p: number): number => Math.round(latencies[Math.floor((latencies.length - 1) * p)] ?? 0)
const result = {
  machine: `${cpus().length} x ${cpus()[0]?.model}, Node ${process.version}`,
  connections,
  seconds,
  published: n,
  delivered: latencies.length,
  returned,
  notRecovered,
  gaps,
  problems: problems.length,
  firstProblems: problems.slice(0, 5),
  latencyMs: { p50: percentile(0.5), p95: percentile(0.95), p99: percentile(0.99), max: percentile(1) },
  nodes: apps.map(({ pid }, i) => {
    const { cpuSeconds, rssMiB } = usage(pid)
    return { cpuSeconds: Math.round((cpuSeconds - (before[i]?.cpuSeconds ?? 0)) * 10) / 10, rssMiB }
  }),
}
console.log(JSON.stringify(result, null, 2))
for (const app of apps) app.kill('SIGKILL')
await redis.stop()
process.exit(problems.length === 0 ? 0 : 1)
