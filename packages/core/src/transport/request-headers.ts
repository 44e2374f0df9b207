// What transports share about the header fields of a request. They come as a flat list: names in lower case and values in turn.

/** Headers that have one value by definition: the first of several counts, as in Node. Others are joined. */
const singleValued: ReadonlySet<string> = new Set([
  'age',
  'authorization',
  'content-length',
  'content-type',
  'from',
  'host',
  'if-modified-since',
  'if-unmodified-since',
  'max-forwards',
  'origin',
  'proxy-authorization',
  'referer',
  'sec-websocket-key',
  'transfer-encoding',
  'user-agent',
  'x-request-id',
])

/** All headers from the flat list of names and values. Without a prototype: a client may send a header named `constructor`. */
export function toHeaderRecord(pairs: readonly string[]): Record<string, string> {
  // Object.create returns `any`; an object without a prototype is such a record.
  const record = Object.create(null) as Record<string, string>
  for (let i = 0; i < pairs.length; i += 2) {
    // In bounds.
    const name = pairs[i] as string
    const value = pairs[i + 1] as string
    const before = record[name]
    if (before === undefined) record[name] = value
    else if (!singleValued.has(name)) record[name] = `${before}${separator(name)}${value}`
  }
  return record
}

/** One header from the flat list of names and values; '' when it was not sent. */
export function findHeader(pairs: readonly string[], name: string): string {
  let found: string | undefined
  for (let i = 0; i < pairs.length; i += 2) {
    if (pairs[i] !== name) continue
    // In bounds.
    const value = pairs[i + 1] as string
    if (singleValued.has(name)) return value
    found = found === undefined ? value : `${found}${separator(name)}${value}`
  }
  return found ?? ''
}

const separator = (name: string): string => (name === 'cookie' ? '; ' : ', ')

/**
 * Fields that a request may have once. A proxy may use the first of two and the server the second, so a request with two is refused. Each
 * of them says where the request ends, where it goes, who sends it or how it is read:
 *
 * - `host` (RFC 9112, 3.2), `content-length` and `transfer-encoding` (RFC 9112, 6.1 to 6.3): route and framing.
 * - `authorization`, `proxy-authorization` (RFC 9110, 11.6.2 and 11.7.2): one set of credentials.
 * - `content-type` (RFC 9110, 8.3): how the body is read.
 * - `origin` (RFC 6454, 7.3): which page sends it.
 * - `sec-websocket-key`, `sec-websocket-version` (RFC 6455, 11.3): the handshake.
 * - `idempotency-key` (its draft defines one item): which call is repeated.
 *
 * Lists such as `accept`, `cookie`, `x-forwarded-for` and `sec-websocket-protocol` may come in several lines, and are joined.
 */
function isOnceOnly(name: string): boolean {
  // Most fields are none of them, which their length tells at less cost than a set.
  switch (name.length) {
    case 4:
      return name === 'host'
    case 6:
      return name === 'origin'
    case 12:
      return name === 'content-type'
    case 13:
      return name === 'authorization'
    case 14:
      return name === 'content-length'
    case 15:
      return name === 'idempotency-key'
    case 17:
      return name === 'transfer-encoding' || name === 'sec-websocket-key'
    case 19:
      return name === 'proxy-authorization'
    case 21:
      return name === 'sec-websocket-version'
    default:
      return false
  }
}

/** At most 15 digits, so that the number is exact. */
const lengthDigits = /^\d{1,15}$/
const bothFramings = 'Send either Content-Length or Transfer-Encoding, not both'

/**
 * Why a request must be refused by its header fields alone, as a message for the client; null when it is well-formed. The native parser
 * is laxer than RFC 9112. `pairs`: names in lower case and values in turn.
 */
export function findMalformed(pairs: readonly string[]): string | null {
  let host = ''
  let framed = false
  for (let i = 0; i < pairs.length; i += 2) {
    const name = pairs[i] ?? ''
    const value = pairs[i + 1] ?? ''
    if (isOnceOnly(name)) {
      if (isRepeated(pairs, i)) return `Header ${name} was sent more than once: send it once`
      if (name === 'host') host = value
      else if (name === 'content-length') {
        if (framed) return bothFramings
        if (!lengthDigits.test(value)) return 'Content-Length must be a number of bytes'
        framed = true
      } else if (name === 'transfer-encoding') {
        if (framed) return bothFramings
        if (value !== 'chunked') return 'Transfer-Encoding must be exactly chunked'
        framed = true
      }
    } else if (name === 'trailer') {
      // The native parser reads trailer fields as the next request, after this one has run.
      return 'Trailer fields are not supported: send their content in the body or in the header'
    }
  }
  return host === '' ? 'Host header is missing' : null
}

/** Is the name at `at` also that of a field before? */
function isRepeated(pairs: readonly string[], at: number): boolean {
  for (let i = 0; i < at; i += 2) if (pairs[i] === pairs[at]) return true
  return false
}
