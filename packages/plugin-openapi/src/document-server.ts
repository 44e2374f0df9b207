import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Clock } from '@twinwire/core'
import { type EndpointPort, openEndpointPort } from '@twinwire/core/plugin'
import type { ServedDocuments } from './served-documents.ts'

export interface DocumentServerOptions {
  readonly host: string
  readonly port: number
  readonly documents: ServedDocuments
  readonly clock: Clock
}

/** A server that serves only the documents. Rejects as `openEndpointPort` does. */
export function startDocumentServer({ host, port, documents, clock }: DocumentServerOptions): Promise<EndpointPort> {
  return openEndpointPort({
    owner: 'openapi()',
    host,
    port,
    clock,
    answer: (request, response) => answer(documents, request, response),
  })
}

function answer(documents: ServedDocuments, { url = '', method }: IncomingMessage, response: ServerResponse): void {
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
}
