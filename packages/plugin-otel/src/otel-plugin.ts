import { context, ROOT_CONTEXT, SpanKind, trace } from '@opentelemetry/api'
import type { Logger, Plugin } from '@twinwire/core'
import { definePlugin, pluginKey, type Tracer as TracerOfApp } from '@twinwire/core/plugin'
import { CallSpans } from './call-spans.ts'
import { OperationSpans, setFailure } from './operation-spans.ts'
import { type OtelOptions, type ResolvedOtelOptions, resolveOtelOptions } from './options.ts'
import { Spans } from './spans.ts'

const otelKey = pluginKey('otel').of<void>()
const scope = '@twinwire/plugin-otel'

/**
 * Traces an app with OpenTelemetry: calls of both wires, tasks, and, inside of them, transactions, statements, commands to Redis and publications. Spans that
 * a handler makes itself are children of the span of its call. The app registers the SDK, which decides what is sampled and where it goes; without one the
 * plugin records nothing.
 *
 * Boot errors: `bad_option`, `unknown_option`, `duplicate_tracer`.
 *
 * @example
 * const app = createApp({ pkgIds: PkgID, routes, plugins: [otel()] })
 */
export function otel(options: OtelOptions = {}): Plugin<void> {
  return definePlugin(otelKey, {
    doctor(host) {
      host.peer('@opentelemetry/api', 'otel() is built on it', import.meta.url)
    },
    setup(host) {
      host.trace(createTracer(resolveOtelOptions(options), host.log))
    },
  })
}

function createTracer({ remoteParent, queryText, tracerProvider }: ResolvedOtelOptions, log: Logger): TracerOfApp {
  // That of the API finds a provider that is registered later.
  const tracer = tracerProvider === null ? trace.getTracer(scope) : tracerProvider.getTracer(scope)
  const spans = new Spans(tracer, log)
  const calls = new CallSpans(spans, remoteParent)
  const operations = new OperationSpans(spans, queryText)
  return {
    start: (call) => calls.start(call),
    run: (call, work) => calls.run(call, work),
    end: (call, outcome) => calls.end(call, outcome),
    task: (name, work) => runTask(spans, name, work),
    operation: (operation) => operations.begin(operation),
  }
}

/** Each run of a task begins a trace. */
async function runTask(spans: Spans, name: string, work: () => Promise<void>): Promise<void> {
  const options = { kind: SpanKind.INTERNAL, attributes: { 'twinwire.task': name } }
  const span = spans.start(`task ${name}`, options, ROOT_CONTEXT)
  if (span === null) return context.with(ROOT_CONTEXT, work)
  try {
    await context.with(trace.setSpan(ROOT_CONTEXT, span), work)
  } catch (error) {
    setFailure(span, error instanceof Error ? error.name : 'unknown')
    throw error
  } finally {
    spans.end(span)
  }
}
