import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Clock, Logger } from '@twinwire/core'
import { type EndpointPort, openEndpointPort } from '@twinwire/core/plugin'
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

/** A scraper keeps its connection between scrapes. */
const keepAliveTimeoutMs = 75_000

/** A server that serves only metrics. Rejects as `openEndpointPort` does. */
export function startScrapeServer(options: ScrapeServerOptions): Promise<EndpointPort> {
  const { host, port, clock, log } = options
  return openEndpointPort({
    owner: 'metrics()',
    host,
    port,
    clock,
    keepAliveTimeoutMs,
    answer: (request, response) => {
      answer(options, request, response).catch((error: unknown) => {
        log.error({ err: error }, 'A scrape failed')
        refuse(response, 500, 'Internal error')
      })
    },
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
