// npm run bench:compression: memory for a connection, CPU and bytes for a delivery, by websocket.compression. Each mode has a server process of its own.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { createApp, event, route } from '@twinwire/core'
import * as v from 'valibot'
import WebSocket from 'ws'
import { choosePins, pinSelf } from './lib/pin.mjs'
import { describeMachine, printMachine } from './lib/report.mjs'

const modes = [false, 'shared', 'dedicated']
const connections = 500
const publications = 200
const news = event({ data: v.array(v.any()) })
/** About 8 KB of JSON, different each time. */
const toData = (n) =>
  Array.from({ length: 80 }, (_, i) => ({
    id: n * 80 + i,
    name: `author ${(n * 7919 + i * 31) % 10_007}`,
    country: 'DE',
    born: 1900 + (i % 99),
  }))

if (process.send === undefined) await measure()
else await serve(JSON.parse(process.argv[2] ?? 'false'))

async function serve(compression) {
  const pins = choosePins()
  if (pins !== null) pinSelf(pins.server)
  const app = createApp({
    pkgIds: { JOIN: 1, NEWS: 2 },
    routes: { JOIN: route({ access: 'public', handler: (_input, call) => call.connection?.join('news') }) },
    events: { NEWS: news },
    topics: { news: { authorize: () => true } },
    websocket: { compression, maxBackpressureBytes: 64 * 1024 * 1024 },
    log: 'fatal',
    environment: 'test',
  })
  const { port } = await app.listen({ port: 0 })
  const rss = () => {
    globalThis.gc?.()
    return process.memoryUsage().rss
  }
  process.on('message', async (what) => {
    if (what === 'rss') process.send(rss())
    if (what === 'publish') {
      const before = process.cpuUsage()
      for (let n = 0; n < publications; n++) {
        app.hub.publish('news', news, toData(n))
        await new Promise((resolve) => setImmediate(resolve))
      }
      const { user, system } = process.cpuUsage(before)
      process.send(user + system)
    }
    if (what === 'end') process.exit()
  })
  process.send(port)
}

async function measure() {
  const pins = choosePins()
  if (pins !== null) pinSelf(pins.load)
  printMachine(describeMachine(pins))
  console.log(
    `${connections} connections, ${publications} publications of ${JSON.stringify(toData(1)).length} bytes to each`,
  )
  for (const mode of modes) {
    const server = fork(fileURLToPath(import.meta.url), [JSON.stringify(mode)], {
      execArgv: [...process.execArgv, '--expose-gc'],
    })
    const [port] = await once(server, 'message')
    const ask = async (what) => {
      server.send(what)
      return (await once(server, 'message'))[0]
    }
    const first = await open(port)
    await ask('publish')
    const empty = await ask('rss')
    const sockets = await Promise.all(Array.from({ length: connections - 1 }, () => open(port)))
    const all = [first, ...sockets]
    const idle = await ask('rss')
    let received = 0
    let bytes = 0
    const done = new Promise((resolve) => {
      for (const each of all) {
        each.stream.on('data', (chunk) => (bytes += chunk.byteLength))
        each.socket.on('message', () => ++received === connections * publications && resolve())
      }
    })
    const cpu = await ask('publish')
    await done
    const used = await ask('rss')
    const perDelivery = connections * publications
    console.log(
      `${String(mode).padEnd(7)} ${((idle - empty) / connections / 1024).toFixed(1)} KiB idle, ${((used - empty) / connections / 1024).toFixed(1)} KiB after ${publications} events; ` +
        `${(cpu / perDelivery).toFixed(1)} us and ${(bytes / perDelivery).toFixed(0)} bytes for a delivery`,
    )
    for (const { socket } of all) socket.terminate()
    server.send('end')
  }
}

async function open(port) {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/ws`, { perMessageDeflate: true })
  let stream
  socket.on('upgrade', (response) => {
    stream = response.socket
  })
  await once(socket, 'open')
  const joined = once(socket, 'message')
  socket.send(JSON.stringify({ pkg_id: 1, req_id: '6f3b7a52-0c1e-4a7e-9d4f-0a1b2c3d4e5f', data: {} }))
  await joined
  return { socket, stream }
}
