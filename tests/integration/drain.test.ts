// A process that is told to end while it works: nothing that it has accepted is lost without a word.
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { Agent, type IncomingMessage, request } from 'node:http'
import { setTimeout } from 'node:timers/promises'
import { afterEach, describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { type ChildApp, startChildApp } from '../support/child-app.ts'

const children: ChildApp[] = []
afterEach(async () => {
  for (const child of children.splice(0)) {
    child.kill('SIGKILL')
    await child.ended
  }
})
const start = async (drainMs: number): Promise<ChildApp> => {
  const child = await startChildApp('working-app.ts', { DRAIN_MS: String(drainMs) })
  children.push(child)
  return child
}

interface Sent {
  readonly atMs: number
  status: number | null
}

/** One connection that always has `inFlight` calls of 50 to 500 ms under way, until it is told to leave. */
class Caller {
  readonly sent = new Map<string, Sent>()
  readonly #socket: WebSocket
  closed: { code: number; reason: string } | null = null

  constructor(port: number) {
    this.#socket = new WebSocket(`ws://127.0.0.1:${port}/ws`)
    this.#socket.on('error', () => {})
    this.#socket.on('close', (code, reason) => {
      this.closed = { code, reason: reason.toString() }
    })
    this.#socket.on('message', (data: Buffer) => {
      const { req_id, status_code } = JSON.parse(data.toString()) as { req_id: string; status_code: number }
      const sent = this.sent.get(req_id)
      if (sent === undefined || sent.status !== null) throw new Error(`an answer to nothing: ${data}`)
      sent.status = status_code
      if (status_code === 0) this.call()
    })
  }

  async opened(): Promise<void> {
    await once(this.#socket, 'open')
  }

  call(): void {
    if (this.#socket.readyState !== WebSocket.OPEN) return
    const req_id = randomUUID()
    this.sent.set(req_id, { atMs: performance.now(), status: null })
    this.#socket.send(JSON.stringify({ pkg_id: 1, req_id, data: { ms: 50 + Math.floor(Math.random() * 450) } }))
  }
}

async function lengthOf(body: AsyncIterable<Uint8Array>): Promise<number> {
  let bytes = 0
  for await (const chunk of body) bytes += chunk.byteLength
  return bytes
}

describe('SIGTERM', () => {
  test('under load: every accepted call is answered, every connection closed with 1012, exit 0 in time', async () => {
    const drainMs = 4000
    const child = await start(drainMs)
    const callers = Array.from({ length: 200 }, () => new Caller(child.port))
    await Promise.all(callers.map((caller) => caller.opened()))
    for (const caller of callers) for (let i = 0; i < 3; i++) caller.call()
    const requests: { atMs: number; outcome: number | 'refused' }[] = []
    const overHttp = Array.from({ length: 20 }, async () => {
      for (;;) {
        const atMs = performance.now()
        const outcome = await fetch(`http://127.0.0.1:${child.port}/work/${50 + Math.floor(Math.random() * 450)}`).then(
          async (response) => {
            await response.arrayBuffer()
            return response.status
          },
          () => 'refused' as const,
        )
        requests.push({ atMs, outcome })
        if (outcome !== 200) return
      }
    })
    // Some go on whatever they are told: what they send until the end must not cost them the close frame.
    const insistent = setInterval(() => {
      for (const caller of callers.slice(0, 50)) caller.call()
    }, 20)
    await setTimeout(1000)
    const toldMs = performance.now()
    // Twice, as npm and systemd deliver it.
    child.kill('SIGTERM')
    child.kill('SIGINT')
    const end = await child.ended
    const tookMs = performance.now() - toldMs
    clearInterval(insistent)
    await Promise.all(overHttp)
    await expect.poll(() => callers.every(({ closed }) => closed !== null)).toBe(true)

    expect(end, child.output()).toEqual({ code: 0, signal: null })
    expect(tookMs).toBeLessThan(drainMs + 1000)
    const codes = new Map<string, number>()
    for (const { closed } of callers) {
      const key = `${closed?.code} ${closed?.reason}`
      codes.set(key, (codes.get(key) ?? 0) + 1)
    }
    expect([...codes]).toEqual([['1012 Service restart', 200]])
    const calls = callers.flatMap(({ sent }) => [...sent.values()])
    const before = calls.filter(({ atMs }) => atMs < toldMs)
    expect(before.length).toBeGreaterThan(1000)
    expect(before.filter(({ status }) => status === null)).toEqual([])
    const underWay = requests.filter(({ atMs }) => atMs < toldMs)
    expect(underWay.length).toBeGreaterThan(20)
    expect(underWay.filter(({ outcome }) => outcome !== 200 && outcome !== 503)).toEqual([])
  })

  test('what is on its way arrives: answers of 20 MB whose readers pause, and queued replies with the close frame', async () => {
    const child = await start(30_000)
    const held: IncomingMessage[] = []
    const answers: Promise<number>[] = []
    for (const path of ['/large', '/pieces']) {
      const sent = request({ host: '127.0.0.1', port: child.port, path, agent: false }).end()
      const [response] = (await once(sent, 'response')) as [IncomingMessage]
      // Paused until it is read.
      held.push(response)
    }
    const socket = new WebSocket(`ws://127.0.0.1:${child.port}/ws`)
    await once(socket, 'open')
    let replies = 0
    socket.on('message', () => {
      replies += 1
    })
    const closed = once(socket, 'close')
    socket.pause()
    // More than the buffers of a loopback connection hold.
    const asked = 150
    for (let i = 0; i < asked; i++) socket.send(JSON.stringify({ pkg_id: 2, req_id: randomUUID(), data: null }))
    // They have arrived by the time that a call behind them is answered.
    await expect.poll(() => socket.bufferedAmount).toBe(0)
    await fetch(`http://127.0.0.1:${child.port}/work/100`)
    child.kill('SIGTERM')
    await setTimeout(500)
    for (const response of held) answers.push(lengthOf(response))
    socket.resume()
    expect(await Promise.all(answers)).toEqual([20 * 1024 * 1024, 20 * 1024 * 1024])
    const [code, reason] = await closed
    expect([replies, code, String(reason)]).toEqual([asked, 1012, 'Service restart'])
    expect(await child.ended, child.output()).toEqual({ code: 0, signal: null })
  })

  test('while it drains it is alive and not ready; a second signal a second later ends it at once', async () => {
    const child = await start(60_000)
    const caller = new Caller(child.port)
    await caller.opened()
    // Each answer of the drain ends its connection.
    const agent = new Agent({ keepAlive: true, maxSockets: 6, maxFreeSockets: 6 })
    const get = (path: string) =>
      new Promise<number | undefined>((resolve, reject) => {
        request({ host: '127.0.0.1', port: child.port, path, agent }, (response) => {
          response.resume().on('end', () => resolve(response.statusCode))
        })
          .on('error', reject)
          .end()
      })
    const slow = fetch(`http://127.0.0.1:${child.port}/work/60000`).then(
      () => 'answered',
      () => 'cut',
    )
    expect(await Promise.all(Array.from({ length: 6 }, () => get('/health/ready')))).toEqual(Array(6).fill(200))
    child.kill('SIGTERM')
    child.kill('SIGTERM')
    const firstMs = performance.now()
    await expect.poll(() => get('/health/ready')).toBe(503)
    expect([await get('/health'), await get('/health/live'), await get('/work/1')]).toEqual([503, 200, 503])
    await expect(fetch(`http://127.0.0.1:${child.port}/health`)).rejects.toThrow()
    // The rule is about time, and the process has a clock of its own.
    await setTimeout(Math.max(0, firstMs + 1500 - performance.now()))
    const secondMs = performance.now()
    child.kill('SIGTERM')
    expect(await child.ended).toEqual({ code: 143, signal: null })
    expect(performance.now() - secondMs).toBeLessThan(15_000)
    expect(await slow).toBe('cut')
    agent.destroy()
  })
})
