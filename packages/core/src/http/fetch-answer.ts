import type { ActiveCall } from '../call/active-call.ts'
import type { AnswerDetails, HeaderList, HttpExchange, ResponseStream } from '../transport/transport.ts'
import { respondCoded } from './compression/encoded-answer.ts'
import { streamCoded } from './compression/encoded-stream.ts'

/** Captured when the module loads, so that fake timers of a test do not stop it. */
const { setImmediate, clearImmediate } = globalThis

/**
 * The answer of a fetch handler, whose `Response` does not say whether its body is a stream. A body of one chunk that ends in this turn of the
 * event loop, as text and JSON do, is sent in one write with its length; any other in chunks, of which the first does not wait for the second.
 */
export class FetchAnswer implements ResponseStream {
  readonly #exchange: HttpExchange
  readonly #call: ActiveCall
  readonly #status: number
  readonly #headers: HeaderList
  readonly #details: AnswerDetails
  /** Null while it may still be sent whole. */
  #stream: ResponseStream | null = null
  #first: string | Uint8Array | null = null
  #timer: NodeJS.Immediate
  #ended = false

  constructor(exchange: HttpExchange, call: ActiveCall, status: number, headers: HeaderList, details: AnswerDetails) {
    this.#exchange = exchange
    this.#call = call
    this.#status = status
    this.#headers = headers
    this.#details = details
    this.#timer = setImmediate(() => this.#begin())
  }

  get open(): boolean {
    return this.#stream === null ? !this.#ended && !this.#exchange.aborted : this.#stream.open
  }

  get bufferedBytes(): number {
    return this.#stream?.bufferedBytes ?? 0
  }

  write(chunk: string | Uint8Array): Promise<boolean> {
    if (this.#ended) return Promise.resolve(false)
    if (this.#stream === null && this.#first === null) {
      this.#first = chunk
      return Promise.resolve(!this.#exchange.aborted)
    }
    return this.#begin().write(chunk)
  }

  end(): void {
    if (this.#ended) return
    this.#ended = true
    clearImmediate(this.#timer)
    if (this.#stream !== null) this.#stream.end()
    else if (this.#first === null) this.#exchange.respond(this.#status, this.#headers, null, this.#details)
    else
      respondCoded(this.#exchange, this.#call, {
        status: this.#status,
        headers: this.#headers,
        body: this.#first,
        details: this.#details,
      })
  }

  abort(): void {
    if (this.#ended) return
    this.#begin().abort()
    this.#ended = true
  }

  #begin(): ResponseStream {
    if (this.#stream !== null) return this.#stream
    clearImmediate(this.#timer)
    const stream = streamCoded(this.#exchange, this.#call, this.#status, this.#headers, this.#details)
    this.#stream = stream
    const first = this.#first
    this.#first = null
    if (first !== null) void stream.write(first)
    return stream
  }
}
