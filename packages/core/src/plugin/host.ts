import type { Clock } from '../base/clock.ts'
import type { ClusterWorker } from '../base/cluster-worker.ts'
import type { DoctorCheck } from '../base/doctor.ts'
import type { Environment } from '../base/environment.ts'
import type { Instruments } from '../base/instruments.ts'
import type { Logger } from '../base/logger.ts'
import type { MaybePromise } from '../base/maybe-promise.ts'
import type { Operations } from '../base/operations.ts'
import type { PluginKey } from '../base/plugin-key.ts'
import type { DecidedOutcome } from '../call/before-reply.ts'
import type { Call, RouteInfo } from '../call/call.ts'
import type { CallOutcome } from '../call/call-outcome.ts'
import type { AnyEvent } from '../call/event.ts'
import type { Identity } from '../call/identity.ts'
import type { Publication } from '../call/publication.ts'
import type { Tracer } from '../call/tracer.ts'
import type { AppError } from '../errors/app-error.ts'
import type { ErrorMapper } from '../errors/normalize.ts'
import type { Connection } from '../hub/connection.ts'
import type { PluginControlHandler } from '../hub/control.ts'
import type { Hub } from '../hub/hub.ts'
import type { TopicsOf } from '../hub/topic-builder.ts'
import type { AnyEndpoint, AnyRoute } from '../route/route.ts'
import type { Step } from '../route/step.ts'
import type { TaskOptions } from '../tasks/task.ts'
import type { AppContract } from './contract.ts'
import type { ControlHandler, HandshakeOptions } from './control-frames.ts'
import type { HealthCheck } from './health.ts'
import type { IncomingRequest } from './incoming-request.ts'
import type { PluginControl } from './plugin-control.ts'

/** Of a hook `onReply`. */
export interface ReplyHookOptions {
  /**
   * False promises that the hook, and whatever it gives the call to, reads `call.address` of an HTTP call only if its status is 400 or
   * above. The client's address is then not read for the hook's sake, which saves a system call; read all the same it may be ''. Default
   * true.
   *
   * @example
   * host.onReply((_call, { durationMs }) => durations.observe(durationMs), { readsAddress: false })
   */
  readonly readsAddress?: boolean
}

/** Returns the identity of a request; null if it has no credentials. Throws `AuthenticationError` for invalid ones. */
export type Identify = (request: IncomingRequest) => MaybePromise<Identity | null>

/** Options of `host.identify`. */
export interface IdentifyOptions {
  /**
   * The error for calls that need an identity and have none: an AuthenticationError with a `www-authenticate` header that names a
   * scheme. Default: one without that header.
   */
  readonly missing?: () => AppError
  /**
   * Cookies that carry credentials, by name, for descriptions of the app. Those of a handshake (`credentialCookies`) are described without it. Default:
   * none.
   */
  readonly credentialCookies?: readonly string[]
}

/** How a connection ended. */
export interface DisconnectOutcome {
  readonly code: number
  readonly reason: string
  /** The handshake and all `onConnect` hooks had succeeded. */
  readonly admitted: boolean
}

/** PkgID of a route or event that a plugin adds. */
export interface PackageOptions {
  /** An integer from 1 to 2^31 - 1. The app can set another one in `pluginPkgIds`, and must if this is not set. */
  readonly pkgId?: number
}

/** The argument of a plugin's `setup`. Registers hooks, routes and checks; only during `setup`, later calls throw. */
export interface PluginHost {
  readonly environment: Environment
  readonly clock: Clock
  readonly log: Logger
  readonly instruments: Instruments
  readonly hub: Hub
  /** All routes and endpoints; complete from `onReady` on. */
  readonly routes: readonly RouteInfo[]
  /**
   * All that the app serves, with its schemas, errors and limits: for a plugin that describes it. Complete from `onReady` on; a BootError,
   * `wrong_state`, before.
   */
  describe(): AppContract
  /**
   * The API of another plugin of the app, from `onReady` on. Name it in `requires` too: it is then set up before this plugin, and closed after it.
   * Throws BootErrors: `wrong_state` during `setup`, `missing_plugin`, `mismatched_plugin_key`.
   *
   * @example
   * host.onReady(async () => {
   *   await host.api(databaseKey).db.select().from(tenants)
   * })
   */
  api<Api>(key: PluginKey<string, Api>): Api
  /** The worker of a cluster that this process is; null outside of a cluster. What works in one process only calls `requireSingleProcess`. */
  readonly worker: ClusterWorker | null

