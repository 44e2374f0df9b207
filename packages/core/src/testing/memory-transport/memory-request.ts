import { findMalformed, toHeaderRecord } from '../../transport/request-headers.ts'
import type { RequestHead } from '../../transport/transport.ts'
import type { RawHeaders } from '../raw-types.ts'

/** What a client sent ahead of a body. */
export interface RequestParts {
  readonly method: string
  readonly path: string
  readonly headers: RawHeaders
  readonly address: string | undefined
  readonly secure: boolean
}

/** What plain requests and upgrades share: the request line, the headers, and whether the client is connected. */
export class MemoryRequest implements RequestHead {
  readonly method: string
  readonly path: string
  readonly query: string
  readonly address: string
  readonly secure: boolean
  readonly malformed: string | null
  readonly #headers: Readonly<Record<string, string>>
  readonly #fault: (error: unknown) => void
  /** Null once the answer is complete or the client has disconnected: none is called any more. */
  #callbacks: (() => void)[] | null = []
  #aborted = false

  constructor(parts: RequestParts, fault: (error: unknown) => void) {
    const mark = parts.path.indexOf('?')
    // As clients do it, Node's own among them.
    this.method = parts.method.toUpperCase()
    this.path = mark === -1 ? parts.path : parts.path.slice(0, mark)
    this.query = mark === -1 ? '' : parts.path.slice(mark + 1)
    this.address = toPlainAddress(parts.address ?? '127.0.0.1')
    this.secure = parts.secure
    const pairs = toPairs(parts.headers)
    this.#headers = toHeaderRecord(pairs)
    this.malformed = findMalformed(pairs)
    this.#fault = fault
  }

  get aborted(): boolean {
    return this.#aborted
  }

  header(name: string): string {
    return this.#headers[name] ?? ''
  }

  headers(): Readonly<Record<string, string>> {
    return this.#headers
  }

  onAborted(callback: () => void): void {
    if (this.#aborted) this.#tell(callback)
    else this.#callbacks?.push(callback)
  }

  /** The client has disconnected. Calls no `onAborted` when the answer was complete. */
  leave(): void {
    const callbacks = this.#callbacks
    if (callbacks === null) return
    this.#callbacks = null
    this.#aborted = true
    for (const callback of callbacks) this.#tell(callback)
  }

  /** The answer is complete. */
  settle(): void {
    this.#callbacks = null
  }

  /** After a callback that throws the next one must still run. */
  #tell(callback: () => void): void {
    try {
      callback()
    } catch (error) {
      this.#fault(error)
    }
  }
}

/** A name given again in other letters replaces the first: that is how a test overrides what the client adds. */
function toPairs(headers: RawHeaders): string[] {
  const byName = new Map<string, readonly string[]>()
  for (const [name, value] of Object.entries(headers)) {
    byName.set(name.toLowerCase(), typeof value === 'string' ? [value] : value)
  }
  return [...byName].flatMap(([name, values]) => values.flatMap((value) => [name, toReadText(name, value.trim())]))
}

const beyondAscii = /[^\0-\x7f]/
const beyondByte = /[^\0-\xff]/

/**
 * As on the wire: the client sends a byte for each character, and the server reads UTF-8. Bytes that are not ASCII are dropped at both ends, as
 * uWebSockets.js does (uws-rules.md#header-fields).
 */
function toReadText(name: string, value: string): string {
  if (!beyondAscii.test(value)) return value
  if (beyondByte.test(value))
    throw new TypeError(`Invalid character in the header ${name}: each must be a byte, up to U+00FF`)
  return Buffer.from(value.replace(/^[^!-~]+|[^!-~]+$/g, ''), 'latin1').toString('utf8')
}

function toPlainAddress(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)
  return mapped?.[1] ?? address
}
