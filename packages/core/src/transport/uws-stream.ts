import type { ResponseStream } from './transport.ts'
import type { Unsent } from './unsent.ts'
import type { UwsBody } from './uws-body.ts'
import type { UwsResponse } from './uws-types.ts'

interface Pending {
  readonly bytes: Uint8Array
  at: number
  readonly resolve: (more: boolean) => void
}

/**
 * Chunks are written in pieces: uWS buffers what the system does not take, and the size of that buffer cannot be read. A piece with its
 * framing fits into the cork buffer of 16 KB and into what the system frees before it calls again.
 */
const pieceBytes = 16 * 1024 - 64

const yes = Promise.resolve(true)
const no = Promise.resolve(false)

/** For a handler whose client has disconnected, and for answers without a body. */
export const deadStream: ResponseStream = { open: false, write: () => no, end() {}, abort() {} }

export class UwsStream implements ResponseStream {
  /** Null once the stream has ended or the client has disconnected: calls would throw. */
  #res: UwsResponse | null
  readonly #body: UwsBody | null
  readonly #settle: () => void
  readonly #unsent: Unsent
  readonly #queue: Pending[] = []
  #blocked = false
  /** The client was too slow at least once. */
  #slow = false
  #ending = false

  /** `settle` runs just before the native call that ends the response. */
  constructor(res: UwsResponse, body: UwsBody | null, settle: () => void, unsent: Unsent) {
    this.#res = res
    this.#body = body
    this.#settle = settle
    this.#unsent = unsent
    res.onWritable(() => {
      this.#blocked = false
      this.#flush()
      return true
    })
  }

  get open(): boolean {
    return this.#res !== null && !this.#ending
  }

  write(chunk: string | Uint8Array): Promise<boolean> {
    if (this.#res === null || this.#ending) return no
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk
    // An empty chunk would be the end of a chunked body.
    if (bytes.byteLength === 0) return yes
    return new Promise((resolve) => {
      this.#queue.push({ bytes, at: 0, resolve })
      if (!this.#blocked) this.#flush()
    })
  }

  end(): void {
    if (this.#res === null || this.#ending) return
    this.#ending = true
    this.#unsent.add()
    if (this.#queue.length === 0) this.#finish()
  }

  abort(): void {
    const res = this.#res
    if (res === null) return
    this.#settle()
    this.cut()
    res.close()
  }

  /** The client has disconnected, or is cut. */
  cut(): void {
    if (this.#res === null) return
    this.#over()
    for (const { resolve } of this.#queue.splice(0)) resolve(false)
  }

  #flush(): void {
    // Also with nothing to write: a cork sends what uWS has buffered, which it does not do itself for a response that has an
    // `onWritable`.
    while (this.#res !== null && !this.#blocked) {
      this.#res.cork(() => this.#writePiece())
      if (this.#queue.length === 0) break
    }
    if (this.#ending && this.#queue.length === 0) this.#finish()
  }

  #writePiece(): void {
    const first = this.#queue[0]
    if (first === undefined || this.#res === null) return
    if (first.at < first.bytes.byteLength) {
      const end = this.#endOfPiece(first)
      this.#blocked = !this.#res.write(first.bytes.subarray(first.at, end))
      first.at = end
      if (this.#blocked) this.#slow = true
    }
    // While blocked, the writer waits until `onWritable`.
    if (this.#blocked || first.at < first.bytes.byteLength) return
    this.#queue.shift()
    first.resolve(true)
  }

  /**
   * `write` reports what uWS holds back only when more is written. So a slow client gets the last byte of a chunk in a write of its own:
   * then it is known whether the chunk has left, and a drain does not cut it.
   */
  #endOfPiece({ bytes, at }: Pending): number {
    const end = at + pieceBytes
    const { byteLength } = bytes
    return this.#slow && end >= byteLength && byteLength - at > 1 ? byteLength - 1 : end
  }

  #over(): void {
    this.#res = null
    if (this.#ending) this.#unsent.remove()
  }

  #finish(): void {
    if (this.#res === null) return
    // uWS would write `connection: close` into the middle of a chunked body, so the connection cannot be closed with
    // the end. Instead the rest of the request is awaited, under the time limit that uWS has for slow bodies.
    if (this.#body !== null && !this.#body.complete) {
      this.#body.discard(() => this.#finish())
      return
    }
    const res = this.#res
    this.#over()
    this.#settle()
    res.cork(() => res.end())
  }
}
