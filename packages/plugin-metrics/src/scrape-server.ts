import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { BootError, type Clock, type Logger } from '@twinwire/core'
import { toFormat } from './accept.ts'
import { contentTypes } from './exposition.ts'
import type { Scraper } from './scraper.ts'

export interface ScrapeServerOptions {
  readonly host: string
  readonly port: number
  readonly path: string
  readonly scraper: Scraper
  readonly clock: Clock
  readonly log: Logger
}

/** A server that serves only metrics. */
export interface ScrapeServer {
  readonly port: number
  /** Stops listening; running scrapes get two seconds. */
  close(): Promise<void>
}

const closeGraceMs = 2000
/** A scraper keeps its connection between scrapes. */
const keepAliveTimeoutMs = 75_000
const requestTimeoutMs = 10_000
const maxConnections = 100

/** Rejects with a BootError: `unavailable_port`, or `bad_option` for an address that is not of this machine. */
export async function startScrapeServer(options: ScrapeServerOptions): Promise<ScrapeServer> {
  const { host, port, clock, log } = options
  const server = createServer(
    { keepAliveTimeout: keepAliveTimeoutMs, requestTimeout: requestTimeoutMs },
    (request, response) => {
      answer(options, request, response).catch((error: unknown) => {
        log.error({ err: error }, 'A scrape failed')
        refuse(response, 500, 'Internal error')
      })
    },
  )
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
        ? `metrics(): the port ${host}:${port} is taken: choose another access.port`
        : `metrics(): cannot listen on ${host}:${port}: choose another access.host or access.port (${error.message})`
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

async function answer(
  { path, scraper }: ScrapeServerOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const [requested] = (request.url ?? '').split('?', 1)
  if (requested !== path) return refuse(response, 404, `Not found: metrics are at ${path}`)
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.setHeader('allow', 'GET, HEAD')
    return refuse(response, 405, 'Method not allowed')
  }
  const format = toFormat(request.headers.accept ?? '')
  const body = await scraper.scrape(format)
  response.writeHead(200, {
    'content-type': contentTypes[format],
    'content-length': body.byteLength,
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  })
  response.end(request.method === 'HEAD' ? undefined : body)
}

function refuse(response: ServerResponse, status: number, text: string): void {
  if (response.headersSent) {
    response.destroy()
    return
  }
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8', 'x-content-type-options': 'nosniff' })
  response.end(`${text}\n`)
}
