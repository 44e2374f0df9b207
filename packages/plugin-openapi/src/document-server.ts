import { createReadStream, fstatSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { extname } from 'node:path'
import type { Clock } from '@twinwire/core'
import { type EndpointPort, openEndpointPort } from '@twinwire/core/plugin'
import type { Pages } from './docs/pages.ts'
import type { ServedDocuments } from './served-documents.ts'

export interface DocumentServerOptions {
  readonly host: string
  readonly port: number
  readonly documents: ServedDocuments
  readonly pages: Pages | null
  readonly clock: Clock
}

/** A server that serves only the documents and the pages. Rejects as `openEndpointPort` does. */
export function startDocumentServer(options: DocumentServerOptions): Promise<EndpointPort> {
  const { host, port, clock } = options
  return openEndpointPort({
    owner: 'openapi()',
    host,
    port,
    clock,
    answer: (request, response) => answer(options, request, response),
  })
}

function answer({ documents, pages }: DocumentServerOptions, request: IncomingMessage, response: ServerResponse): void {
  const { url = '', method } = request
  const path = url.split('?', 1)[0] ?? ''
  const document = documents.get(path)
  const file = document === undefined ? pages?.asset(path) : undefined
  if (document === undefined && file === undefined)
    return answerText(response, 404, `Not found: ${[...documents.keys()].join(', ')}`, plain)
  if (method !== 'GET' && method !== 'HEAD')
    return answerText(response, 405, 'Method not allowed', { ...plain, allow: 'GET, HEAD' })
  if (document !== undefined) return answerText(response, 200, document.body, document.headers, method === 'HEAD')
  if (file !== undefined) answerFile(file, request, response, pages?.headers ?? {})
}

const plain = { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-cache' }

function answerText(
  response: ServerResponse,
  status: number,
  body: string,
  headers: Readonly<Record<string, string>>,
  isHead = false,
): void {
  response.writeHead(status, {
    'content-length': Buffer.byteLength(body),
    'x-content-type-options': 'nosniff',
    ...headers,
  })
  response.end(isHead ? undefined : body)
}

const types: Readonly<Record<string, string>> = {
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
}

function answerFile(
  file: string,
  { method, headers }: IncomingMessage,
  response: ServerResponse,
  ofPages: Readonly<Record<string, string>>,
): void {
  const source = createReadStream(file)
  // It cannot be read: the connection ends, since there may be a status already.
  source.on('error', () => response.destroy())
  response.on('close', () => source.destroy())
  source.on('open', (descriptor) => {
    const { size, mtimeMs } = fstatSync(descriptor)
    const etag = `"${size.toString(36)}-${Math.trunc(mtimeMs).toString(36)}"`
    const common = { ...ofPages, etag, 'cache-control': 'no-cache' }
    const isKnown = headers['if-none-match'] === etag
    const type = types[extname(file)] ?? plain['content-type']
    response.writeHead(
      isKnown ? 304 : 200,
      isKnown ? common : { ...common, 'content-type': type, 'content-length': size },
    )
    if (isKnown || method === 'HEAD') response.end()
    else source.pipe(response)
  })
}
