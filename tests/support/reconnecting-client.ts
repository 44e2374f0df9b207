// A client that loses its connection over and over, and prints what it holds before and after: for client-memory.test.ts.
import { getEventListeners } from 'node:events'
import process from 'node:process'
import { type ClientSocket, createClient, type SocketEvent } from '@twinwire/client'

const rounds = Number(process.argv[2])

class LostSocket implements ClientSocket {
  static last: LostSocket | null = null
  binaryType = 'blob'
  readonly #listeners = new Map<string, (event: SocketEvent) => void>()

  constructor() {
    LostSocket.last = this
    queueMicrotask(() => this.emit('open'))
  }

  addEventListener(type: string, listener: (event: SocketEvent) => void): void {
    this.#listeners.set(type, listener)
  }

  send(): void {}

  close(): void {}

  emit(type: string, event: Omit<SocketEvent, 'type'> = {}): void {
    this.#listeners.get(type)?.({ type, ...event })
  }
}

// What a page has.
const page = new EventTarget()
Object.assign(globalThis, {
  addEventListener: page.addEventListener.bind(page),
  removeEventListener: page.removeEventListener.bind(page),
})
const { signal } = new AbortController()
const client = createClient({
  url: 'http://host',
  pkgIds: { DO: 1 },
  WebSocket: LostSocket,
  reconnect: { minMs: 0, maxMs: 0 },
})

async function lose(times: number): Promise<void> {
  for (let i = 0; i < times; i += 1) {
    client.connect()
    await new Promise<void>((resolve) => {
      const stop = client.onState(({ status }) => {
        if (status !== 'open') return
        stop()
        resolve()
      })
    })
    const { unsubscribe } = client.subscribe(`chat:${i}`)
    const lost = client.call('DO', i, { signal }).catch(() => {})
    LostSocket.last?.emit('close', { code: 1006 })
    unsubscribe()
    await lost
  }
}

function held() {
  globalThis.gc?.()
  const timers = process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length
  const listeners = ['online', 'pageshow', 'focus', 'visibilitychange'].map(
    (type) => getEventListeners(page, type).length,
  )
  return {
    heap: process.memoryUsage().heapUsed,
    timers,
    listeners: listeners.reduce((sum, count) => sum + count, 0),
    signals: getEventListeners(signal, 'abort').length,
  }
}

await lose(Math.ceil(rounds / 4))
const before = held()
await lose(rounds)
const after = held()
client.close()
await new Promise((resolve) => setImmediate(resolve))
console.log(JSON.stringify({ before, after, closed: held() }))
