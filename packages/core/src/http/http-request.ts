import type { ActiveCall } from '../call/active-call.ts'
import type { QueryRecord } from '../call/call.ts'
import type { CallPeer } from '../call/call-context.ts'
import type { ParsedBody } from '../call/compiled-route.ts'
import { withCurrentCall } from '../call/current-call.ts'
import { IncomingBody, type StreamedBodyLimits } from '../call/request-body.ts'
import { toTraceparent } from '../call/traceparent.ts'
import { type RequestContext, toQuery } from '../edge/request-preprocessor.ts'
import { MalformedRequestError, PayloadTooLargeError } from '../errors/app-error.ts'
import { parseBody } from '../route/body.ts'
import { parseQuery } from '../route/query.ts'
import type { BodyFailure } from '../transport/transport.ts'
import { refuseEncoded } from './compression/encoded-request.ts'
import { toFetchRequest } from './fetch-request.ts'
import { decodeName } from './files/file-name.ts'
import { HttpAnswers } from './http-answers.ts'
import { closeMultipart, readMultipart } from './multipart/multipart-call.ts'

const emptyBody: ParsedBody = { kind: 'empty' }
const maxLoggedPath = 256
const noParams: Readonly<Record<string, string>> = Object.freeze({})

/**
 * One HTTP request: the peer of its call. What a call may not need is read when it is needed. Without private methods: the first of a class
 * costs each object 8 bytes.
 */
export class HttpRequest extends HttpAnswers implements CallPeer, RequestContext {
  params: Readonly<Record<string, string>> = noParams
  #query: QueryRecord | null = null
  #traceparent: string | null | undefined

  get wire(): 'http' {
    return 'http'
  }
  get connection(): null {
    return null
  }
  get headers(): Readonly<Record<string, string>> {
    return this.exchange.headers()
  }
  get traceparent(): string | null {
    if (this.#traceparent === undefined) this.#traceparent = toTraceparent(this.exchange.header('traceparent'))
    return this.#traceparent
  }
  get method(): string {
    return this.exchange.method
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
    if (http.isFetch && http.streamed !== null)
      return next(call, toFetchRequest(this.exchange, this.isSecure, call, http.streamed))
    if (http.filesPrefix !== null) return readFileName(this, call, http.filesPrefix, next)
    const query = parseQuery(this.exchange.query)
    if (!query.ok) return call.fail(query.error)
    this.#query = query.value
    if ((http.hasBody && !http.raw) || http.multipart !== null) {
      const refusal = refuseEncoded(this.exchange)
      if (refusal !== null) return call.fail(refusal)
    }
    if (!http.hasBody) {
      if (http.streamed === null) return finish(this, call, emptyBody, next)
      return openBody(this, call, http.streamed, next)
    }
    const read = (bytes: Uint8Array | BodyFailure): void => {
      if (call.decided || bytes === 'aborted') return
      if (bytes === 'too_large') return call.fail(new PayloadTooLargeError(http.maxBodyBytes))
      if (http.ignoresBody) return finish(this, call, emptyBody, next)
      if (http.raw) return finish(this, call, { kind: 'raw', value: bytes }, next)
      const body = parseBody(this.exchange.header('content-type'), bytes)
      if (body.ok) finish(this, call, body.value, next)
      else call.fail(body.error)
    }
    const { asyncContext, tracer } = call.services
    const keepsContext = asyncContext || tracer !== null
    this.exchange.readBody(http.maxBodyBytes, keepsContext ? withCurrentCall(read) : read, http.raw)
  }

  ended(call: ActiveCall): void {
    if (call.compiled.http !== null && call.compiled.http.multipart !== null) closeMultipart(call, this.shared.removals)
    // A call that ended within the callback that received it was never counted as running.
    if (!this.shared.running.delete(call)) return
    call.compiled.httpCounter?.inProgress.dec()
    call.services.onWorkEnd?.()
  }
}

/** The input of `staticFiles`: decoded before a step sees it, so that no other spelling of a path passes a check. */
function readFileName(
  request: HttpRequest,
  call: ActiveCall,
  prefix: string,
  next: (call: ActiveCall, input: unknown) => void,
): void {
  const name = decodeName(request.exchange.path.slice(prefix.length))
  if (name === null) call.fail(new MalformedRequestError('The path is not valid percent-encoded UTF-8'))
  else next(call, name)
}

/** The handler reads it, or the files in it. */
function openBody(
  request: HttpRequest,
  call: ActiveCall,
  limits: StreamedBodyLimits,
  next: (call: ActiveCall, input: unknown) => void,
): void {
  const { exchange } = request
  const reader = exchange.openBody(limits.maxBytes)
  if (reader.length !== null && reader.length > limits.maxBytes)
    return call.fail(new PayloadTooLargeError(limits.maxBytes))
  const body = new IncomingBody(call, reader, exchange.header('content-type'), limits)
  const multipart = call.compiled.http?.multipart ?? null
  const { createDicer } = request.shared
  if (multipart !== null && createDicer !== null)
    return readMultipart(call, body, multipart, createDicer, (value) =>
      finish(request, call, { kind: 'form', value }, next),
    )
  Object.assign(call, { body })
  finish(request, call, emptyBody, next)
}

function finish(
  request: HttpRequest,
  call: ActiveCall,
  body: ParsedBody,
  next: (call: ActiveCall, input: unknown) => void,
): void {
  if (call.decided) return
  const input = call.compiled.http?.input(request.params, request.query, body)
  if (input === undefined || input.ok) next(call, input?.value)
  else call.fail(input.error)
}
