import type { HeaderList } from './transport.ts'
import { writeHead } from './uws-answer.ts'
import type { UwsResponse } from './uws-types.ts'

/** Up to here head and body fit into the cork buffer of 16 KB, and `end` sends them by one system call (rule 5). */
const smallBytes = 12 * 1024

const nothing = new Uint8Array(0)

/** The length of a body in bytes when it is sent as a large one; 0 otherwise. */
export function largeLength(body: string | Uint8Array | null): number {
  if (body === null) return 0
  // No character takes more than 3 bytes per unit of a string.
  if (typeof body === 'string' && body.length * 3 <= smallBytes) return 0
  const length = typeof body === 'string' ? Buffer.byteLength(body) : body.byteLength
  return length > smallBytes ? length : 0
}

/**
 * An answer that the system may not take at once. `end` would copy what is left into a buffer of uWS, whose size cannot be asked,
 * so that a drain would not know that it is still there; `tryEnd` leaves it here (rule 35).
 */
export class UwsLargeAnswer {
  readonly #length: number
  /** Runs once nothing is left, or when the client is gone. */
  readonly #done: () => void
  /** Null once it is complete or the client gone (rule 1). */
  #res: UwsResponse | null
  #rest: Uint8Array = nothing
  /** Where `#rest` begins in the body. */
  #from = 0

  constructor(res: UwsResponse, length: number, done: () => void) {
    this.#res = res
    this.#length = length
    this.#done = done
  }

  /** Sends head and body as far as the system takes them. The caller has corked. True when that was all. */
  send(status: number, headers: HeaderList, body: string | Uint8Array): boolean {
    const res = this.#res
    if (res === null) return true
    writeHead(res, status, headers)
    const [, complete] = res.tryEnd(body, this.#length)
    if (complete) {
      this.#res = null
      return true
    }
    this.#from = res.getWriteOffset()
    // A copy: the bytes are the handler's own.
    if (typeof body !== 'string') this.#rest = Uint8Array.prototype.slice.call(body, this.#from)
    // Each character is one byte.
    else if (body.length === this.#length) this.#rest = Buffer.from(body.slice(this.#from), 'latin1')
    else this.#rest = Buffer.from(body).subarray(this.#from)
    res.onWritable((offset) => this.#more(offset))
    return false
  }

  /** The client is gone, or has all of it. */
  over(): void {
    if (this.#res === null) return
    this.#res = null
    this.#rest = nothing
    this.#done()
  }

  /** All of the rest each time: over TLS less than before would be an error. Whether all of it could be sent. */
  #more(offset: number): boolean {
    const res = this.#res
    if (res === null) return true
    let ok = true
    let complete = false
    res.cork(() => {
      ;[ok, complete] = res.tryEnd(this.#rest.subarray(offset - this.#from), this.#length)
    })
    if (complete) this.over()
    return ok
  }
}
