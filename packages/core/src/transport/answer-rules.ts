import type { HeaderList } from './transport.ts'

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
