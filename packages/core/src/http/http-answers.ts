import type { ActiveCall } from '../call/active-call.ts'
import { addCookies } from '../call/cookies.ts'
import type { ItemsResult } from '../call/item-stream.ts'
import {
  FileReplyResult,
  isEventsReply,
  isPage,
  isReply,
  isStreamReply,
  type Reply,
  type StreamSource,
} from '../call/reply.ts'
import { addHeaders, ReplyHeaders } from '../call/reply-headers.ts'
import { ResponseReply } from '../call/response-reply.ts'
import type { ItemSink } from '../call/streamed-reply.ts'
import { toErrorBody, toErrorHeaders } from '../edge/error-response.ts'
import type { RequestPreprocessor } from '../edge/request-preprocessor.ts'
import type { AppError } from '../errors/app-error.ts'
import type { PreparedHead } from '../transport/prepared-head.ts'
import type { AnswerDetails, HeaderList, HttpExchange, ResponseStream } from '../transport/transport.ts'
import { toItemFormat } from './accept-header.ts'
import type { Cors } from './cors.ts'
import { EventOpening, type EventRequest } from './events/event-opening.ts'
import type { EventWire } from './events/event-wire.ts'
import { FetchAnswer } from './fetch-answer.ts'
import { answerFile, type FileRequest } from './files/file-answer.ts'
import { toFinder } from './files/reply-file.ts'
import { ItemResponse } from './item-response.ts'
import type { CreateDicer } from './multipart/dicer.ts'
import type { BodyKind, ResponseHeads } from './response-heads.ts'
import { StreamedBody } from './streamed-body.ts'

/** The reason of an aborted `call.signal`. */
export const clientDisconnected = 'The client has disconnected'
const noHeaders: HeaderList = []

/** What all requests of an app share. */
export interface HttpRequestServices {
  readonly preprocessor: RequestPreprocessor
  readonly heads: ResponseHeads
  readonly cors: Cors | null
  readonly running: Set<ActiveCall>
  readonly streams: Set<StreamedBody>
  /** Of temporary files of calls that have ended. None rejects. */
  readonly removals: Set<Promise<void>>
  readonly events: EventWire
  readonly draining: boolean
  /** Null in an app without routes that take multipart bodies. */
  readonly createDicer: CreateDicer | null
}

/** How an HTTP request is answered: with a value, text, bytes, a stream, events or an error. */
export class HttpAnswers implements EventRequest, FileRequest {
  readonly exchange: HttpExchange
  readonly id: string
  readonly shared: HttpRequestServices
  /** CORS headers of the response. */
  cors: HeaderList = noHeaders
  #address: string | null = null
  #replyHeaders: ReplyHeaders | null = null

  constructor(shared: HttpRequestServices, exchange: HttpExchange, id: string) {
    this.shared = shared
    this.exchange = exchange
    this.id = id
    if (shared.cors !== null) this.cors = shared.cors.responseHeaders(exchange.header('origin'))
  }

  /** Read from the socket by the first access. */
  get address(): string {
    this.#address ??= this.shared.preprocessor.clientAddress(this.exchange)
    return this.#address
  }
  get replyHeaders(): ReplyHeaders {
    this.#replyHeaders ??= new ReplyHeaders()
    return this.#replyHeaders
  }
  get addedHeaders(): ReplyHeaders | null {
    return this.#replyHeaders
  }

  succeed(call: ActiveCall, result: unknown): number {
    if (isReply(result)) return this.#succeedWith(call, result)
    const { status } = call.compiled.http ?? { status: null }
    if (result === undefined) return this.#respond(call, status ?? 204, null, 'none')
    const body = JSON.stringify(isPage(result) ? { items: result.items, meta: result.meta } : result)
    return status === 204 ? this.#respond(call, 204, null, 'none') : this.#respond(call, status ?? 200, body, 'json')
  }

