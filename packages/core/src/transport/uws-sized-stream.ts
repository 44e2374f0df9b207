import type { ResponseStream } from './transport.ts'
import type { Unsent } from './unsent.ts'
import { type AnswerHead, writeHead } from './uws-answer.ts'
import type { UwsResponse } from './uws-types.ts'

interface Pending {
  readonly bytes: Uint8Array
  /** Where it begins in the body. */
  readonly from: number
  readonly resolve: (more: boolean) => void
}

/** The exchange of a stream. */
interface StreamOwner {
  readonly unsent: Unsent
  /** Called just before the native call that ends the response. */
  streamEnds(): void
  /** Reports a fault, and aborts the stream. */
  fail(error: unknown): void
}

const no = Promise.resolve(false)

/**
 * A streamed answer of known length, by `tryEnd`: it has a `content-length`, and uWS buffers nothing of it, so a write resolves once the system has all
 * of its bytes.
 */
export class UwsSizedStream implements ResponseStream {
  /** Null once the answer is complete or the client has disconnected: calls would throw. */
  #res: UwsResponse | null
  /** Null once it was written, with the first bytes. */
  #head: AnswerHead | null
  readonly #size: number
  readonly #owner: StreamOwner
  readonly #queue: Pending[] = []
  #written = 0
  #blocked = false
  #ending = false

  constructor(res: UwsResponse, head: AnswerHead, size: number, owner: StreamOwner) {
    this.#res = res
    this.#head = head
    this.#size = size
    this.#owner = owner
  }

  get open(): boolean {
    return this.#res !== null && !this.#ending
  }

  get bufferedBytes(): number {
    const [first] = this.#queue
    if (first === undefined || this.#res === null) return 0
    return this.#written - (this.#head === null ? this.#res.getWriteOffset() : 0)
  }

  write(chunk: string | Uint8Array): Promise<boolean> {
    if (this.#res === null || this.#ending) return no
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk
    if (this.#written + bytes.byteLength > this.#size) {
      this.#owner.fail(new RangeError(`An answer of ${this.#size} bytes got more of them`))
      return no
    }
    if (bytes.byteLength === 0) return Promise.resolve(true)
    return new Promise((resolve) => {
      this.#queue.push({ bytes, from: this.#written, resolve })
      this.#written += bytes.byteLength
      if (!this.#blocked) this.#flush()
    })
  }

  end(): void {
    if (this.#res === null || this.#ending) return
    if (this.#written < this.#size) return this.abort()
    // The last bytes wait for the client, and end the answer.
    this.#ending = true
    this.#owner.unsent.add()
  }

  abort(): void {
    const res = this.#res
    if (res === null) return
    this.#owner.streamEnds()
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
    while (this.#res !== null && !this.#blocked && this.#queue.length > 0) this.#res.cork(() => this.#writeFirst())
  }

  #writeFirst(): void {
    const res = this.#res
    const [first] = this.#queue
    if (res === null || first === undefined) return
    const isFirst = this.#head !== null
    if (this.#head !== null) writeHead(res, this.#head)
    this.#head = null
    const taken = isFirst ? 0 : res.getWriteOffset() - first.from
    const [ok, complete] = res.tryEnd(taken === 0 ? first.bytes : first.bytes.subarray(taken), this.#size)
    if (complete) {
      this.#owner.streamEnds()
      this.#over()
    } else if (!ok || res.getWriteOffset() < first.from + first.bytes.byteLength) {
      this.#blocked = true
      // All of the rest is offered again: over TLS, less than before would be an error.
      res.onWritable(() => {
        this.#blocked = false
        this.#flush()
        return !this.#blocked
      })
      // The system has taken all of it, and can take no more now.
      if (res.getWriteOffset() < first.from + first.bytes.byteLength) return
    }
    this.#queue.shift()
    first.resolve(true)
  }

  #over(): void {
    this.#res = null
    if (this.#ending) this.#owner.unsent.remove()
  }
}
