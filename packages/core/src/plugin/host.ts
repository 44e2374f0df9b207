import type { Clock } from '../base/clock.ts'
import type { Environment } from '../base/environment.ts'
import type { Instruments } from '../base/instruments.ts'
import type { Logger } from '../base/logger.ts'
import type { MaybePromise } from '../base/maybe-promise.ts'
import type { Call, RouteInfo, Wire } from '../call/call.ts'
import type { CallOutcome } from '../call/call-outcome.ts'
import type { Identity } from '../call/identity.ts'
import type { ReplyHeaders } from '../call/reply-headers.ts'
import type { AppError } from '../errors/app-error.ts'
import type { ErrorMapper } from '../errors/normalize.ts'
import type { Connection } from '../hub/connection.ts'
import type { Hub } from '../hub/hub.ts'
import type { AnyEndpoint } from '../route/route.ts'
import type { Step } from '../route/step.ts'
import type { DoctorCheck } from './doctor.ts'
import type { HealthCheck } from './health.ts'

/** A request or an upgrade that has just come in: nothing of it is verified. */
export interface IncomingRequest {
  readonly wire: Wire
  readonly method: string
  readonly path: string
  /** The caller's IP address, behind the trusted proxies. */
  readonly address: string
  readonly headers: Readonly<Record<string, string>>
  readonly query: Readonly<Record<string, string | readonly string[]>>
  /** Headers of the answer, whatever it will be: over HTTP those of the call itself, over WebSocket those of a refused upgrade. */
  readonly replyHeaders: ReplyHeaders
}

/** Finds out who sent a request. Throws `AuthenticationError` for bad credentials; null when there are none. */
export type Identify = (request: IncomingRequest) => MaybePromise<Identity | null>

/** What an owner of the identity may say beside `identify`. */
export interface IdentifyOptions {
  /**
   * What a call without an identity is answered with where one is needed: an AuthenticationError with a `www-authenticate` header
   * that names a scheme. Default: one without.
   */
  readonly missing?: () => AppError
}

/** How a connection ended. */
export interface DisconnectOutcome {
  readonly code: number
  readonly reason: string
  /** Did it get through the handshake and `onConnect`? */
  readonly admitted: boolean
}

/** A text frame of the server: `{"type": "<type>", …}`. */
export interface ControlReply {
  readonly type: string
  readonly [key: string]: unknown
}

/** What a control frame leads to. */
export interface ControlResult {
  /** Who this connection is from now on; left out: no change. Topics are authorized again. */
  readonly identity?: Identity
  /**
   * Sent back as JSON text, in the handshake only after `onConnect` let the connection in. A function is asked then: credentials of
   * an upgrade are judged before there is a connection.
   */
  readonly reply?: ControlReply | ((connection: Connection) => ControlReply)
}

/**
 * Handles text frames `{"type": "<type>", …}`. A thrown Disconnect ends the connection with it; a thrown AppError with 4001;
 * anything else with 1011, and is logged. While it runs, packages behind the frame wait.
 */
export type ControlHandler = (
  frame: Readonly<Record<string, unknown>>,
  connection: Connection,
) => MaybePromise<ControlResult>

/**
 * Makes a control frame the handshake: no connection is admitted before it. Sent again it renews the identity; a result with another
 * subject then ends the connection with 4001.
 */
export interface HandshakeOptions {
  /** How long a connection may take to send its first frame. Default 5000; then 4002. */
  readonly timeoutMs?: number
  /**
   * Credentials in the upgrade itself: a result admits the connection without a first frame, null waits for one, a thrown AppError
   * refuses the upgrade with HTTP.
   */
  readonly fromUpgrade?: (request: IncomingRequest) => MaybePromise<ControlResult | null>
}

/** The control frame that is the handshake. */
export interface Handshake {
  readonly type: string
  readonly handle: ControlHandler
  readonly timeoutMs: number
  readonly fromUpgrade: HandshakeOptions['fromUpgrade']
}

/** What the app hands to each plugin's `setup`. Everything is registered there and then: after it, a call here throws. */
export interface PluginHost {
  readonly environment: Environment
  readonly clock: Clock
  readonly log: Logger
  readonly instruments: Instruments
  readonly hub: Hub
  /** Every route and endpoint known so far; complete from `onReady` on. */
  readonly routes: readonly RouteInfo[]

  /** Before any other work on a request or an upgrade. Refuses by throwing an AppError. */
  onRequest(hook: (arrival: IncomingRequest) => MaybePromise<void>): void
  /**
   * An upgrade was refused, by core, by `onRequest` or for its credentials: it becomes no connection, and no other hook is told of its
   * end. Must not throw. A request that is refused is a call: `onReply` is told.
   */
  onUpgradeRejected(hook: (arrival: IncomingRequest, error: AppError) => void): void
  /** Claims the identity: one plugin may. */
  identify(owner: Identify, options?: IdentifyOptions): void
  /** A connection has passed its handshake and is in neither hub nor topics yet. Refuses by throwing a Disconnect. */
  onConnect(hook: (connection: Connection) => MaybePromise<void>): void
  /** A call has started and nothing of it has run. Must not throw. */
  onCall(hook: (call: Call) => void): void
  /** A call has been answered, whatever came of it; once for every call, unmatched ones too. Must not throw. */
  onReply(hook: (call: Call, outcome: CallOutcome) => void): void
  /** A socket has closed; once for every one that opened, refused ones too. */
  onDisconnect(hook: (connection: Connection, outcome: DisconnectOutcome) => void): void
  /** Everything is set up and compiled, nothing is served yet. A failure stops the boot. */
  onReady(hook: () => MaybePromise<void>): void
  /** The app is closing and serves no more. In reverse order of registration, each within a time limit. */
  onClose(hook: () => MaybePromise<void>): void

  /** Puts a guard before those of the routes that `when` names; default: of every route. */
  guard(step: Step<'guard', unknown, Call>, options?: { readonly when?: (route: RouteInfo) => boolean }): void
  /** Adds an HTTP route. It must state its access. */
  endpoint(route: AnyEndpoint): void
  /**
   * Adds a part to `GET /health`. With `required: false` the report says how it is, and the app stays ready when it fails: for what the app
   * can work without. Default true.
   */
  health(name: string, check: HealthCheck, options?: { readonly required?: boolean }): void
  /**
   * Adds a check to `app.doctor()` that needs what `setup` has opened; it runs in an app that is ready. What can be said without is
   * said by `doctor` of the plugin.
   */
  doctor(name: string, check: DoctorCheck): void
  /** Claims text frames of one type; with `handshake`, the handshake: one plugin may. */
  controlFrame(type: string, handler: ControlHandler, handshake?: HandshakeOptions): void
  /**
   * Makes a promise that your plugin hands to an application safe to be dropped: when it fails and nothing has handled it, that is
   * logged and counted, and is no unhandled rejection of the process. `name` says what failed; `onBehalfOf` is the call whose log has it,
   * by default the app's. May be called at any time.
   *
   * @example
   * reset: (key) => host.dropSafe(store.reset(key), 'limits.reset')
   */
  dropSafe<T>(work: Promise<T>, name: string, onBehalfOf?: Pick<Call, 'log'> | null): Promise<T>
  /** Says what foreign errors (a driver's) are for a caller. */
  mapErrors(mapper: ErrorMapper): void
}
