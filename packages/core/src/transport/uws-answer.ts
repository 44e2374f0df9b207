import { STATUS_CODES } from 'node:http'
import type { HeaderList } from './transport.ts'
import type { UwsResponse } from './uws-types.ts'

/** Written by uWS itself; a second one would be two answers to two readers (rule 7). */
const framing: ReadonlySet<string> = new Set(['content-length', 'transfer-encoding', 'connection', 'date'])

/** Whether a handler may not write it: the transport does. What it may say of the connection is that a protocol is on offer (426). */
export function isFraming(lowerCaseName: string, value: string): boolean {
  return framing.has(lowerCaseName) && !(lowerCaseName === 'connection' && value === 'Upgrade')
}

const headerName = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the ones that must not get into a header
const forbiddenInValue = /[\0-\x08\x0a-\x1f\x7f]/

/**
 * What is wrong with them, or null. A line break in a value would let a client of ours write the rest of the answer.
 */
export function findBadHeader(headers: HeaderList): TypeError | null {
  for (let i = 0; i < headers.length; i++) {
    // In bounds.
    const [name, value] = headers[i] as readonly [string, string]
    if (!headerName.test(name)) return new TypeError(`${JSON.stringify(name)} is not a header name`)
    if (forbiddenInValue.test(value)) return new TypeError(`the header ${name} has a control character in its value`)
  }
  return null
}

/** These have neither a body nor a length. */
export function isBodyless(status: number): boolean {
  return status === 204 || status === 304
}

/** The one place that writes a whole answer, in the only order that uWS takes (rule 6). The caller has corked. */
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
  // `endWithoutBody` cannot close without naming a length, so a length of 0 goes out where none should.
  else if (close) res.end('', true)
  else res.endWithoutBody()
}

export function writeHead(res: UwsResponse, status: number, headers: HeaderList): void {
  // 200 OK is what uWS writes by itself.
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
