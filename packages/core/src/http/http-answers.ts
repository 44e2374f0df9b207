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
import { setBodyEnd } from '../call/tracer.ts'
import { toErrorBody, toErrorHeaders } from '../edge/error-response.ts'
import type { RequestPreprocessor } from '../edge/request-preprocessor.ts'
import type { AppError } from '../errors/app-error.ts'
import type { PreparedHead } from '../transport/prepared-head.ts'
import type { AnswerDetails, HeaderList, HttpExchange, ResponseStream } from '../transport/transport.ts'
import { toItemFormat } from './accept-header.ts'
import { chooseCoding, withCoding } from './compression/coding.ts'
import { codedHead, respondEncoded } from './compression/encoded-answer.ts'
import { streamCoded } from './compression/encoded-stream.ts'
import type { Cors } from './cors.ts'
import { EventOpening, type EventRequest } from './events/event-opening.ts'
import type { EventWire } from './events/event-wire.ts'
import { FetchAnswer } from './fetch-answer.ts'
import { answerFile, type FileRequest } from './files/file-answer.ts'
import { toFinder } from './files/reply-file.ts'
import { ItemResponse } from './item-response.ts'
import type { CreateDicer } from './multipart/dicer.ts'
import { type BodyKind, bodyTypes, type ResponseHeads } from './response-heads.ts'
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

/**
 * How an HTTP request is answered: with a value, text, bytes, a stream, events or an error. Without private methods: the first of a class costs
 * each object 8 bytes.
 */
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
    if (isReply(result)) return succeedWith(this, call, result)
    const { status } = call.compiled.http ?? { status: null }
    if (result === undefined) return respond(this, call, status ?? 204, null, 'none')
    const body = JSON.stringify(isPage(result) ? { items: result.items, meta: result.meta } : result)
    return status === 204 ? respond(this, call, 204, null, 'none') : respond(this, call, status ?? 200, body, 'json')
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
    return streamCoded(this.exchange, call, status, merge(this, call, headers, 'bytes'))
  }

  fail(call: ActiveCall, error: AppError): void {
    // Read before the answer, after which they are no longer readable: the access log and hooks need them.
    void this.address
    if (call.compiled.http === null) void this.exchange.path
    const body = toErrorBody(error, call.services.errorLink, () => call.log)
    const added = toErrorHeaders(error, call.addedHeaders?.entries())
    send(this, error.httpStatus, headOf(this, 'json'), added, withCors(this, added), body)
  }

  get isSecure(): boolean {
    return this.shared.preprocessor.isSecure(this.exchange)
  }

  get heads(): ResponseHeads {
    return this.shared.heads
  }

  respondPrepared(call: ActiveCall, status: number, head: PreparedHead, body: Uint8Array): number {
    keepAddress(this, call, status)
    const added = call.addedHeaders?.entries() ?? noHeaders
    send(this, status, head, added, withCors(this, added), body)
    return status
  }

  respondFile(call: ActiveCall, status: number, headers: HeaderList, body: Uint8Array, length: number): number {
    keepAddress(this, call, status)
    this.exchange.respond(status, mergeFile(this, call, headers), body, { statusText: '', length })
    return status
  }

  streamFile(call: ActiveCall, status: number, headers: HeaderList, source: StreamSource, size: number): number {
    keepAddress(this, call, status)
    const details: AnswerDetails = { statusText: '', length: size, size }
    return sendStream(this, call, status, source, this.exchange.stream(status, mergeFile(this, call, headers), details))
  }
}

function succeedWith(request: HttpAnswers, call: ActiveCall, reply: Reply<unknown>): number {
  const { status: own, value, kind, headers, cookies } = reply
  if (isEventsReply(reply)) {
    // Read before the answer: it lasts long after it.
    void request.address
    return EventOpening.start(request.shared.events, request, call, reply)
  }
  const status = own ?? call.compiled.http?.status ?? 200
  addHeaders(call, headers)
  if (cookies !== null) addCookies(call, cookies)
  addContentType(call, reply)
  if (reply instanceof FileReplyResult)
    return answerFile(request, call, toFinder(reply, own ?? call.compiled.http?.status ?? null))
  if (isStreamReply(reply)) {
    if (reply instanceof ResponseReply) return answer(request, call, reply)
    keepAddress(request, call, status)
    return sendStream(request, call, status, reply.value, request.stream(call, status, noHeaders))
  }
  if (kind === 'text') return respond(request, call, status, value as string, 'text')
  if (kind === 'bytes') return respond(request, call, status, value as Uint8Array, 'bytes')
  if (value === undefined || status === 204 || status === 304) return respond(request, call, status, null, 'none')
  const body = JSON.stringify(isPage(value) ? { items: value.items, meta: value.meta } : value)
  return respond(request, call, status, body, 'json')
}

/** That of the route, unless the reply, or a step, has said another. */
function addContentType(call: ActiveCall, reply: Reply<unknown>): void {
  const type = call.compiled.http?.contentType ?? null
  if (type === null || reply.kind === 'value') return
  if (reply instanceof FileReplyResult && reply.value.contentType !== null) return
  const { replyHeaders } = call
  if (!replyHeaders.entries().some(([name]) => name === 'content-type')) replyHeaders.set('content-type', type)
}

