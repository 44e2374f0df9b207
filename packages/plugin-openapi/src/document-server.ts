import { createServer, type Server } from 'node:http'
import { BootError, type Clock } from '@twinwire/core'
import type { ServedDocuments } from './served-documents.ts'

export interface DocumentServerOptions {
  readonly host: string
  readonly port: number
  readonly documents: ServedDocuments
  readonly clock: Clock
}

/** A server that serves only the documents. */
export interface DocumentServer {
  readonly port: number
  /** Stops listening; running requests get two seconds. */
  close(): Promise<void>
}

const closeGraceMs = 2000
const requestTimeoutMs = 10_000
const maxConnections = 100

/** Rejects with a BootError: `unavailable_port`, or `bad_option` for an address that is not of this machine. */
export async function startDocumentServer(options: DocumentServerOptions): Promise<DocumentServer> {
  const { host, port, documents, clock } = options
  const server = createServer({ requestTimeout: requestTimeoutMs }, ({ url = '', method }, response) => {
    const document = documents.get(url.split('?', 1)[0] ?? '')
    const isRead = method === 'GET' || method === 'HEAD'
    const isFound = document !== undefined
    const body =
      isFound && isRead ? document : isFound ? 'Method not allowed' : `Not found: ${[...documents.keys()].join(', ')}`
    response.writeHead(isFound ? (isRead ? 200 : 405) : 404, {
      'content-type': isFound && isRead ? 'application/json' : 'text/plain; charset=utf-8',
      'content-length': Buffer.byteLength(body),
      'cache-control': 'no-cache',
      'x-content-type-options': 'nosniff',
      ...(isFound && !isRead && { allow: 'GET, HEAD' }),
    })
    response.end(method === 'HEAD' ? undefined : body)
  })
  server.maxConnections = maxConnections
  await listen(server, host, port)
  const address = server.address()
  const bound = typeof address === 'object' && address !== null ? address.port : port
  return { port: bound, close: () => close(server, clock) }
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => {
      const isTaken = 'code' in error && error.code === 'EADDRINUSE'
      const message = isTaken
        ? `openapi(): the port ${host}:${port} is taken: choose another access.port`
        : `openapi(): cannot listen on ${host}:${port}: choose another access.host or access.port (${error.message})`
      reject(new BootError(isTaken ? 'unavailable_port' : 'bad_option', message, { cause: error }))
    })
    server.listen(port, host, () => resolve())
  })
}

function close(server: Server, clock: Clock): Promise<void> {
  return new Promise((resolve) => {
    const timer = clock.timer(closeGraceMs, () => server.closeAllConnections())
    server.close(() => {
      timer.cancel()
      resolve()
    })
    server.closeIdleConnections()
  })
}
