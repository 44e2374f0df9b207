import { connect, type Socket as NetSocket } from 'node:net'
import { afterEach } from 'vitest'
import { WebSocket } from 'ws'
import { defaultSocketLimits } from './socket-limits.ts'
import type {
  HttpExchange,
  Socket,
  SocketLimits,
  SocketListener,
  Transport,
  TransportHandlers,
  UpgradeRequest,
} from './transport.ts'
import { uws } from './uws-server.ts'

/** What the tests of this folder share: a server on a free port, and clients that show every byte. */
export interface Fixture {
  readonly transport: Transport
  readonly port: number
  readonly faults: unknown[]
}

const open: { end(): unknown }[] = []

afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.end()
})

export async function serve(
  handlers: Partial<TransportHandlers>,
  limits: Partial<SocketLimits> = {},
  host = '127.0.0.1',
  wantedPort = 0,
): Promise<Fixture> {
  const transport = uws()
  const faults: unknown[] = []
  const { port } = await transport.listen(
    { host, port: wantedPort, websocketPath: '/ws', limits: { ...defaultSocketLimits, ...limits } },
    {
      upgrade: (request) => request.reject(404, [], 'no socket here'),
      request: (exchange) => exchange.respond(404, [], 'no route here'),
      fault: (error) => void faults.push(error),
      ...handlers,
    },
  )
  open.push({ end: () => transport.close() })
  return { transport, port, faults }
}

/** A promise and what settles it, for callbacks that a test waits for. */
export interface Deferred<T> {
  readonly promise: Promise<T>
  resolve(value: T): void
}

export function deferred<T>(): Deferred<T> {
  let resolve!: (value: T) => void
  const promise = new Promise<T>((settle) => {
    resolve = settle
  })
  return { promise, resolve }
}

/** A TCP connection. `text` is all that came. */
export interface Peer {
  readonly socket: NetSocket
  readonly chunks: Buffer[]
  text(): string
  write(bytes: string | Uint8Array): void
  /** Resolves when what came matches; rejects when the connection closes first. */
  until(pattern: RegExp): Promise<string>
  readonly closed: Promise<void>
}

export async function dial(port: number, host = '127.0.0.1'): Promise<Peer> {
  const socket = connect({ port, host, noDelay: true })
  const chunks: Buffer[] = []
  const text = (): string => Buffer.concat(chunks).toString('latin1')
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()))
  socket.on('data', (chunk: Buffer) => chunks.push(chunk))
  // A reset is one way for the server to close.
  socket.on('error', () => {})
  open.push({ end: () => socket.destroy() })
  await new Promise<void>((resolve) => socket.once('connect', () => resolve()))
  return {
    socket,
    chunks,
    text,
    closed,
    write: (bytes) => void socket.write(bytes),
    until: (pattern) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          if (!pattern.test(text())) return
          socket.off('data', look)
          resolve(text())
        }
        socket.on('data', look)
        socket.once('close', () => reject(new Error(`closed before ${pattern}: ${JSON.stringify(text())}`)))
        look()
      }),
  }
}

/** A whole request as one string. */
export function request(method: string, path: string, headers: Record<string, string> = {}, body = ''): string {
  const lines = Object.entries({ host: 'test', ...headers }).map(([name, value]) => `${name}: ${value}\r\n`)
  return `${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n${body}`
}

export const upgradeHeaders: Record<string, string> = {
  upgrade: 'websocket',
  connection: 'Upgrade',
  'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
  'sec-websocket-version': '13',
}

/** A WebSocket client and what it saw. */
export interface Client {
  readonly ws: WebSocket
  readonly messages: string[]
  readonly opened: Promise<void>
  readonly closed: Promise<{ code: number; reason: string }>
  next(): Promise<string>
}

export function join(port: number, path = '/ws', protocols: string[] = []): Client {
  const ws = new WebSocket(`ws://127.0.0.1:${port}${path}`, protocols)
  const messages: string[] = []
  const waiting: ((message: string) => void)[] = []
  let read = 0
  ws.on('message', (data) => {
    messages.push(String(data))
    const next = waiting.shift()
    if (next) {
      read++
      next(String(data))
    }
  })
  ws.on('error', () => {})
  open.push({ end: () => ws.terminate() })
  return {
    ws,
    messages,
    opened: new Promise((resolve) => ws.once('open', () => resolve())),
    closed: new Promise((resolve) => {
      ws.once('close', (code, reason) => resolve({ code, reason: reason.toString() }))
    }),
    next: () => {
      const ready = messages[read]
      if (ready === undefined) return new Promise((resolve) => waiting.push(resolve))
      read++
      return Promise.resolve(ready)
    },
  }
}

/** A listener that notes what it is told. */
export interface Recorder extends SocketListener {
  readonly socket: Promise<Socket>
  readonly gone: Promise<string>
  readonly log: string[]
}

export function record(react: Partial<SocketListener> = {}): Recorder {
  const log: string[] = []
  const socket = deferred<Socket>()
  const gone = deferred<string>()
  return {
    log,
    socket: socket.promise,
    gone: gone.promise,
    opened(opened) {
      log.push('opened')
      socket.resolve(opened)
      react.opened?.(opened)
    },
    message(data, binary) {
      log.push(`${binary ? 'binary' : 'text'} ${Buffer.from(data).toString()}`)
      react.message?.(data, binary)
    },
    closed(code, reason) {
      log.push(`closed ${code} ${reason}`.trim())
      gone.resolve(`${code} ${reason}`.trim())
      react.closed?.(code, reason)
    },
  }
}

/** Waits for the next request or upgrade and hands it to the test. */
export function catcher<T extends HttpExchange | UpgradeRequest>(): { handle(one: T): void; next: Promise<T> } {
  const caught = deferred<T>()
  return { handle: caught.resolve, next: caught.promise }
}
