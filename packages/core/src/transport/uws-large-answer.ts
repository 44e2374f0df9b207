import { type AnswerHead, writeHead } from './uws-answer.ts'
import type { UwsResponse } from './uws-types.ts'

/** Up to here head and body fit into the cork buffer of 16 KB, and `end` sends them by one system call (uws-rules.md#cork). */
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
 * An answer that the system may not take at once. `end` would copy the rest into a buffer of uWS whose size cannot be read, so a drain
 * could not wait for it; `tryEnd` leaves it here.
 */
export class UwsLargeAnswer {
  readonly #length: number
  /** Runs when all of it was sent, or when the client has disconnected. */
  readonly #done: () => void
  /** Null once it is complete or the client has disconnected: calls would throw. */
  #res: UwsResponse | null
  #rest: Uint8Array = nothing
  /** Where `#rest` begins in the body. */
  #from = 0

  constructor(res: UwsResponse, length: number, done: () => void) {
    this.#res = res
    this.#length = length
    this.#done = done
  }

  /** Sends head and as much of the body as the system takes. The caller has corked. True when that was all of it. */
  send(head: AnswerHead, body: string | Uint8Array): boolean {
    const res = this.#res
    if (res === null) return true
    writeHead(res, head)
    const [, complete] = res.tryEnd(body, this.#length)
    if (complete) {
      this.#res = null
      return true
    }
    this.#from = res.getWriteOffset()
    // A copy: the handler may reuse its bytes.
    if (typeof body !== 'string') this.#rest = copyFrom(body, this.#from)
    // Each character is one byte.
    else if (body.length === this.#length) this.#rest = Buffer.from(body.slice(this.#from), 'latin1')
    else this.#rest = Buffer.from(body).subarray(this.#from)
    res.onWritable((offset) => this.#more(offset))
    return false
  }

  /** The client has disconnected, or has all of it. */
  over(): void {
    if (this.#res === null) return
    this.#res = null
    this.#rest = nothing
    this.#done()
  }

  /** Offers all of the rest each time: over TLS, less than before would be an error. Returns whether the system took it. */
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

/** Memory that is not zeroed first, as `slice` does: a download of 1 MiB takes a sixth less CPU (`npm run bench -- --workload http-download`). */
function copyFrom(bytes: Uint8Array, from: number): Uint8Array {
  const copy = Buffer.allocUnsafeSlow(bytes.byteLength - from)
  copy.set(bytes.subarray(from))
  return copy
}
