import type { MaybePromise } from '../base/maybe-promise.ts'
import type { CallServices } from '../call/call-services.ts'
import type { CompiledRoute } from '../call/compiled-route.ts'
import type { AppError } from '../errors/app-error.ts'
import type { Connection } from '../hub/connection.ts'
import type { ConnectionHub } from '../hub/hub.ts'
import type { TopicRule } from '../hub/topic.ts'
import type { ControlHandler, DisconnectOutcome, Handshake, IncomingRequest } from '../plugin/host.ts'
import type { PkgRouter } from '../route/pkg-router.ts'
import type { WebSocketConnection } from './connection.ts'
import type { ResolvedWebSocketOptions } from './options.ts'
import type { WebSocketInstruments } from './websocket-instruments.ts'

/** What every connection of an app shares. */
export interface WebSocketWire {
  readonly options: ResolvedWebSocketOptions
  readonly services: CallServices
  readonly hub: ConnectionHub
  readonly router: PkgRouter
  /** Stands in for the route of a package that none handles. */
  readonly unmatched: CompiledRoute
  readonly instruments: WebSocketInstruments
  /** Counts an error that answers a frame which did not become a call. */
  readonly refusedFrame: (code: string) => void
  readonly findTopicRule: (topic: string) => TopicRule | null
  readonly controls: ReadonlyMap<string, ControlHandler>
  readonly handshake: Handshake | null
  readonly onUpgradeRejected: readonly ((arrival: IncomingRequest, error: AppError) => void)[]
  readonly onConnect: readonly ((connection: Connection) => MaybePromise<void>)[]
  readonly onDisconnect: readonly ((connection: Connection, outcome: DisconnectOutcome) => void)[]
  /** Every open socket, admitted or not. */
  readonly open: Set<WebSocketConnection>
  /** From now on packages are answered `unavailable`. */
  draining: boolean
}
