import { STATUS_CODES } from 'node:http'
import { isBodyless, isFraming } from './answer-rules.ts'
import type { HeaderList } from './transport.ts'
import type { UwsResponse } from './uws-types.ts'

/** Writes a whole answer, status first: uWS takes no other order. The caller has corked. */
export function writeAnswer(
  res: UwsResponse,
  isHead: boolean,
  status: number,
  headers: HeaderList,
  body: string | Uint8Array | null,
  close: boolean,
  sayClose: boolean,
): void {
  writeHead(res, status, headers)
  if (sayClose) res.writeHeader('connection', 'close')
  if (isHead && !isBodyless(status)) res.endWithoutBody(byteLength(body), close)
  else if (!isBodyless(status)) res.end(body ?? '', close)
  // `endWithoutBody` cannot close without a length, so a length of 0 is sent where none should be.
  else if (close) res.end('', true)
  else res.endWithoutBody()
}

export function writeHead(res: UwsResponse, status: number, headers: HeaderList): void {
  // uWS writes 200 OK itself.
  if (status !== 200) res.writeStatus(statusLine(status))
  for (let i = 0; i < headers.length; i++) {
    // In bounds.
    const header = headers[i] as readonly [string, string]
    if (!isFraming(header[0], header[1])) res.writeHeader(header[0], header[1])
  }
}

function statusLine(status: number): string {
  return `${status} ${STATUS_CODES[status] ?? 'Unknown'}`
}

function byteLength(body: string | Uint8Array | null): number {
  if (body === null) return 0
  return typeof body === 'string' ? Buffer.byteLength(body) : body.byteLength
}
