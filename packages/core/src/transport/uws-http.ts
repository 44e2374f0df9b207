import { findBadHeader, isBodyless } from './answer-rules.ts'
import { closedBody } from './closed-body.ts'
import type { PreparedHead } from './prepared-head.ts'
import type {
  AnswerDetails,
  BodyFailure,
  BodyReader,
  HeaderList,
  HttpExchange,
  ResponseStream,
  TransportHandlers,
} from './transport.ts'
import type { Unsent } from './unsent.ts'
import { type AnswerHead, endHead, writeAnswer, writeHead } from './uws-answer.ts'
import { declaredLength, UwsBody } from './uws-body.ts'
import { type Fault, reportFault, UwsHead } from './uws-head.ts'
import { largeLength, UwsLargeAnswer } from './uws-large-answer.ts'
import { UwsSizedStream } from './uws-sized-stream.ts'
import { deadStream, UwsStream } from './uws-stream.ts'
import type { UwsRequest, UwsResponse } from './uws-types.ts'

/**
 * Serves one request. `usuallyHasBody`: the body is attached to at once, and not only when the handler reads it.
 */
export function serveRequest(
  handlers: TransportHandlers,
  method: string,
  usuallyHasBody: boolean,
  res: UwsResponse,
  req: UwsRequest,
  secure: boolean,
  unsent: Unsent,
): void {
  const exchange = new UwsExchange(method, res, req, handlers.fault, secure, unsent)
  try {
    if (usuallyHasBody) exchange.attachBody()
    handlers.request(exchange)
  } catch (error) {
    exchange.fail(error)
  } finally {
    exchange.detach()
  }
}

class UwsExchange extends UwsHead implements HttpExchange {
  /** Undefined until `attachBody`. */
  #body: UwsBody | null | undefined
  #stream: UwsStream | UwsSizedStream | null = null
  #large: UwsLargeAnswer | null = null
  readonly unsent: Unsent
  /** Answered, and not all of the answer has been sent. */
  #isCounted = false
  #answered = false

  constructor(method: string, res: UwsResponse, req: UwsRequest, fault: Fault, secure: boolean, unsent: Unsent) {
    super(method, res, req, fault, secure)
    this.unsent = unsent
  }

  /** Attaches to the body, if there is one. Only in the callback: `onData` cannot be attached later. */
  attachBody(): UwsBody | null {
    if (this.#body === undefined) {
      const declared =
        this.req === null ? 0 : declaredLength(this.header('content-length'), this.header('transfer-encoding'))
      this.#body = declared === 0 || this.res === null ? null : new UwsBody(this.res, declared, this)
    }
    return this.#body
  }

  readBody(maxBytes: number, done: (body: Uint8Array | BodyFailure) => void, keeps = true): void {
    if (this.res === null || this.#answered) {
      done('aborted')
      return
    }
    const body = this.attachBody()
    if (body === null) done(new Uint8Array(0))
    else body.read(maxBytes, done, keeps)
  }

