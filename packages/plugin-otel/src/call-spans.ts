import {
  type Context,
  context,
  INVALID_TRACEID,
  ROOT_CONTEXT,
  type Span,
  SpanStatusCode,
  TraceFlags,
  trace,
} from '@opentelemetry/api'
import type { Call } from '@twinwire/core'
import { type CallOutcome, redactPath, setTrace, type Trace, traceOf } from '@twinwire/core/plugin'
import { CallNames } from './call-names.ts'
import type { RemoteParent } from './options.ts'
import { readRemoteParent } from './remote-parent.ts'
import type { Spans } from './spans.ts'

/** The span of a call, and the context that its stages run in. */
class CallTrace implements Trace {
  readonly span: Span
  readonly context: Context

  constructor(span: Span, outer: Context) {
    this.span = span
    this.context = trace.setSpan(outer, span)
  }

  get traceId(): string {
    return this.span.spanContext().traceId
  }
  get spanId(): string {
    return this.span.spanContext().spanId
  }
  get sampled(): boolean {
    return (this.span.spanContext().traceFlags & TraceFlags.SAMPLED) !== 0
  }
}

/** The spans of calls: RPC for packages, HTTP for requests. */
export class CallSpans {
  readonly #spans: Spans
  readonly #remoteParent: RemoteParent
  readonly #names = new CallNames()

  constructor(spans: Spans, remoteParent: RemoteParent) {
    this.#spans = spans
    this.#remoteParent = remoteParent
  }

  start(call: Call): void {
    const { name, options } = this.#names.of(call)
    const remote = this.#remoteParent === 'ignore' ? null : readRemoteParent(call)
    const continues = remote !== null && this.#remoteParent === 'continue'
    // Whatever is active here is of another call, or of what has opened the app.
    const outer = continues ? trace.setSpanContext(ROOT_CONTEXT, remote) : ROOT_CONTEXT
    const linked = remote !== null && !continues ? { ...options, links: [{ context: remote }] } : options
    const span = this.#spans.start(name, linked, outer)
    if (span === null) return
    const { traceId, spanId } = span.spanContext()
    // Without an SDK a span is that of its parent, or none.
    if (traceId === INVALID_TRACEID || spanId === remote?.spanId) return
    setTrace(call, new CallTrace(span, outer))
    if (span.isRecording()) describe(span, call)
  }

  run<C extends Call>(call: C, work: (call: C) => void): void {
    const traced = traceOf(call)
    // One without a span is not inside of another either.
    const own = traced instanceof CallTrace ? traced.context : ROOT_CONTEXT
    context.with(own, work, undefined, call)
  }

  end(call: Call, outcome: CallOutcome): void {
    const traced = traceOf(call)
    if (!(traced instanceof CallTrace) || !traced.span.isRecording()) return
    conclude(traced.span, call, outcome)
    this.#spans.end(traced.span)
  }
}

/** What costs more to read than a span that is dropped may cost. */
function describe(span: Span, call: Call): void {
  span.setAttribute('client.address', call.address)
  span.setAttribute('twinwire.request_id', call.id)
  if (call.wire === 'ws') return
  const { path, route, secure, headers } = call
  span.setAttribute('url.path', redactPath(path ?? '', route.path))
  span.setAttribute('url.scheme', secure === true ? 'https' : 'http')
  const agent = headers['user-agent']
  if (agent !== undefined) span.setAttribute('user_agent.original', agent.slice(0, 256))
}

/** The status is that of the server: what a caller did wrong has a code, and leaves the status unset. */
function conclude(span: Span, { wire }: Call, { error, aborted, httpStatus }: CallOutcome): void {
  if (aborted) span.setAttribute('twinwire.aborted', true)
  else if (wire === 'http') span.setAttribute('http.response.status_code', httpStatus)
  else span.setAttribute('rpc.response.status_code', error === null ? 'ok' : error.code)
  if (error === null) {
    // What a handler answers itself, such as a health check that fails.
    if (wire === 'http' && httpStatus >= 500 && !aborted) {
      span.setAttribute('error.type', String(httpStatus))
      span.setStatus({ code: SpanStatusCode.ERROR })
    }
    return
  }
  span.setAttribute('error.type', error.code)
  if (error.httpStatus < 500) return
  // Its message is what the caller gets. That of the cause is in the log only.
  span.setStatus({ code: SpanStatusCode.ERROR, message: error.message })
  if (error.cause instanceof Error) span.addEvent('exception', { 'exception.type': error.cause.name })
}