  /** Runs before any other work on a request or an upgrade. Throw an AppError to refuse it. */
  onRequest(hook: (request: IncomingRequest) => MaybePromise<void>): void
  /**
   * An upgrade was rejected by core, by `onRequest` or because of its credentials. No other hook runs for it. Must not throw. For an HTTP
   * request that is refused, `onReply` runs.
   */
  onUpgradeRejected(hook: (request: IncomingRequest, error: AppError) => void): void
  /** Provides the identity of HTTP requests. Only one plugin may. */
  identify(owner: Identify, options?: IdentifyOptions): void
  /**
   * The handshake of a connection has succeeded; it is not in the hub yet. Throw a Disconnect to refuse it. Runs for a client of `reply.events`
   * too (its `connection.wire` is `http`), before the first byte: it can be refused by any AppError, which is its response. A Disconnect is
   * answered by what its code means: 401, 403, 429, 500 or 503.
   */
  onConnect(hook: (connection: Connection) => MaybePromise<void>): void
  /** A call starts; none of its steps has run. Must not throw. */
  onCall(hook: (call: Call) => void): void
  /**
   * What the caller sent was read and decoded, and is not validated yet; at most once for a call, and not for one that was refused before. A
   * handler may change it later. Must not throw.
   */
  onInput(hook: (call: Call, input: unknown) => void): void
  /**
   * Holds back the replies of routes for which `when` returns true, which is asked once their steps are bound. `hook` runs when the outcome of a
   * call is decided: its handler and the commit of its transaction have ended, or it failed, was refused or reached its deadline. The reply leaves
   * when `hook` has ended; give what it waits for a time limit: a drain waits for it as for a COMMIT, then disconnects the client. What it throws
   * is the answer instead: an AppError is kept, anything else is `internal_error`, and `outcome_unknown` where the call has committed. Once for every
   * call of the route; for a client that has disconnected nothing is held back. A route with `output: stream(…)` is a boot error, `bad_route`.
   *
   * @example
   * host.beforeReply(async (call, { error }) => {
   *   if (error !== null) await failures.write(call.id, error.code)
   * }, { when: ({ name }) => name === 'TRANSFER' })
   */
  beforeReply(
    hook: (call: Call, decided: DecidedOutcome) => MaybePromise<void>,
    options: { readonly when: (route: RouteInfo) => boolean },
  ): void
  /** A call has ended; once for every call, also for those without a route. Must not throw. */
  onReply(hook: (call: Call, outcome: CallOutcome) => void, options?: ReplyHookOptions): void
  /**
   * Traces the app: calls, tasks and operations. Only one plugin may, another one is a boot error, `duplicate_tracer`. Without one, calls and operations
   * cost nothing more.
   *
   * @example
   * host.trace({ start: begin, run: inContext, end: finish, task: runTask, operation: beginOperation })
   */
  trace(tracer: Tracer): void
  /**
   * Tells the tracer of the app about work that takes time, such as a command that this plugin sends to a server. `begin` is null in an app without
   * one, and the argument is then not made. Its result is null for what is not traced; else call `end` once.
   *
   * @example
   * const span = host.operations.begin?.({ kind: 'command', system: 'redis', host: 'cache', port: 6379, namespace: '0', command: 'GET', script: null })
   * const value = await client.get(key).finally(() => span?.end(null))
   */
  readonly operations: Operations
  /**
   * A connection has closed; once for every socket that opened, also for those that were not admitted. Once also for every client of
   * `reply.events` for which `onConnect` ran; 1006 when it has disconnected by itself.
   */
  onDisconnect(hook: (connection: Connection, outcome: DisconnectOutcome) => void): void
  /** Everything is set up and compiled, nothing is served yet. An error stops the start. */
  onReady(hook: () => MaybePromise<void>): void
  /** The app closes and serves nothing any more. Runs in reverse order of registration, each hook with a time limit. */
  onClose(hook: () => MaybePromise<void>): void

