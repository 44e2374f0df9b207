import type { ActiveCall } from '../call/active-call.ts'
import type { QueryRecord } from '../call/call.ts'
import type { CallPeer } from '../call/call-context.ts'
import type { ParsedBody } from '../call/compiled-route.ts'
import { withCurrentCall } from '../call/current-call.ts'
import { isPage, isReply, isStreamReply, type Reply, type StreamSource } from '../call/reply.ts'
import { ReplyHeaders } from '../call/reply-headers.ts'
import { toTraceparent } from '../call/traceparent.ts'
import { toErrorBody, toErrorHeaders } from '../edge/error-response.ts'
import { type RequestContext, type RequestPreprocessor, toQuery } from '../edge/request-preprocessor.ts'
import { type AppError, PayloadTooLargeError } from '../errors/app-error.ts'
import { parseBody } from '../route/body.ts'
import { parseQuery } from '../route/query.ts'
import type { BodyFailure, HeaderList, HttpExchange } from '../transport/transport.ts'
import type { Cors } from './cors.ts'
import { StreamedBody } from './streamed-body.ts'

const json = ['content-type', 'application/json'] as const
const emptyBody: ParsedBody = { kind: 'empty' }
/** The reason of an aborted `call.signal`. */
export const clientDisconnected = 'The client has disconnected'
const noHeaders: HeaderList = []
const maxLoggedPath = 256
const noParams: Readonly<Record<string, string>> = Object.freeze({})

/** What all requests of an app share. */
export interface HttpRequestServices {
  readonly preprocessor: RequestPreprocessor
  readonly securityHeaders: (secure: boolean) => HeaderList
  readonly cors: Cors | null
  readonly running: Set<ActiveCall>
  readonly streams: Set<StreamedBody>
  readonly draining: boolean
}

/** One HTTP request: the peer of its call. */
export class HttpRequest implements CallPeer, RequestContext {
  readonly wire = 'http'
  readonly connection = null
  readonly address: string
  readonly exchange: HttpExchange
  readonly id: string
  params: Readonly<Record<string, string>> = noParams
  readonly #shared: HttpRequestServices
  readonly #secure: boolean
  /** CORS headers of the response. */
  cors: HeaderList = noHeaders
  #query: QueryRecord | null = null
  #traceparent: string | null | undefined
  #replyHeaders: ReplyHeaders | null = null

  constructor(shared: HttpRequestServices, exchange: HttpExchange, id: string) {
    this.#shared = shared
    this.exchange = exchange
    this.id = id
    this.address = shared.preprocessor.clientAddress(exchange)
    this.#secure = shared.preprocessor.isSecure(exchange)
    if (shared.cors !== null) this.cors = shared.cors.responseHeaders(exchange.header('origin'))
  }

  get headers(): Readonly<Record<string, string>> {
    return this.exchange.headers()
  }
  get replyHeaders(): ReplyHeaders {
    this.#replyHeaders ??= new ReplyHeaders()
    return this.#replyHeaders
  }
  get addedHeaders(): ReplyHeaders | null {
    return this.#replyHeaders
  }
  get traceparent(): string | null {
    if (this.#traceparent === undefined) this.#traceparent = toTraceparent(this.exchange.header('traceparent'))
    return this.#traceparent
  }
  get requestedPath(): string {
    return this.exchange.path.slice(0, maxLoggedPath)
  }
  get query(): QueryRecord {
    this.#query ??= toQuery(this.exchange.query)
    return this.#query
  }

  readInput(call: ActiveCall, next: (call: ActiveCall, input: unknown) => void): void {
    const { http } = call.compiled
    // Routes without an HTTP path are not in the HTTP router.
    if (http === null) return next(call, undefined)
    const query = parseQuery(this.exchange.query)
    if (!query.ok) return call.fail(query.error)
    this.#query = query.value
    if (!http.hasBody) return this.#finish(call, emptyBody, next)
    const read = (bytes: Uint8Array | BodyFailure): void => {
      if (call.settled || bytes === 'aborted') return
      if (bytes === 'too_large') return call.fail(new PayloadTooLargeError(http.maxBodyBytes))
      if (http.ignoresBody) return this.#finish(call, emptyBody, next)
      if (http.raw) return this.#finish(call, { kind: 'raw', value: bytes }, next)
      const body = parseBody(this.exchange.header('content-type'), bytes)
      if (body.ok) this.#finish(call, body.value, next)
      else call.fail(body.error)
    }
    this.exchange.readBody(http.maxBodyBytes, call.services.asyncContext ? withCurrentCall(read) : read)
  }

  #finish(call: ActiveCall, body: ParsedBody, next: (call: ActiveCall, input: unknown) => void): void {
    const input = call.compiled.http?.input(this.params, this.query, body)
    if (input === undefined || input.ok) next(call, input?.value)
    else call.fail(input.error)
  }