  #succeedWith(call: ActiveCall, reply: Reply<unknown>): number {
    const { status: own, value, kind, headers, cookies } = reply
    if (isEventsReply(reply)) {
      // Read before the answer: it lasts long after it.
      void this.address
      return EventOpening.start(this.shared.events, this, call, reply)
    }
    const status = own ?? call.compiled.http?.status ?? 200
    addHeaders(call, headers)
    if (cookies !== null) addCookies(call, cookies)
    if (reply instanceof FileReplyResult)
      return answerFile(this, call, toFinder(reply, own ?? call.compiled.http?.status ?? null))
    if (isStreamReply(reply))
      return reply instanceof ResponseReply ? this.#answer(call, reply) : this.#stream(call, status, reply.value)
    if (kind === 'text') return this.#respond(call, status, value as string, 'text')
    if (kind === 'bytes') return this.#respond(call, status, value as Uint8Array, 'bytes')
    if (value === undefined || status === 204 || status === 304) return this.#respond(call, status, null, 'none')
    const body = JSON.stringify(isPage(value) ? { items: value.items, meta: value.meta } : value)
    return this.#respond(call, status, body, 'json')
  }

  #stream(call: ActiveCall, status: number, source: StreamSource): number {
    this.#keepAddress(call, status)
    return this.#sendStream(call, status, source, this.stream(call, status, noHeaders))
  }

  /** The response of a fetch handler. What it says wins over what steps added; of cookies both are sent. */
  #answer(call: ActiveCall, reply: ResponseReply): number {
    const { value, hasBody } = reply
    const status = reply.status ?? 200
    const { cors } = this.shared
    this.#keepAddress(call, status)
    const own = cors === null ? reply.list : reply.list.filter(([name]) => !name.startsWith('access-control-'))
    const headers = this.#merge(call, own, 'none')
    const { exchange } = this
    if (!hasBody) exchange.respond(status, headers, null, reply)
    else if (exchange.method === 'HEAD') this.#sendStream(call, status, value, exchange.stream(status, headers, reply))
    else this.#sendStream(call, status, value, new FetchAnswer(exchange, status, headers, reply))
    return status
  }

  get heads(): ResponseHeads {
    return this.shared.heads
  }

  respondPrepared(call: ActiveCall, status: number, head: PreparedHead, body: Uint8Array): number {
    this.#keepAddress(call, status)
    this.#send(status, head, call.addedHeaders?.entries() ?? noHeaders, body)
    return status
  }

  respondFile(call: ActiveCall, status: number, headers: HeaderList, body: Uint8Array, length: number): number {
    this.#keepAddress(call, status)
    this.exchange.respond(status, this.#mergeFile(call, headers), body, { statusText: '', length })
    return status
  }

  streamFile(call: ActiveCall, status: number, headers: HeaderList, source: StreamSource, size: number): number {
    this.#keepAddress(call, status)
    const details: AnswerDetails = { statusText: '', length: size, size }
    return this.#sendStream(call, status, source, this.exchange.stream(status, this.#mergeFile(call, headers), details))
  }

  /** Those that were added replace those of the file. */
  #mergeFile(call: ActiveCall, headers: HeaderList): HeaderList {
    const added = call.addedHeaders?.entries() ?? noHeaders
    const own = [...withoutReplaced(this.#head('none').toList(this.id), headers), ...headers]
    return [...withoutReplaced(own, added), ...this.#more(added)]
  }

  #sendStream(call: ActiveCall, status: number, source: StreamSource, stream: ResponseStream): number {
    const body = new StreamedBody(call, source, stream)
    // A call that was synchronous so far does not listen for a disconnect yet, and the source of the body must be stopped.
    this.exchange.onAborted(() => body.stop(clientDisconnected))
    const { streams, draining } = this.shared
    streams.add(body)
    if (draining) body.endWhenIdle()
    call.services.track(body.run().finally(() => streams.delete(body)))
    return status
  }

  openItems(call: ActiveCall, { status, headers, cookies }: ItemsResult): ItemSink {
    // Read before the answer: a stream ends long after it.
    void this.address
    addHeaders(call, headers)
    if (cookies !== null) addCookies(call, cookies)
    const format = toItemFormat(this.exchange.header('accept'))
    return new ItemResponse(this, call, status ?? call.compiled.http?.status ?? 200, format)
  }

  /** Begins an answer in chunks. `headers` win over those that were added. */
  stream(call: ActiveCall, status: number, headers: HeaderList): ResponseStream {
    return this.exchange.stream(status, this.#merge(call, headers, 'bytes'))
  }

  /** All headers of an answer: ours, which `headers` and those that were added replace, and `headers` win over those. */
  #merge(call: ActiveCall, headers: HeaderList, kind: BodyKind): HeaderList {
    const added = withoutReplaced(call.addedHeaders?.entries() ?? noHeaders, headers)
    const own = withoutReplaced(this.#head(kind).toList(this.id), [...added, ...headers])
    return [...own, ...headers, ...this.#more(added)]
  }

  fail(call: ActiveCall, error: AppError): void {
    // Read before the answer, after which they are no longer readable: the access log and hooks need them.
    void this.address
    if (call.compiled.http === null) void this.exchange.path
    const body = toErrorBody(error, () => call.log)
    this.#send(error.httpStatus, this.#head('json'), toErrorHeaders(error, call.addedHeaders?.entries()), body)
  }

  /** The address is not readable after the answer: it is read now if anything that has the call may ask for it later. */
  #keepAddress(call: ActiveCall, status: number): void {
    const { services, compiled } = call
    if (
      compiled.mayKeepCall ||
      status >= 400 ||
      services.hooksReadAddress ||
      services.access?.logsSuccesses() === true
    ) {
      void this.address
    }
  }

  #respond(call: ActiveCall, status: number, body: string | Uint8Array | null, kind: BodyKind): number {
    this.#keepAddress(call, status)
    this.#send(status, this.#head(kind), call.addedHeaders?.entries() ?? noHeaders, body)
    return status
  }

  /** Writes the headers of every response, and then those that were added, which replace ours. */
  #send(status: number, head: PreparedHead, added: HeaderList, body: string | Uint8Array | null): void {
    const more = this.#more(added)
    if (!added.some(([name]) => head.has(name))) {
      this.exchange.respondPrepared(status, head, this.id, more, body)
    } else {
      this.exchange.respond(status, [...withoutReplaced(head.toList(this.id), added), ...more], body)
    }
  }

  #head(kind: BodyKind): PreparedHead {
    return this.shared.heads.of(this.isSecure, kind)
  }

  get isSecure(): boolean {
    return this.shared.preprocessor.isSecure(this.exchange)
  }

  /** Those of CORS are never replaced: without `Vary` a cache would serve the response for one origin to another. */
  #more(added: HeaderList): HeaderList {
    const { cors } = this
    if (added.length === 0) return cors
    return cors.length === 0 ? added : [...added, ...cors]
  }
}

function withoutReplaced(list: HeaderList, added: HeaderList): HeaderList {
  // Each of them says something of its own.
  return list.filter(([name]) => name === 'set-cookie' || name === 'vary' || !added.some(([other]) => other === name))
}
