import type { Call } from './call.ts'

/** The span of a call, as the tracer of the app has started it. */
export interface Trace {
  /** 32 lower-case hexadecimal digits. */
  readonly traceId: string
  /** 16 lower-case hexadecimal digits. */
  readonly spanId: string
  /** The span is recorded, so that the trace can be looked up. */
  readonly sampled: boolean
}

/** A property, not a field of calls: most apps have no tracer. */
const key: unique symbol = Symbol('trace')

interface Traced {
  [key]?: Trace
}

/**
 * The span of a call; undefined when no tracer has started one. What only has to find the line of its caller reads `call.traceparent`.
 *
 * @example
 * host.onReply((call, { durationMs }) => {
 *   const trace = traceOf(call)
 *   if (trace?.sampled) slowest.offer(durationMs, trace.traceId)
 * })
 */
export function traceOf(call: Call): Trace | undefined {
  const { [key]: trace }: Call & Traced = call
  return trace
}

/**
 * For a tracer: the log lines of the call get `trace_id` and `span_id`, and `traceOf(call)` returns `trace`. Call it before anything is logged:
 * in `start` of a `Tracer`, or in `onCall`. In an app with a tracer (`host.trace`) no other plugin may: the tracer would not find its span again.
 *
 * @example
 * host.onCall((call) => setTrace(call, { traceId, spanId, sampled: true }))
 */
export function setTrace(call: Call, trace: Trace): void {
  const traced: Call & Traced = call
  traced[key] = trace
}