  succeed(call: ActiveCall, result: unknown): number {
    if (isReply(result)) return this.#succeedWith(call, result)
    const { status } = call.compiled.http ?? { status: null }
    if (result === undefined) return this.#respond(call, status ?? 204, null, null)
    const body = JSON.stringify(isPage(result) ? { items: result.items, meta: result.meta } : result)
    return status === 204 ? this.#respond(call, 204, null, null) : this.#respond(call, status ?? 200, body, json)
  }

  #succeedWith(call: ActiveCall, reply: Reply<unknown>): number {
    const { status: own, value, kind, headers } = reply
    const status = own ?? call.compiled.http?.status ?? 200
    for (const [name, values] of Object.entries(headers)) {
      if (typeof values === 'string') call.replyHeaders.set(name, values)
      else for (const each of values) call.replyHeaders.append(name, each)
    }
    if (isStreamReply(reply)) return this.#stream(call, status, reply.value)
    if (kind === 'text')
      return this.#respond(call, status, value as string, ['content-type', 'text/plain; charset=utf-8'])
    if (kind === 'bytes')
      return this.#respond(call, status, value as Uint8Array, ['content-type', 'application/octet-stream'])
    if (value === undefined || status === 204 || status === 304) return this.#respond(call, status, null, null)
    return this.#respond(
      call,
      status,
      JSON.stringify(isPage(value) ? { items: value.items, meta: value.meta } : value),
      json,
    )
  }

  #stream(call: ActiveCall, status: number, source: StreamSource): number {
    const stream = this.exchange.stream(
      status,
      this.#head(['content-type', 'application/octet-stream'], call.addedHeaders?.entries()),
    )
    const body = new StreamedBody(call, source, stream)
    // A call that was synchronous so far does not listen for a disconnect yet, and the source of the body must be stopped.
    this.exchange.onAborted(() => body.stop(clientDisconnected))
    const { streams, draining } = this.#shared
    streams.add(body)
    if (draining) body.endWhenIdle()
    call.services.track(body.run().finally(() => streams.delete(body)))
    return status
  }

  fail(call: ActiveCall, error: AppError): void {
    // Read before the answer, after which it is no longer readable: the access log needs it.
    if (call.compiled.http === null) void this.exchange.path
    const body = toErrorBody(error, () => call.log)
    this.exchange.respond(error.httpStatus, this.#head(json, toErrorHeaders(error, call.addedHeaders?.entries())), body)
  }

  ended(call: ActiveCall): void {
    // A call that ended within the callback that received it was never counted as running.
    if (!this.#shared.running.delete(call)) return
    call.compiled.httpCounter?.inProgress.dec()
    call.services.onWorkEnd?.()
  }

  #respond(
    call: ActiveCall,
    status: number,
    body: string | Uint8Array | null,
    type: readonly [string, string] | null,
  ): number {
    this.exchange.respond(status, this.#head(type, call.addedHeaders?.entries()), body)
    return status
  }

  /** The headers of every response, then those that were added, which replace ours. */
  #head(type: readonly [string, string] | null, added: HeaderList = []): HeaderList {
    const list: (readonly [string, string])[] = [
      ...this.#shared.securityHeaders(this.#secure),
      ['x-correlation-id', this.id],
    ]
    if (type !== null) list.push(type)
    const { cors } = this
    if (added.length === 0) return cors.length === 0 ? list : [...list, ...cors]
    const names = new Set(added.map(([name]) => name))
    // Never replaced: without `Vary` a cache would serve the response for one origin to another.
    return [...list.filter(([name]) => !names.has(name)), ...added, ...cors]
  }
}
