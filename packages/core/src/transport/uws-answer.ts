import { isBodyless, isFraming, toFieldBytes } from './answer-rules.ts'
import type { PreparedHead } from './prepared-head.ts'
import { toStatusText } from './status-text.ts'
import type { AnswerDetails, HeaderList } from './transport.ts'
import type { UwsResponse } from './uws-types.ts'

/** Status and headers of an answer. They were checked: what is written here is not. */
export interface AnswerHead {
  readonly status: number
  /** Goes first, with `value`. */
  readonly prepared: PreparedHead | null
  readonly value: string
  readonly headers: HeaderList
  readonly details?: AnswerDetails | undefined
}

/** Writes a whole answer, status first: uWS takes no other order. The caller has corked. */
export function writeAnswer(
  res: UwsResponse,
  isHead: boolean,
  head: AnswerHead,
  body: string | Uint8Array | null,
  close: boolean,
  sayClose: boolean,
): void {
  writeHead(res, head)
  if (sayClose) res.writeHeader('connection', 'close')
  const bodyless = isBodyless(head.status)
  if (isHead && !bodyless) endHead(res, headLength(head, body), close)
  else if (!bodyless) res.end(body ?? '', close)
  // `endWithoutBody` cannot close without a length, so a length of 0 is sent where none should be.
  else if (close) res.end('', true)
  else res.endWithoutBody()
}

/**
 * uWS writes the value of a header as it is. So one call writes all of them: what follows the first name, with line breaks, is passed as its
 * value. That is safe because no checked value has a line break of its own.
 */
export function writeHead(res: UwsResponse, { status, prepared, value, headers, details }: AnswerHead): void {
  const statusText = details?.statusText || ''
  // uWS writes 200 OK itself.
  if (statusText !== '') res.writeStatus(toFieldBytes(`${status} ${statusText}`))
  else if (status !== 200) res.writeStatus(statusLine(status))
  if (prepared !== null) {
    const bytes = prepared.compose(value)
    if (bytes === null) throw new TypeError('the value of a prepared head was not checked')
    res.writeHeader(prepared.firstName, bytes)
  }
  if (headers.length > 0) writeList(res, headers)
}

function writeList(res: UwsResponse, headers: HeaderList): void {
  let firstName = ''
  let lines = ''
  for (let i = 0; i < headers.length; i++) {
    // In bounds.
    const [name, value] = headers[i] as readonly [string, string]
    if (isFraming(name, value)) continue
    if (firstName !== '') lines += `\r\n${name}: ${value}`
    else {
      firstName = name
      lines = value
    }
  }
  if (firstName !== '') res.writeHeader(firstName, toFieldBytes(lines))
}

function statusLine(status: number): string {
  return `${status} ${toStatusText(status)}`
}

/** Ends the answer to a HEAD request. An argument that is undefined would be sent as a number; uWS cannot close without a length. */
export function endHead(res: UwsResponse, length: number | null, close: boolean): void {
  if (length === null && !close) res.endWithoutBody()
  else res.endWithoutBody(length ?? 0, close)
}

function headLength({ details }: AnswerHead, body: string | Uint8Array | null): number | null {
  return details === undefined ? byteLength(body) : details.length
}

function byteLength(body: string | Uint8Array | null): number {
  if (body === null) return 0
  return typeof body === 'string' ? Buffer.byteLength(body) : body.byteLength
}