/** The response of a fetch handler. What it says wins over what steps added; of cookies both are sent. */
function answer(request: HttpAnswers, call: ActiveCall, reply: ResponseReply): number {
  const { value, hasBody } = reply
  const status = reply.status ?? 200
  const { exchange } = request
  const { cors } = request.shared
  keepAddress(request, call, status)
  const own = cors === null ? reply.list : reply.list.filter(([name]) => !name.startsWith('access-control-'))
  const headers = merge(request, call, own, 'none')
  if (exchange.method === 'HEAD') {
    const head = codedHead(exchange, call, status, headers, reply)
    if (hasBody) sendStream(request, call, status, value, exchange.stream(status, head.headers, head.details))
    else exchange.respond(status, head.headers, null, head.details)
  } else if (!hasBody) exchange.respond(status, headers, null, reply)
  else sendStream(request, call, status, value, new FetchAnswer(exchange, call, status, headers, reply))
  return status
}

function sendStream(
  request: HttpAnswers,
  call: ActiveCall,
  status: number,
  source: StreamSource,
  stream: ResponseStream,
): number {
  const body = new StreamedBody(call, source, stream)
  // A call that was synchronous so far does not listen for a disconnect yet, and the source of the body must be stopped.
  request.exchange.onAborted(() => body.stop(clientDisconnected))
  const { streams, draining } = request.shared
  streams.add(body)
  if (draining) body.endWhenIdle()
  const isWhole = body.run()
  if (call.services.tracer !== null) setBodyEnd(call, isWhole)
  call.services.track(isWhole.finally(() => streams.delete(body)))
  return status
}

/** All headers of an answer: ours, which `headers` and those that were added replace, and `headers` win over those. */
function merge(request: HttpAnswers, call: ActiveCall, headers: HeaderList, kind: BodyKind): HeaderList {
  const added = withoutReplaced(call.addedHeaders?.entries() ?? noHeaders, headers)
  const own = withoutReplaced(headOf(request, kind).toList(request.id), [...added, ...headers])
  return [...own, ...headers, ...withCors(request, added)]
}

/** Headers that were added replace those of the file. */
function mergeFile(request: HttpAnswers, call: ActiveCall, headers: HeaderList): HeaderList {
  const added = call.addedHeaders?.entries() ?? noHeaders
  const own = [...withoutReplaced(headOf(request, 'none').toList(request.id), headers), ...headers]
  return [...withoutReplaced(own, added), ...withCors(request, added)]
}

/** The address is not readable after the answer: it is read now if anything that has the call may ask for it later. */
function keepAddress(request: HttpAnswers, call: ActiveCall, status: number): void {
  const { services, compiled } = call
  if (compiled.mayKeepCall || status >= 400 || services.hooksReadAddress || services.access?.logsSuccesses() === true) {
    void request.address
  }
}

function respond(
  request: HttpAnswers,
  call: ActiveCall,
  status: number,
  body: string | Uint8Array | null,
  kind: BodyKind,
): number {
  keepAddress(request, call, status)
  const added = call.addedHeaders?.entries() ?? noHeaders
  const more = withCors(request, added)
  const compression = call.compiled.http?.compression ?? null
  if (compression === null || body === null || body.length < compression.minBytes) {
    send(request, status, headOf(request, kind), added, more, body)
    return status
  }
  const { exchange } = request
  const coding = chooseCoding(status, added, bodyTypes[kind], exchange.header('accept-encoding'))
  if (coding === null) send(request, status, headOf(request, kind), added, more, body)
  else if (coding === 'identity') send(request, status, headOf(request, kind), added, withCoding(more, coding), body)
  else {
    const headers = [...withoutReplaced(headOf(request, kind).toList(request.id), added), ...more]
    respondEncoded(exchange, call, { status, headers, body }, coding, compression)
  }
  return status
}

/** Writes the headers of every response, and then `more`: those that were added, which replace ours, and those of CORS. */
function send(
  request: HttpAnswers,
  status: number,
  head: PreparedHead,
  added: HeaderList,
  more: HeaderList,
  body: string | Uint8Array | null,
): void {
  if (!added.some(([name]) => head.has(name))) {
    request.exchange.respondPrepared(status, head, request.id, more, body)
  } else {
    request.exchange.respond(status, [...withoutReplaced(head.toList(request.id), added), ...more], body)
  }
}

function headOf(request: HttpAnswers, kind: BodyKind): PreparedHead {
  return request.shared.heads.of(request.isSecure, kind)
}

/** Those of CORS are never replaced: without `Vary` a cache would serve the response for one origin to another. */
function withCors({ cors }: HttpAnswers, added: HeaderList): HeaderList {
  if (added.length === 0) return cors
  return cors.length === 0 ? added : [...added, ...cors]
}

function withoutReplaced(list: HeaderList, added: HeaderList): HeaderList {
  // Each of them says something of its own.
  return list.filter(([name]) => name === 'set-cookie' || name === 'vary' || !added.some(([other]) => other === name))
}
