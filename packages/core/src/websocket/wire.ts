import type { MaybePromise } from '../base/maybe-promise.ts'
import type { ActiveCall } from '../call/active-call.ts'
import type { CallServices } from '../call/call-services.ts'
import type { CompiledRoute } from '../call/compiled-route.ts'
import type { AnyEvent } from '../call/event.ts'
import type { Identity } from '../call/identity.ts'
import type { PackedHeaders } from '../edge/packed-headers.ts'
import type { AppError } from '../errors/app-error.ts'
import type { DisconnectRow } from '../errors/disconnect.ts'
import type { Connection, HubConnection } from '../hub/connection.ts'
import type { ConnectionHub } from '../hub/hub.ts'
import type { CompiledEvent } from '../hub/prepare-publication.ts'
import type { TopicTable } from '../hub/topic.ts'
import type { TopicCalls } from '../hub/topic-calls.ts'
import type { TopicJoins } from '../hub/topic-joins.ts'
import type { ControlHandler, ControlResult, Handshake } from '../plugin/control-frames.ts'
import type { DisconnectOutcome } from '../plugin/host.ts'
import type { IncomingRequest } from '../plugin/incoming-request.ts'
import type { Codec } from '../protocol/codec.ts'
import type { Frame } from '../protocol/frame.ts'
import type { PkgRouter } from '../route/pkg-router.ts'
import type { CompiledFrame } from './compile-frames.ts'
import type { ResolvedWebSocketOptions } from './options.ts'
import type { WebSocketInstruments } from './websocket-instruments.ts'

/** What all connections of an app share. */
export interface WebSocketWire {
  readonly options: ResolvedWebSocketOptions
  readonly services: CallServices
  readonly hub: ConnectionHub
  readonly router: PkgRouter
  /** The route of packages whose PkgID has none, so that hooks and instruments see them. */
  readonly unmatched: CompiledRoute
  readonly instruments: WebSocketInstruments
  /** Counts an error reply to a frame that did not become a call. */
  readonly refusedFrame: (code: string) => void
  readonly topics: TopicTable
  /** Those that ask rules with guards. */
  readonly topicCalls: TopicCalls
  readonly joins: TopicJoins
  /** Undefined for an event that the app does not list. */
  readonly findEvent: (event: AnyEvent) => CompiledEvent | undefined
  /** Control frames of core, by type. */
  readonly frames: ReadonlyMap<string, CompiledFrame>
  /** Those of plugins. */
  readonly controls: ReadonlyMap<string, ControlHandler>
  readonly handshake: Handshake | null
  readonly onUpgradeRejected: readonly ((request: IncomingRequest, error: AppError) => void)[]
  readonly onConnect: readonly ((connection: Connection) => MaybePromise<void>)[]
  readonly onDisconnect: readonly ((connection: Connection, outcome: DisconnectOutcome) => void)[]
  /** Every open socket, admitted or not. */
  readonly open: Set<WireConnection>
  /** The app is closing: new packages are answered with `unavailable`. */
  draining: boolean
}

export type CloseRow = Pick<DisconnectRow, 'code' | 'reason'>

/** An open connection, as the handshake, the topics and the drain see it. */
export interface WireConnection extends HubConnection {
  readonly shared: WebSocketWire
  identity: Identity | null
  /** The handshake has succeeded, even if the connection has closed since. */
  wasAdmitted: boolean
  /** False as soon as the connection is closed or its close has been decided. */
  readonly isOpen: boolean
  /** Calls in flight. */
  readonly running: readonly ActiveCall[]
  /** Runs a call of a control frame as those of packages. Calls of an equal lane do not overlap. */
  start(call: ActiveCall, lane: string | null, endsCalls: boolean): void
  /** The call has been answered. */
  ended(call: ActiveCall): void
  /** Frames of an admitted connection wait for a control frame to be handled. */
  readonly hasHeldFrames: boolean
  /** Handles a frame that is not held. */
  receive(data: ArrayBuffer, binary: boolean): void
  /** Handles a decoded frame. */
  dispatch(frame: Frame): void
  /** Frames are no longer held. */
  handshakeDone(): void
  /** The app closes: drops queued calls and answers held packages. */
  stopWaiting(): void
  /** Sends an encoded frame; disconnects a client that is too slow for it. */
  send(data: string | Uint8Array, binary: boolean): void
  close(row?: CloseRow): void
}

/** What is known of a connection from its upgrade. */
export interface UpgradeFacts {
  readonly address: string
  readonly headers: PackedHeaders
  /** As sent. */
  readonly query: string
  readonly codec: Codec
  /** Result of the credentials in the upgrade request; null without any. */
  readonly admission: ControlResult | null
}
