// 100,000 calls with aborts, errors and disconnects at random: afterwards the process holds what it held before.
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { Agent, request } from 'node:http'
import { setTimeout } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { type ChildApp, startChildApp } from '../support/child-app.ts'

const calls = Number(process.env.TWINWIRE_LEAK_CALLS ?? 100_000)
const inFlight = 24
const modes = ['sync', 'async', 'refuse', 'crash', 'slow', 'join', 'publish', 'nonsense']
const pick = <T>(list: readonly T[]): T => list[Math.floor(Math.random() * list.length)] as T

interface Stats {
  readonly served: number
  readonly calls: number
  readonly requests: number
  readonly connections: number
  readonly signals: number
  readonly hub: number
  readonly topic: number
  readonly timers: number
  readonly heap: number
}

let child: ChildApp
beforeAll(async () => {
  child = await startChildApp('leak-app.ts', { NODE_OPTIONS: '--expose-gc' })
})
afterAll(async () => {
  child.kill('SIGKILL')
  await child.ended
})

/** Connects, keeps calls in flight, and leaves in one of several ways, over and over, until the budget is spent. */
async function overWebSocket(budget: { left: number }): Promise<void> {
  while (budget.left > 0) {
    const socket = new WebSocket(`ws://127.0.0.1:${child.port}/ws`)
    await once(socket, 'open')
    const closed = once(socket, 'close')
    let quota = 100 + Math.floor(Math.random() * 400)
    const leave = pick(['close', 'terminate', 'terminate'] as const)
    const call = (): void => {
      if (socket.readyState !== WebSocket.OPEN) return
      if (quota-- <= 0 || budget.left-- <= 0) return socket[leave]()
      const quick = Math.random() < 0.5
      const data = quick ? { n: 1 } : { mode: pick(modes), topic: pick(['a', 'b']) }
      socket.send(JSON.stringify({ pkg_id: quick ? 2 : 1, req_id: randomUUID(), data }))
      if (Math.random() < 0.002) socket.send('{"malformed')
    }
    socket.on('message', (data: Buffer) => {
      if (data.includes('"status_code"')) call()
    })
    for (let i = 0; i < inFlight; i++) call()
    await closed
  }
}

async function overHttp(budget: { left: number }): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: 4 })
  const one = (): Promise<void> =>
    new Promise((resolve) => {
      budget.left--
      const body = JSON.stringify({ mode: pick(modes) })
      const headers = { 'content-type': 'application/json', 'content-length': body.length }
      const sent = request({ host: '127.0.0.1', port: child.port, path: '/work', method: 'POST', headers, agent })
      sent.on('response', (response) => response.resume().on('close', resolve)).on('error', () => resolve())
      // Before the body is whole, while it is served, or not at all.
      const fate = Math.random()
      if (fate < 0.1) {
        sent.write(body.slice(0, 5))
        void setTimeout(2).then(() => sent.destroy())
      } else {
        sent.end(body)
        if (fate < 0.3) void setTimeout(Math.random() * 5).then(() => sent.destroy())
      }
    })
  while (budget.left > 0) await Promise.all(Array.from({ length: 4 }, one))
  agent.destroy()
}

async function work(count: number): Promise<void> {
  const webSocket = { left: Math.floor(count * 0.9) }
  const http = { left: count - webSocket.left }
  await Promise.all([
    ...Array.from({ length: 20 }, () => overWebSocket(webSocket)),
    ...Array.from({ length: 4 }, () => overHttp(http)),
  ])
}

/** Once nothing is under way any more. */
async function settled(): Promise<Stats> {
  let stats: Stats | null = null
  await expect
    .poll(
      async () => {
        const response = await fetch(`http://127.0.0.1:${child.port}/stats`, { headers: { connection: 'close' } })
        stats = (await response.json()) as Stats
        const { calls, requests, connections } = stats
        // The request that asks is a call too.
        return { calls, requests, connections }
      },
      { timeout: 20_000, interval: 250 },
    )
    .toEqual({ calls: 1, requests: 1, connections: 0 })
  if (stats === null) throw new Error('never asked')
  return stats
}

test('nothing is left of 100,000 calls', { timeout: 300_000 }, async () => {
  // The compiler, the caches and the pools have to have had their share first.
  await work(Math.floor(calls / 4))
  const before = await settled()
  await work(calls)
  const after = await settled()
  console.info(`served ${after.served - before.served}, heap ${before.heap} -> ${after.heap}`)
  expect(after.served - before.served).toBeGreaterThan(calls * 0.95)
  expect(after).toMatchObject({ hub: 0, topic: 0, timers: before.timers })
  expect(after.signals).toBeLessThanOrEqual(before.signals)
  expect(after.heap - before.heap).toBeLessThan(1024 * 1024)
})
