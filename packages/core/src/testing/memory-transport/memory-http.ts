import { findBadHeader, isBodyless } from '../../transport/answer-rules.ts'
import { closedBody } from '../../transport/closed-body.ts'
import type { PreparedHead } from '../../transport/prepared-head.ts'
import type {
  AnswerDetails,
  BodyFailure,
  BodyReader,
  HeaderList,
  HttpExchange,
  ResponseStream,
} from '../../transport/transport.ts'
import type { Unsent } from '../../transport/unsent.ts'
import { declaredLength, MemoryBody } from './memory-body.ts'
import { resetError, toHeaderRecord, toOwnBytes, toSetCookies, withoutFraming } from './memory-network.ts'
import { MemoryRequest, type RequestParts } from './memory-request.ts'
import { MemoryResponse } from './memory-response.ts'

/** For a handler whose client has disconnected, and for answers without a body. */
const deadStream: ResponseStream = {
  open: false,
  bufferedBytes: 0,
  write: () => Promise.resolve(false),
  end() {},
  abort() {},
}

/** One request and its answer, as the server drives them. */
export class MemoryExchange extends MemoryRequest implements HttpExchange {
  /** The request's body, for the client's end to fill. */
  readonly body: MemoryBody
  /** The answer, for the client's end to read. */
  readonly response: MemoryResponse
  readonly #fault: (error: unknown) => void
  #answered = false
  #stream: ResponseStream | null = null

  constructor(parts: RequestParts, fault: (error: unknown) => void, unsent: Unsent) {
    super(parts, fault)
    this.#fault = fault
    this.response = new MemoryResponse(unsent)
    this.body = new MemoryBody(declaredLength(this.header('content-length'), this.header('transfer-encoding')))
    this.onAborted(() => {
      this.body.stop()
      this.response.release()
    })
  }

  /** Runs a handler's code: what it throws is a fault, and ends the exchange. */
  guard(run: () => void): void {
    try {
      run()
    } catch (error) {
      this.#fail(error)
    }
  }

  readBody(maxBytes: number, done: (body: Uint8Array | BodyFailure) => void): void {
    if (this.#answered) done('aborted')
    else this.body.read(maxBytes, (body) => this.guard(() => done(body)))
  }

  openBody(maxBytes: number): BodyReader {
    if (this.#answered || this.aborted) return closedBody('aborted')
    return this.body.open(maxBytes, (run) => this.guard(run))
  }

  respond(status: number, headers: HeaderList, body: string | Uint8Array | null, details?: AnswerDetails): void {
    if (!this.#answer(headers, details)) return
    const bytes = toOwnBytes(body ?? '')
    const known = this.method === 'HEAD' && details !== undefined ? details.length : bytes.byteLength
    const length = isBodyless(status) ? [] : toLength(known)
    this.#start(status, headers, length)
    if (this.method !== 'HEAD' && !isBodyless(status) && bytes.byteLength > 0) void this.response.write(bytes)
    this.#complete()
  }

  respondPrepared(
    status: number,
    head: PreparedHead,
    value: string,
    headers: HeaderList,
    body: string | Uint8Array | null,
  ): void {
    if (head.compose(value) !== null) this.respond(status, [...head.toList(value), ...headers], body)
    else if (!this.#answered && !this.aborted)
      this.#fail(new TypeError(`${JSON.stringify(value)} is not a value of a prepared header`))
  }

  stream(status: number, headers: HeaderList, details?: AnswerDetails): ResponseStream {
    if (!this.#answer(headers, details)) return deadStream
    if (this.method === 'HEAD' || isBodyless(status)) {
      this.#start(status, headers, isBodyless(status) ? [] : toLength(details?.length ?? null))
      this.#complete()
      return deadStream
    }
    const size = this.body.complete ? (details?.size ?? null) : null
    this.#start(status, headers, size === null ? [['transfer-encoding', 'chunked']] : toLength(size))
    this.#stream = this.#openStream(size)
    return this.#stream
  }

  /** Cuts the connection from the server's side. */
  cut(): void {
    this.response.cut(resetError())
    this.leave()
  }

  #fail(error: unknown): void {
    this.#fault(error)
    if (this.#stream !== null) this.#stream.abort()
    else this.respond(500, [], null)
  }

  /** Whether this is the answer. What would break it is a fault of the handler. */
  #answer(headers: HeaderList, details?: AnswerDetails): boolean {
    if (this.#answered || this.aborted) return false
    const bad = findBadHeader(headers, details)
    if (bad !== null) {
      this.#fail(bad)
      return false
    }
    this.#answered = true
    return true
  }

  #start(status: number, headers: HeaderList, framing: HeaderList): void {
    // Bytes of this request would be taken for the next one.
    const closing: HeaderList = this.body.complete && this.malformed === null ? [] : [['connection', 'close']]
    const list = [...withoutFraming(headers), ...framing, ...closing]
    this.response.start({ status, headers: toHeaderRecord(list), setCookies: toSetCookies(headers) })
  }

  #complete(): void {
    this.#stream = null
    this.response.end()
    this.settle()
    this.body.stop()
  }

  #openStream(size: number | null): ResponseStream {
    let open = true
    let isCut = false
    let left = size ?? Number.POSITIVE_INFINITY
    const isOpen = (): boolean => open && !this.aborted
    const { response } = this
    return {
      get bufferedBytes() {
        return response.queuedBytes
      },
      get open() {
        return isOpen()
      },
      write: (chunk) => {
        if (!open || this.aborted) return Promise.resolve(false)
        const bytes = toOwnBytes(chunk)
        if (bytes.byteLength > left) {
          this.#fail(new RangeError(`An answer of ${size} bytes got more of them`))
          return Promise.resolve(false)
        }
        left -= bytes.byteLength
        // An empty chunk would be the end of a chunked body.
        return bytes.byteLength === 0 ? Promise.resolve(true) : this.response.write(bytes)
      },
      end: () => {
        if (!open || this.aborted) return
        if (size !== null && left > 0) return this.#stream?.abort()
        open = false
        this.#complete()
      },
      // Also what has ended and is still on its way.
      abort: () => {
        if (isCut || this.aborted) return
        open = false
        isCut = true
        this.#stream = null
        // The handler knows it: `onAborted` is not called.
        this.settle()
        this.body.stop()
        this.response.cut(resetError())
      },
    }
  }
}

function toLength(length: number | null): HeaderList {
  return length === null ? [] : [['content-length', String(length)]]
}
