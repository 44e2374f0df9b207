import type { Context, Span, SpanOptions, Tracer } from '@opentelemetry/api'
import type { Logger } from '@twinwire/core'

/** Starts and ends spans. What a sampler or a processor of the SDK throws is logged: it must not fail what is traced. */
export class Spans {
  readonly #tracer: Tracer
  readonly #log: Logger

  constructor(tracer: Tracer, log: Logger) {
    this.#tracer = tracer
    this.#log = log
  }

  /** Null when the SDK has thrown. */
  start(name: string, options: SpanOptions, outer: Context): Span | null {
    try {
      return this.#tracer.startSpan(name, options, outer)
    } catch (error) {
      this.#failed(error)
      return null
    }
  }

  end(span: Span): void {
    try {
      span.end()
    } catch (error) {
      this.#failed(error)
    }
  }

  #failed(error: unknown): void {
    this.#log.error({ err: error }, 'The tracer of OpenTelemetry failed')
  }
}
