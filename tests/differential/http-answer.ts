/**
 * The end of the HTTP answer that begins at `from`; null while it is not whole. Interim answers (100) belong to the one behind them.
 *
 * @param bytes - One character for each byte.
 * @param method - Of the request: an answer to HEAD has no body.
 */
export function findAnswerEnd(bytes: string, from: number, method: string): number | null {
  const headEnd = bytes.indexOf('\r\n\r\n', from)
  if (headEnd === -1) return null
  const head = bytes.slice(from, headEnd + 2)
  const bodyAt = headEnd + 4
  const [, code = '200'] = /^HTTP\/1\.1 (\d{3})/.exec(head) ?? []
  const status = Number(code)
  if (status === 100) return findAnswerEnd(bytes, bodyAt, method)
  if (method === 'HEAD' || status < 200 || status === 204 || status === 304) return bodyAt
  if (/\r\ntransfer-encoding: chunked\r\n/i.test(head)) return findChunkedEnd(bytes, bodyAt)
  const [, length] = /\r\ncontent-length: (\d+)\r\n/i.exec(head) ?? []
  // Without either the body ends with the connection.
  if (length === undefined) return null
  const end = bodyAt + Number(length)
  return end <= bytes.length ? end : null
}

function findChunkedEnd(bytes: string, from: number): number | null {
  let at = from
  for (;;) {
    const lineEnd = bytes.indexOf('\r\n', at)
    if (lineEnd === -1) return null
    const size = Number.parseInt(bytes.slice(at, lineEnd), 16)
    const next = lineEnd + 2 + size + 2
    if (Number.isNaN(size) || next > bytes.length) return null
    if (size === 0) return next
    at = next
  }
}

/** Are there whole answers to all of these requests from `from` on? */
export function hasAnswers(bytes: string, from: number, methods: readonly string[]): boolean {
  let at: number | null = from
  for (const method of methods) {
    at = findAnswerEnd(bytes, at, method)
    if (at === null) return false
  }
  return true
}

/** The body without the sizes of its chunks, which depend on when the source of a stream yields. */
export function joinChunks(bytes: string): string {
  const headEnd = bytes.indexOf('\r\n\r\n')
  if (headEnd === -1 || !/\r\ntransfer-encoding: chunked\r\n/i.test(bytes.slice(0, headEnd + 2))) return bytes
  let body = ''
  let at = headEnd + 4
  for (;;) {
    const lineEnd = bytes.indexOf('\r\n', at)
    const size = lineEnd === -1 ? Number.NaN : Number.parseInt(bytes.slice(at, lineEnd), 16)
    if (Number.isNaN(size)) return `${bytes.slice(0, headEnd + 4)}${body}<cut>${bytes.slice(at)}`
    const next = lineEnd + 2 + size + 2
    body += bytes.slice(lineEnd + 2, next - 2)
    if (size === 0) return `${bytes.slice(0, headEnd + 4)}${body}<end>${joinChunks(bytes.slice(next))}`
    at = next
  }
}
