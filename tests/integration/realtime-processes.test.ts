// Clients over real sockets, whose node is killed.
import { randomUUID } from 'node:crypto'
import { expect, it, onTestFinished, vi } from 'vitest'
import { WebSocket } from 'ws'
import { startChildApp } from '../support/child-app.ts'
import { eventually } from '../support/realtime-nodes.ts'
import { hasRedisBinary, startRedisServer } from '../support/redis-server.ts'

vi.setConfig({ testTimeout: 120_000 })

interface Frame {
  readonly type?: string
  readonly recovered?: boolean
  readonly epoch?: string
  readonly offset?: number
  readonly pkg_id?: number
  readonly meta?: { readonly epoch: string; readonly offset: number }
  readonly data?: { readonly n: number }
}

/** A client that goes on where it was. */
class Client {
  readonly numbers: number[] = []
  readonly answers: Frame[] = []
  #since: { readonly epoch: string; readonly offset: number } | null = null
  #socket: WebSocket | null = null

  /** Resolves when its subscription is answered. */
  connect(port: number): Promise<Frame> {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/ws`)
    this.#socket = socket
    onTestFinished(() => socket.terminate())
    return new Promise((resolve, reject) => {
      socket.on('error', reject)
      socket.on('open', () => {
        const since = this.#since === null ? {} : { since: this.#since }
        socket.send(JSON.stringify({ type: 'subscribe', id: 1, topic: 'news:1', ...since }))
      })
      socket.on('message', (message) => {
        const frame: Frame = JSON.parse(String(message))
        if (frame.pkg_id === 100 && frame.meta !== undefined && frame.data !== undefined) {
          const { epoch, offset } = frame.meta
          if (this.#since !== null)
            expect({ epoch, offset }).toEqual({ ...this.#since, offset: this.#since.offset + 1 })
          this.#since = { epoch, offset }
          this.numbers.push(frame.data.n)
        } else if (frame.type === 'subscribed') {
          if (frame.epoch !== undefined && frame.offset !== undefined)
            this.#since = { epoch: frame.epoch, offset: frame.offset }
          this.answers.push(frame)
          resolve(frame)
        }
      })
    })
  }
  say(n: number): void {
    this.#socket?.send(JSON.stringify({ pkg_id: 1, req_id: randomUUID(), method: '', data: { n } }))
  }
}

it.skipIf(!hasRedisBinary())(
  'clients of a node that is killed go on at another one, with all that they missed',
  async () => {
    const redis = await startRedisServer()
    onTestFinished(() => redis.stop())
    const [a, b] = await Promise.all([0, 1].map(() => startChildApp('realtime-app.ts', { REDIS: redis.url })))
    if (a === undefined || b === undefined) throw new Error('no apps')
    onTestFinished(() => {
      for (const app of [a, b]) app.kill('SIGKILL')
    })
    const publisher = new Client()
    await publisher.connect(b.port)
    const clients = Array.from({ length: 20 }, () => new Client())
    await Promise.all(clients.map((client) => client.connect(a.port)))
    let n = 0
    const say = (count: number): void => {
      for (let i = 0; i < count; i++) publisher.say(++n)
    }
    say(30)
    await eventually(() => clients.every(({ numbers }) => numbers.length > 0), 'events arrive')
    a.kill('SIGKILL')
    await a.ended
    say(30)
    const back = clients.map((client) => client.connect(b.port))
    say(30)
    expect((await Promise.all(back)).map(({ recovered }) => recovered)).toEqual(clients.map(() => true))
    await eventually(() => [publisher, ...clients].every(({ numbers }) => numbers.at(-1) === n), 'all events')
    const all = Array.from({ length: n }, (_, i) => i + 1)
    for (const { numbers } of [publisher, ...clients]) expect(numbers).toEqual(all)
  },
)
