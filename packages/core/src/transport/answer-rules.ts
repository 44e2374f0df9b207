import type { AnswerDetails, HeaderList } from './transport.ts'

/** The transport writes these itself. A second one could be read as the end of another answer. */
const framing: ReadonlySet<string> = new Set(['content-length', 'transfer-encoding', 'connection', 'date'])

/** Is the header written by the transport, so that one of a handler is dropped? `connection: Upgrade` (for 426) is a handler's own. */
export function isFraming(lowerCaseName: string, value: string): boolean {
  return framing.has(lowerCaseName) && !(lowerCaseName === 'connection' && value === 'Upgrade')
}

const headerName = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/
// biome-ignore lint/suspicious/noControlCharactersInRegex: no header may have one of these
const forbiddenInValue = /[\0-\x08\x0a-\x1f\x7f]|[^\0-\xff]/
/** Up to here a loop costs less than the expression. */
const shortLength = 64

/** Names that were found valid: those of an app are few, and are asked again for each answer. */
const validNames = new Set<string>()
const maxValidNames = 1000

/**
 * What is wrong with the headers of an answer, or null. A line break in a value would let a client write the rest of the answer, and a
 * character above U+00FF is not a byte.
 */
export function findBadHeader(headers: HeaderList, details?: AnswerDetails): TypeError | null {
  for (let i = 0; i < headers.length; i++) {
    // In bounds.
    const [name, value] = headers[i] as readonly [string, string]
    if (!isValidName(name)) return new TypeError(`${JSON.stringify(name)} is not a header name`)
    if (!isValidValue(value))
      return new TypeError(`the header ${name} has a character in its value that a header cannot carry`)
  }
  if (details !== undefined && !isValidValue(details.statusText))
    return new TypeError('the status text has a character that it cannot carry')
  return null
}

function isValidName(name: string): boolean {
  if (validNames.has(name)) return true
  if (!headerName.test(name)) return false
  if (validNames.size < maxValidNames) validNames.add(name)
  return true
}

function isValidValue(value: string): boolean {
  if (typeof value !== 'string' || value.length > shortLength) return !forbiddenInValue.test(value)
  for (let i = 0; i < value.length; i++) {
    const code = value.charCodeAt(i)
    if ((code < 0x20 && code !== 0x09) || code === 0x7f || code > 0xff) return false
  }
  return true
}

/** A header value or a status text as it is sent: each character is a byte (RFC 9110, 5.5). */
export function toFieldBytes(text: string): string | Uint8Array {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: it matches what is not ASCII
  return /[^\u0000-\u007f]/.test(text) ? Buffer.from(text, 'latin1') : text
}

/** An answer with this status has neither a body nor a length. */
export function isBodyless(status: number): boolean {
  return status === 204 || status === 304
}