  openBody(maxBytes: number): BodyReader {
    if (this.res === null || this.#answered) return closedBody('aborted')
    return this.attachBody()?.open(maxBytes) ?? closedBody(null)
  }

  enter(): void {
    this.isCorked = true
  }

  leave(): void {
    this.isCorked = false
    if (this.res !== null) this.keepAddress()
  }

  respond(status: number, headers: HeaderList, body: string | Uint8Array | null, details?: AnswerDetails): void {
    if (this.res === null || this.#answered) return
    const bad = findBadHeader(headers, details)
    if (bad !== null) this.fail(bad)
    else this.#respond({ status, prepared: null, value: '', headers, details }, body)
  }

  respondPrepared(
    status: number,
    prepared: PreparedHead,
    value: string,
    headers: HeaderList,
    body: string | Uint8Array | null,
  ): void {
    if (this.res === null || this.#answered) return
    const bad = prepared.compose(value) === null ? badValue(value) : findBadHeader(headers)
    if (bad !== null) this.fail(bad)
    else this.#respond({ status, prepared, value, headers }, body)
  }

  #respond(head: AnswerHead, body: string | Uint8Array | null): void {
    this.#answered = true
    const incoming = this.#body
    if (this.malformed !== null) {
      incoming?.abandon()
      this.#countUnsent()
      const said = this.saidClose
      this.refuse((res) => {
        writeAnswer(res, this.method === 'HEAD', head, body, true, said)
        this.#countSent()
      })
    } else if (!incoming || incoming.complete) this.#write(head, body, false)
    // The rest is read first: closing with bytes unread resets the connection, and the client may lose the answer. A client that waits
    // for `100 Continue` has got it from uWS.
    else if (incoming.restIsSmall) {
      this.#countUnsent()
      incoming.discard(() => this.#write(head, body, false))
    } else {
      incoming.abandon()
      this.#write(head, body, true, this.saidClose)
    }
  }

  stream(status: number, headers: HeaderList, details?: AnswerDetails): ResponseStream {
    const res = this.res
    if (res === null || this.#answered) return deadStream
    const bad = findBadHeader(headers, details)
    if (bad !== null) {
      this.fail(bad)
      return deadStream
    }
    this.#answered = true
    const head = { status, prepared: null, value: '', headers, details }
    if (this.method === 'HEAD' || isBodyless(status)) {
      this.last((res) => {
        writeHead(res, head)
        endHead(res, isBodyless(status) ? null : (details?.length ?? null), false)
      })
      return deadStream
    }
    const body = this.attachBody()
    if (details?.size !== undefined && (body === null || body.complete)) {
      this.#stream = new UwsSizedStream(res, head, details.size, this)
      return this.#stream
    }
    body?.dropUnread()
    this.#stream = new UwsStream(res, body, this)
    res.cork(() => writeHead(res, head))
    return this.#stream
  }

  streamEnds(): void {
    this.settle()
  }

  /** A handler threw. A stream is cut, so that the client does not take it for complete. */
  fail(error: unknown): void {
    reportFault(this.fault, error)
    if (this.#stream !== null) this.#stream.abort()
    else this.respond(500, [], null)
  }

  override detach(): void {
    // The last moment to attach to the body.
    if (this.res !== null) this.attachBody()
    super.detach()
  }

  protected override get isReceiving(): boolean {
    return this.#body?.isDeclared === true && !this.#body.complete
  }

  protected override abort(): void {
    this.#large?.over()
    this.#countSent()
    if (this.res === null) return
    // Callbacks find it closed.
    this.#stream?.cut()
    super.abort()
    this.#body?.abort()
  }

  #write(head: AnswerHead, body: string | Uint8Array | null, close: boolean, sayClose = false): void {
    const { res } = this
    if (res === null) return
    const isHead = this.method === 'HEAD'
    const length = isHead || close || isBodyless(head.status) ? 0 : largeLength(body)
    if (body !== null && length > 0) return this.#writeLarge(head, body, length)
    // An answer without a body cannot end its connection without a length, which it must not have.
    const ends = close || (this.unsent.ending && !isBodyless(head.status))
    if (this.isCorked) {
      // As `last`, without a closure.
      this.settle()
      try {
        writeAnswer(res, isHead, head, body, ends, sayClose)
      } catch (error) {
        this.watchUnfinished(res)
        throw error
      }
    } else this.last((res) => writeAnswer(res, isHead, head, body, ends, sayClose))
    this.#countSent()
  }

  #writeLarge(head: AnswerHead, body: string | Uint8Array, length: number): void {
    this.last((res) => {
      const large = new UwsLargeAnswer(res, length, () => this.#countSent())
      if (large.send(head, body)) return this.#countSent()
      this.watch(res)
      this.#large = large
      this.#countUnsent()
    })
  }

  #countUnsent(): void {
    if (this.#isCounted) return
    this.#isCounted = true
    this.unsent.add()
  }

  #countSent(): void {
    if (!this.#isCounted) return
    this.#isCounted = false
    this.unsent.remove()
  }
}

function badValue(value: string): TypeError {
  return new TypeError(`${JSON.stringify(value)} is not a value of a prepared header`)
}
