import { context, type Span, SpanKind, trace } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  type Sampler,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base'

/** As the entry of an app does: for the whole process. */
export function useContext(): void {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
}

export interface TestSpans {
  readonly tracerProvider: BasicTracerProvider
  all(): readonly ReadableSpan[]
  named(name: string): readonly ReadableSpan[]
  /** Each span with the names of those around it: `CREATE > transaction > INSERT authors`. */
  paths(): readonly string[]
}

/** A provider whose spans the test reads. */
export function createSpans(sampler?: Sampler): TestSpans {
  const exporter = new InMemorySpanExporter()
  const spanProcessors = [new SimpleSpanProcessor(exporter)]
  const tracerProvider = new BasicTracerProvider({ spanProcessors, ...(sampler !== undefined && { sampler }) })
  const all = (): readonly ReadableSpan[] => exporter.getFinishedSpans()
  return {
    tracerProvider,
    all,
    named: (name) => all().filter((span) => span.name === name),
    paths: () =>
      all()
        .map((span) => pathOf(span, all()))
        .sort(),
  }
}

function pathOf(span: ReadableSpan, all: readonly ReadableSpan[]): string {
  const parent = all.find((each) => each.spanContext().spanId === span.parentSpanContext?.spanId)
  return parent === undefined ? span.name : `${pathOf(parent, all)} > ${span.name}`
}

export const kindOf = ({ kind }: ReadableSpan): string => SpanKind[kind]

export const activeSpan = (): Span | undefined => trace.getActiveSpan()
