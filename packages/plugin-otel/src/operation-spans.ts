import { type Context, context, type Span, SpanStatusCode, TraceFlags, trace } from '@opentelemetry/api'
import type { Operation, OperationSpan } from '@twinwire/core/plugin'
import { nameOperation } from './operation-names.ts'
import type { Spans } from './spans.ts'

/** The spans of operations, which are children of the span that is active where they begin. */
export class OperationSpans {
  readonly #spans: Spans
  readonly #hasQueryText: boolean

  constructor(spans: Spans, hasQueryText: boolean) {
    this.#spans = spans
    this.#hasQueryText = hasQueryText
  }

  /** Null outside of a span, and inside of one that is dropped: health checks and loops of the process would begin traces of their own. */
  begin(operation: Operation): OperationSpan | null {
    const outer = context.active()
    const parent = trace.getSpan(outer)
    if (parent === undefined || !isOpen(parent)) return null
    const { name, kind, attributes } = nameOperation(operation, this.#hasQueryText)
    const span = this.#spans.start(name, { kind, attributes }, outer)
    return span === null ? null : new TracedOperation(this.#spans, span, outer)
  }
}

/** A span of another process is not recorded here, and may be sampled. */
function isOpen(span: Span): boolean {
  return span.isRecording() || (span.spanContext().traceFlags & TraceFlags.SAMPLED) !== 0
}

class TracedOperation implements OperationSpan {
  readonly #spans: Spans
  readonly #span: Span
  readonly #outer: Context

  constructor(spans: Spans, span: Span, outer: Context) {
    this.#spans = spans
    this.#span = span
    this.#outer = outer
  }

  run<T>(work: () => T): T {
    return context.with(trace.setSpan(this.#outer, this.#span), work)
  }

  end(failure: string | null): void {
    if (failure !== null) setFailure(this.#span, failure)
    this.#spans.end(this.#span)
  }
}

export function setFailure(span: Span, failure: string): void {
  span.setAttribute('error.type', failure)
  // A SQLSTATE has a digit, which `EPIPE` has not.
  if (/^(?=.*\d)[0-9A-Z]{5}$/.test(failure)) span.setAttribute('db.response.status_code', failure)
  span.setStatus({ code: SpanStatusCode.ERROR })
}
