import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { BootError } from '../base/boot-error.ts'
import type { MetricsPage } from '../base/cluster-worker.ts'
import type { Logger } from '../base/logger.ts'
import { takenPort } from '../transport/probe-port.ts'
import type { ClusterHealth } from './reports.ts'

interface StatusServerOptions {
  readonly host: string
  readonly port: number
  readonly health: () => Promise<ClusterHealth>
  readonly metrics: (accept: string) => Promise<MetricsPage>
  readonly log: Logger
}

/** A port of the parent for probes and scrapes. */
export interface StatusServer {
  serveMetrics(path: string): void
  close(): Promise<void>
}

/** A scraper keeps its connection between scrapes. */
const keepAliveTimeoutMs = 75_000
const requestTimeoutMs = 10_000
const maxConnections = 100
const headers = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' }

/** Rejects with a BootError: `unavailable_port`, or `bad_option` for an address that is not of this machine. */
export async function startStatusServer(options: StatusServerOptions): Promise<StatusServer> {
  const { host, port, log } = options
  const metricsPaths = new Set<string>()
  const server = createServer(
    { keepAliveTimeout: keepAliveTimeoutMs, requestTimeout: requestTimeoutMs },
    (request, response) => {
      answer(options, metricsPaths, request, response).catch((error: unknown) => {
        log.error({ err: error }, 'The parent failed to answer a request')
        send(response, request, 500, { status: 'error' })
      })
    },
  )
  server.maxConnections = maxConnections
  const url = await listen(server, host, port)
  log.info({ url }, 'The parent serves the health of the cluster')
  return {
    serveMetrics(path) {
      if (metricsPaths.has(path)) return
      metricsPaths.add(path)
      log.info({ url: `${url}${path}` }, 'The parent serves the metrics of the cluster')
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        // By now no worker is left to report.
        server.closeAllConnections()
      }),
  }
}

function listen(server: Server, host: string, port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => {
      const isTaken = 'code' in error && error.code === 'EADDRINUSE'
      const message = `cluster(): cannot listen on port ${port} of ${host}: ${error.message}`
      reject(isTaken ? takenPort(host, port) : new BootError('bad_option', message, { cause: error }))
    })
    server.listen({ host, port, exclusive: true }, () => {
      const address = server.address()
      const bound = typeof address === 'object' && address !== null ? address.port : port
      resolve(`http://${host.includes(':') ? `[${host}]` : host}:${bound}`)
    })
  })
}

async function answer(
  { health, metrics }: StatusServerOptions,
  metricsPaths: ReadonlySet<string>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const [path = ''] = (request.url ?? '').split('?', 1)
  const isHealth = path === '/health' || path === '/health/live' || path === '/health/ready'
  if (!isHealth && !metricsPaths.has(path)) return send(response, request, 404, { status: 'not found' })
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.setHeader('allow', 'GET, HEAD')
    return send(response, request, 405, { status: 'method not allowed' })
  }
  if (path === '/health/live') return send(response, request, 200, { status: 'healthy' })
  if (isHealth) {
    const report = await health()
    const { status } = report
    return send(response, request, status === 'healthy' ? 200 : 503, path === '/health' ? report : { status })
  }
  const { contentType, body } = await metrics(request.headers.accept ?? '')
  response.writeHead(200, { ...headers, 'content-type': contentType, 'content-length': body.byteLength })
  response.end(request.method === 'HEAD' ? undefined : body)
}

function send(response: ServerResponse, request: IncomingMessage, status: number, body: object): void {
  if (response.headersSent) {
    response.destroy()
    return
  }
  const text = JSON.stringify(body)
  const length = Buffer.byteLength(text)
  response.writeHead(status, { ...headers, 'content-type': 'application/json', 'content-length': length })
  response.end(request.method === 'HEAD' ? undefined : text)
}
