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
 * Written piece by piece: a chunk that uWS cannot pass on is buffered whole, and the size of that buffer cannot be
 * asked. A piece with its framing fits into the cork buffer of 16 KB (rule 5) and into what the system frees before it
 * calls again.
 */
const pieceBytes = 16 * 1024 - 64

const yes = Promise.resolve(true)
const no = Promise.resolve(false)

/** What a handler gets when there is nobody to stream to, or nothing to stream. */
export const deadStream: ResponseStream = { open: false, write: () => no, end() {}, abort() {} }

export class UwsStream implements ResponseStream {
  /** Null once the stream is over or the client gone (rule 1). */
  #res: UwsResponse | null
  readonly #body: UwsBody | null
  readonly #settle: () => void
  readonly #unsent: Unsent
  readonly #queue: Pending[] = []
  #blocked = false
  /** The client has once not kept pace. */
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

  /** The client is gone, or no longer wanted. */
  cut(): void {
    if (this.#res === null) return
    this.#over()
    for (const { resolve } of this.#queue.splice(0)) resolve(false)
  }

  #flush(): void {
    // With nothing to write a cork still passes on what uWS has buffered, which it does not do by itself for a response
    // that has an `onWritable`.
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
    // Not while blocked: whoever waits for room waits until `onWritable`.
    if (this.#blocked || first.at < first.bytes.byteLength) return
    this.#queue.shift()
    first.resolve(true)
  }

  /**
   * `write` says that uWS holds something back only when more is written. So the last byte of a chunk goes by itself to a client
   * that does not keep pace: then it is known whether the chunk has left, and a drain does not cut it.
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
    // the end: the rest of the request is awaited instead (rule 34), under the timeout that uWS has for slow bodies
    // (rule 32).
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
