import type { CallOutcome } from '../plugin/host.ts'
import type { InputReader } from '../route/input.ts'
import type { RouteDefinition } from '../route/route.ts'
import type { ActiveCall } from './active-call.ts'
import type { RouteInfo } from './call.ts'
import type { HttpCounter } from './call-instruments.ts'

/** When a call's identity is found out over HTTP. */
export type IdentityPolicy = 'required' | 'optional' | 'none'

/** The HTTP side of a route, compiled. */
export interface CompiledHttp {
  readonly input: InputReader
  /** POST, PUT, PATCH. */
  readonly hasBody: boolean
  /** The body is read and left alone: the route has no input. */
  readonly ignoresBody: boolean
  readonly raw: boolean
  readonly maxBodyBytes: number
  /** Of success; null: 200, or 204 when there is no result. */
  readonly status: number | null
}

/** A route as the wires run it. Everything that can be known at boot is. */
export interface CompiledRoute {
  readonly info: RouteInfo
  readonly definition: RouteDefinition
  /** Null for a route that is on WebSocket only. */
  readonly http: CompiledHttp | null
  /** Answered while the app drains: health and metrics, which are asked for just then. */
  readonly servesWhileDraining: boolean
  /** Runs a call from its guards to its answer. Never throws. */
  readonly run: (call: ActiveCall) => void
  readonly identity: IdentityPolicy
  /** 0: none. */
  readonly deadlineMs: number
  /** Counts the outcome of a package into the instruments; null for a route that is on HTTP only. */
  readonly countWebSocket: ((outcome: CallOutcome) => void) | null
  /** Null for a route that is on WebSocket only. */
  readonly httpCounter: HttpCounter | null
}
