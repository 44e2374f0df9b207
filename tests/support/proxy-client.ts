import { once } from 'node:events'
import { type IncomingHttpHeaders, type IncomingMessage, request as plainRequest } from 'node:http'
import { connect as connectHttp2 } from 'node:http2'
import { request as secureRequest } from 'node:https'
import { connect } from 'node:net'
import { pipeline } from 'node:stream/promises'
import { connect as connectTls } from 'node:tls'
import { type ClientOptions as SocketOptions, WebSocket } from 'ws'

/** Of the clients. The proxies have 127.0.0.1. */
export const clientAddress = '127.0.0.2'

/** A response of which the body is not read yet. */
export interface OpenResponse {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: IncomingMessage
}

export interface ProxyRequest {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string | readonly string[]>>
  readonly body?: string | Uint8Array | AsyncIterable<Uint8Array>
  /** Of the authority of the proxy. Without it no TLS. */
  readonly ca?: string
}

/** One request on a connection of its own. Without `ca` it is without TLS. */
export async function open(port: number, path: string, options: ProxyRequest = {}): Promise<OpenResponse> {
  const { method = 'GET', headers = {}, body, ca } = options
  const all = Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, typeof value === 'string' ? value : [...value]]),
  )
  const target = {
    host: '127.0.0.1',
    localAddress: clientAddress,
    port,
    path,
    method,
    headers: all,
    agent: false as const,
  }
  const sent = ca === undefined ? plainRequest(target) : secureRequest({ ...target, ca })
  const answered = once(sent, 'response')
  // An answer may come before the body was sent whole, whose rest then fails.
  sent.on('error', () => {})
  // As clients do that ask first: an answer may come in place of the 100.
  if (headers.expect !== undefined) await Promise.race([once(sent, 'continue'), once(sent, 'response')])
  if (body === undefined || typeof body === 'string' || body instanceof Uint8Array) sent.end(body)
  else pipeline(body, sent).catch(() => {})
  const [response] = (await answered) as [IncomingMessage]
  return { status: response.statusCode ?? 0, headers: response.headers, body: response }
}

export interface WholeResponse {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
}

export async function send(port: number, path: string, options: ProxyRequest = {}): Promise<WholeResponse> {
  const { status, headers, body } = await open(port, path, options)
  const chunks: Buffer[] = []
  for await (const chunk of body) chunks.push(chunk)
  return { status, headers, text: Buffer.concat(chunks).toString('latin1') }
}

/** As `send`, by HTTP/2 over TLS. */
export async function sendHttp2(
  port: number,
  path: string,
  { method = 'GET', headers = {}, body, ca }: ProxyRequest & { readonly ca: string },
): Promise<WholeResponse> {
  const session = connectHttp2(`https://127.0.0.1:${port}`, {
    createConnection: () => {
      const socket = connect({ host: '127.0.0.1', port, localAddress: clientAddress })
      return connectTls({ socket, host: '127.0.0.1', ca, ALPNProtocols: ['h2'] })
    },
  })
  try {
    const stream = session.request({ ...headers, ':method': method, ':path': path })
    stream.end(body instanceof Uint8Array || typeof body === 'string' ? body : undefined)
    const [answer] = (await once(stream, 'response')) as [IncomingHttpHeaders & { readonly ':status'?: number }]
    const chunks: Buffer[] = []
    for await (const chunk of stream) chunks.push(chunk)
    return { status: answer[':status'] ?? 0, headers: answer, text: Buffer.concat(chunks).toString('latin1') }
  } finally {
    session.close()
  }
}

export interface ProxySocket {
  readonly socket: WebSocket
  /** Replies and events, parsed. */
  readonly messages: readonly unknown[]
  /** Pings that came. */
  readonly pings: number
  /** Of the close, once it was closed. */
  readonly closed: Promise<number>
  call(pkgId: number, data?: unknown): Promise<unknown>
}

let lastId = 0

/** An open WebSocket. With `ca` over TLS. */
export async function openSocket(
  port: number,
  path = '/ws',
  { ca, ...options }: SocketOptions & { readonly ca?: string } = {},
): Promise<ProxySocket> {
  const socket = new WebSocket(`${ca === undefined ? 'ws' : 'wss'}://127.0.0.1:${port}${path}`, {
    localAddress: clientAddress,
    ...options,
    ...(ca === undefined ? {} : { ca }),
  })
  const waiting = new Map<string, (reply: unknown) => void>()
  const messages: unknown[] = []
  let pings = 0
  socket.on('ping', () => {
    pings += 1
  })
  socket.on('message', (data: Buffer) => {
    const message = JSON.parse(data.toString()) as { readonly req_id?: string }
    messages.push(message)
    waiting.get(message.req_id ?? '')?.(message)
  })
  const closed = once(socket, 'close').then(([code]) => Number(code))
  await once(socket, 'open')
  socket.on('error', () => {})
  return {
    socket,
    messages,
    get pings() {
      return pings
    },
    closed,
    call(pkgId, data = null) {
      lastId += 1
      const id = `00000000-0000-4000-8000-${String(lastId).padStart(12, '0')}`
      const reply = new Promise<unknown>((resolve) => waiting.set(id, resolve))
      socket.send(JSON.stringify({ pkg_id: pkgId, req_id: id, data }))
      return reply
    },
  }
}
