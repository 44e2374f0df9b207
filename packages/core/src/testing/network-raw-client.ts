import { type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http'
import { Readable } from 'node:stream'
import type { WebSocket } from 'ws'
import { BootError } from '../base/boot-error.ts'
import { FrameInbox } from './inbox.ts'
import { concatBytes, toHeaderRecord, toSetCookies } from './memory-transport/memory-network.ts'
import type { RawClient, RawSocket } from './raw-client.ts'
import {
  type RawConnect,
  type RawHeaders,
  type RawRequest,
  type RawResponse,
  type RawStreamedResponse,
  UpgradeRefused,
} from './raw-types.ts'

export interface NetworkRawClientOptions {
  readonly port: number
  /** Default 127.0.0.1. */
  readonly host?: string
  /** The path of `connect` without one. Default `/ws`. */
  readonly defaultPath?: string
}

/**
 * Creates a raw client over the real network. WebSockets need the package `ws`, which is loaded by the first `connect`; rejects
 * with `BootError('missing_peer')` without it.
 */
export function networkRawClient(options: NetworkRawClientOptions): RawClient {
  const { port, host = '127.0.0.1', defaultPath = '/ws' } = options
  const open = new Set<RawSocket>()
  const stream = (request: RawRequest): Promise<RawStreamedResponse> => send({ host, port }, request)
  return {
    async connect(connect = {}) {
      const socket = await openSocket({ host, port }, { ...connect, path: connect.path ?? defaultPath })
      open.add(socket)
      void socket.closed.then(() => open.delete(socket))
      return socket
    },
    request: async (request) => readWhole(await stream(request)),
    stream,
    async close() {
      for (const socket of open) socket.terminate()
      await Promise.all([...open].map((socket) => socket.closed))
    },
  }
}

interface Target {
  readonly host: string
  readonly port: number
}

async function loadWs(): Promise<typeof WebSocket> {
  try {
    return (await import('ws')).WebSocket
  } catch (cause) {
    throw new BootError(
      'missing_peer',
      'networkRawClient() requires the package ws for WebSockets: npm install --save-dev ws',
      { cause },
    )
  }
}

async function openSocket(target: Target, connect: RawConnect): Promise<RawSocket> {
  const { path, headers, address, protocols = [], signal } = connect
  signal?.throwIfAborted()
  const Ws = await loadWs()
  const ws = new Ws(`ws://${target.host}:${target.port}${path}`, [...protocols], {
    headers: toNodeHeaders(headers),
    ...(address === undefined ? {} : { localAddress: address }),
    perMessageDeflate: false,
    // No limit of the client: the server's is tested.
    maxPayload: 0,
  })
  const inbox = new FrameInbox()
  // A copy as plain bytes: `ws` returns a Buffer, perhaps of a shared pool.
  ws.on('message', (data: Buffer, binary) => inbox.push(binary ? new Uint8Array(data) : data.toString('utf8')))
  ws.on('close', (code, reason) => inbox.end(code, reason.toString('utf8')))
  const onAbort = (): void => ws.terminate()
  signal?.addEventListener('abort', onAbort)
  try {
    await handshake(ws)
  } catch (error) {
    throw signal?.aborted ? signal.reason : error
  } finally {
    signal?.removeEventListener('abort', onAbort)
  }
  return toRawSocket(ws, inbox)
}

function handshake(ws: WebSocket): Promise<void> {
  return new Promise((resolve, reject) => {
    ws.once('open', resolve)
    // Never removed: an error after the handshake is followed by 'close', which the test sees.
    ws.on('error', reject)
    ws.once('unexpected-response', (_request, response) => {
      readWhole(toStreamed(response)).then((answer) => reject(new UpgradeRefused(answer)), reject)
    })
  })
}

function toRawSocket(ws: WebSocket, inbox: FrameInbox): RawSocket {
  return {
    protocol: ws.protocol,
    frames: inbox.frames,
    closed: inbox.closed,
    next: (timeoutMs) => inbox.next(timeoutMs),
    send: (data, binary = typeof data !== 'string') => ws.send(data, { binary }),
    close: (code, reason) => ws.close(code, reason),
    terminate: () => ws.terminate(),
    pause: () => ws.pause(),
    resume: () => ws.resume(),
  }
}

function send(target: Target, options: RawRequest): Promise<RawStreamedResponse> {
  const { method, path, headers, body, address, signal } = options
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted()
    const request = httpRequest({
      ...target,
      method,
      path,
      headers: toNodeHeaders(headers),
      ...(address === undefined ? {} : { localAddress: address }),
      ...(signal === undefined ? {} : { signal }),
      // One connection per request, as in memory: an idle one would delay the end of the server.
      agent: false,
    })
    // After the response this rejection has no effect: a server that answers early may cut the rest of the body.
    request.on('error', (error) => reject(signal?.aborted ? signal.reason : error))
    request.on('response', (response) => resolve(toStreamed(response)))
    sendBody(request, body)
  })
}

function sendBody(request: ClientRequest, body: RawRequest['body']): void {
  if (body === undefined || typeof body === 'string' || body instanceof Uint8Array) {
    request.end(body)
    return
  }
  const source = Readable.from(body, { objectMode: false })
  source.on('error', (error) => request.destroy(error))
  request.on('close', () => source.destroy())
  source.pipe(request)
}

function toStreamed(response: IncomingMessage): RawStreamedResponse {
  const { statusCode = 0, rawHeaders } = response
  const pairs = rawHeaders.flatMap((name, at) => (at % 2 === 0 ? [[name, rawHeaders[at + 1] ?? ''] as const] : []))
  return {
    status: statusCode,
    headers: toHeaderRecord(pairs),
    setCookies: toSetCookies(pairs),
    body: toPlainBytes(response),
  }
}

/** Ends the connection when its loop is left early, as the reader it wraps does. */
async function* toPlainBytes(response: IncomingMessage): AsyncGenerator<Uint8Array> {
  for await (const chunk of response) yield new Uint8Array(chunk)
}

async function readWhole(response: RawStreamedResponse): Promise<RawResponse> {
  const chunks: Uint8Array[] = []
  for await (const chunk of response.body) chunks.push(chunk)
  return { ...response, body: concatBytes(chunks) }
}

function toNodeHeaders(headers: RawHeaders = {}): Record<string, string | string[]> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, typeof value === 'string' ? value : [...value]]),
  )
}
