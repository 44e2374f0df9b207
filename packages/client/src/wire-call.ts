import type { ServerPackage } from './codec.ts'
import type { ManifestRoute } from './manifest.ts'

/** A call, as both wires get it. */
export interface WireCall {
  readonly name: string
  readonly route: ManifestRoute
  readonly input: unknown
  readonly reqId: string
  readonly traceparent?: string | undefined
  readonly timeoutMs: number
  readonly signal: AbortSignal | undefined
}

/** What a call returns for the reply over WebSocket: the same as over HTTP, where only a page has `meta`. */
export function toAnswer({ reply }: ManifestRoute, { data, meta }: ServerPackage): unknown {
  return meta && reply ? { items: data, meta } : data
}
