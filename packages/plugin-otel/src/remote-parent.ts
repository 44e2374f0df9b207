import { createTraceState, type SpanContext } from '@opentelemetry/api'
import type { Call } from '@twinwire/core'

/** The span of the caller, by its `traceparent`, which core has validated; null without one. */
export function readRemoteParent(call: Call): SpanContext | null {
  const { traceparent } = call
  if (traceparent === null) return null
  const state = readTraceState(call, traceparent)
  return {
    traceId: traceparent.slice(3, 35),
    spanId: traceparent.slice(36, 52),
    traceFlags: Number.parseInt(traceparent.slice(53, 55), 16),
    isRemote: true,
    ...(state !== undefined && { traceState: createTraceState(state) }),
  }
}

/** A package has no `tracestate`: that of the upgrade belongs to the `traceparent` of the upgrade. */
function readTraceState({ headers }: Call, traceparent: string): string | undefined {
  return headers.traceparent === traceparent ? headers.tracestate : undefined
}