  /** Adds a guard before the guards of each route for which `when` returns true. Default: all routes. */
  guard(step: Step<'guard', unknown, Call>, options?: { readonly when?: (route: RouteInfo) => boolean }): void
  /** Adds a route on HTTP only. It must state its access. */
  endpoint(route: AnyEndpoint): void
  /**
   * Adds a route with a PkgID; with `http` it is an HTTP route too. It must state its access. In the app its name is `<plugin>.<name>`.
   *
   * @throws BootError `duplicate_pkg_id` if the app or a plugin has the PkgID already; `bad_pkg_id` for none or an invalid one.
   *
   * @example
   * host.route('LIST_ONLINE', listOnline, { pkgId: 900 }) // name 'presence.LIST_ONLINE'
   * // The app can move it: createApp({ pluginPkgIds: { presence: { LIST_ONLINE: 42 } } })
   */
  route(name: string, route: AnyRoute, options?: PackageOptions): void
  /** Adds an event, with a name and a PkgID as those of `route`. It can be published once the app is ready. */
  event(name: string, event: AnyEvent, options?: PackageOptions): void
  /** Adds topic rules. A pattern that the app or another plugin declares too is a boot error, `duplicate_topic`. */
  topics<Table>(rules: TopicsOf<Table>): void
  /** Adds a check to `GET /health`. With `required: false` (default true) a failure is reported and the app stays ready: it can work without. */
  health(name: string, check: HealthCheck, options?: { readonly required?: boolean }): void
  /**
   * Work that no call asks for, as `tasks` of `createApp`: it begins when the app is ready, and the drain waits for it. Its name in the app is
   * `<plugin>.<name>`.
   *
   * @example
   * host.task('removeOld', { everyMs: 60_000, onOneNode: true, run: ({ signal }) => removeOld(signal) })
   */
  task(name: string, task: TaskOptions): void
  /**
   * Adds a check to `app.doctor()` that needs what `setup` has opened; it runs only in an app that is ready. Checks that need nothing of
   * the kind belong in `doctor` of the plugin.
   */
  doctor(name: string, check: DoctorCheck): void
  /** Handles text frames of a type, which only one plugin may. With `handshake` the frame is the handshake of the app. */
  controlFrame(type: string, handler: ControlHandler, handshake?: HandshakeOptions): void
  /**
   * Receives the control messages that this plugin sends on other nodes of the app, and returns what sends them. `handler` gets the JSON that
   * was passed to `send`, never that of its own node: apply it there yourself, before or after you send it. A message may arrive more than
   * once, and, with `keepMs`, long after it was sent: applying it again must not harm. Another version of the plugin may have sent it, so
   * check it. An error of the handler is logged.
   *
   * @example
   * const control = host.onControl((data) => {
   *   if (isRevocation(data)) revocations.add(data)
   * })
   * revocations.add(revocation)
   * void control.send(revocation, { keepMs: 3_600_000 })
   */
  onControl(handler: PluginControlHandler): PluginControl
  /**
   * Wraps a promise that your plugin returns to an application, so that the application may drop it: if it rejects and nothing handles
   * that, the error is logged and counted instead of being an unhandled rejection of the process. `name` is in the log; the line goes to the
   * log of the call `onBehalfOf`, by default of the app. May be called at any time.
   *
   * @example
   * reset: (key) => host.dropSafe(store.reset(key), 'limits.reset')
   */
  dropSafe<T>(work: Promise<T>, name: string, onBehalfOf?: Pick<Call, 'log'> | null): Promise<T>
  /**
   * Publishes what was prepared before, by this process or another one, and stored: an outbox. Resolves when the broker took it, and rejects when it
   * did not; with the same `key` again it is not published again, for as long as the broker remembers keys (`redisBroker` ten minutes, `memoryBroker`
   * the last 10,000). Publications of one stream keep the order of the calls. From `onReady` to the end of `onClose`.
   *
   * @example
   * await host.publishOnce(row.publication, `outbox-${row.id}`)
   */
  publishOnce(publication: Publication, key: string): Promise<void>
  /** Throws for a publication that `publishOnce` would refuse each time, because it is larger than the broker takes: before it is stored. */
  checkPublication(publication: Publication): void
  /**
   * Converts errors of a library, such as a database driver, to an AppError. What was registered last is asked first: a plugin that names another one in
   * `requires` may convert some errors of its library more precisely.
   *
   * @example
   * host.mapErrors((error) => (findDatabaseFailure(error)?.code === 'TN001' ? tenantErrors.not_set() : null))
   */
  mapErrors(mapper: ErrorMapper): void
}
