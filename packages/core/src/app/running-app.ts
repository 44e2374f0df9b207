import { BootError, linked } from '../base/boot-error.ts'
import { type Clock, systemClock } from '../base/clock.ts'
import { workerLink } from '../base/cluster-worker.ts'
import { type DropListener, dropSafe } from '../base/drop-safe.ts'
import type { Environment } from '../base/environment.ts'
import type { DoctorReport } from '../base/finding.ts'
import { Instruments } from '../base/instruments.ts'
import type { Logger } from '../base/logger.ts'
import { checkOptions } from '../base/options.ts'
import type { RouteInfo } from '../call/call.ts'
import { countLateOutcomes } from '../call/call-instruments.ts'
import type { CallServices } from '../call/call-services.ts'
import { Deadlines } from '../call/deadlines.ts'
import { Rejections } from '../call/rejections.ts'
import { ConnectionHub } from '../hub/hub.ts'
import { createNodeInfo } from '../hub/node-info.ts'
import { resolveLogOptions } from '../log/log-options.ts'
import type { PluginApis } from '../plugin/plugin-apis.ts'
import { createPluginHost, PluginRegistry } from '../plugin/plugin-host.ts'
import { addressRules } from '../transport/socket-limits.ts'
import type { Transport } from '../transport/transport.ts'
import { uws } from '../transport/uws-server.ts'
import { createWebSocketInstruments, type WebSocketInstruments } from '../websocket/websocket-instruments.ts'
import { createAccessLog } from './access-log.ts'
import type { ListenAddress } from './app.ts'
import { AppEvents } from './app-events.ts'
import { createContract } from './contract.ts'
import { type AppState, AppStates } from './lifecycle/app-states.ts'
import { bind } from './lifecycle/bind.ts'
import { closeParts } from './lifecycle/close-parts.ts'
import { drain, serveOn } from './lifecycle/drain.ts'
import { logUnhandledRejections } from './lifecycle/unhandled-rejections.ts'
import type { ServedApp } from './manifest.ts'
import type { ResolvedOptions } from './resolve-options.ts'
import { createWires, type Wires } from './wires.ts'

/** An app from `created` to `closed`. `createApp` returns its public interface. */
export class RunningApp {
  readonly environment: Environment
  readonly log: Logger
  readonly hub: ConnectionHub
  readonly instruments: Instruments = new Instruments()
  readonly #options: ResolvedOptions
  readonly #clock: Clock
  readonly #transport: Transport
  readonly #registry: PluginRegistry
  readonly #events: AppEvents
  readonly #rejections: Rejections
  readonly #services: CallServices
  readonly #webSocketInstruments: WebSocketInstruments
  readonly #tracked = new Set<Promise<unknown>>()
  readonly #routes: RouteInfo[] = []
  readonly #states: AppStates
  #wires: Wires | null = null
  #ready: Promise<void> | null = null
  #closed: Promise<void> | null = null
  /** `close` waits for it: a port that is bound after the transport has closed would stay open. */
  #binding: ReturnType<Transport['listen']> | null = null
  /** A process that failed to start must not exit with code 0. */
  readonly #failedStart: DropListener = {
    dropped: (error, promise) => {
      this.#rejections.dropped(error, promise)
      process.exitCode ??= 1
    },
  }
  #stopLoggingRejections: () => void = () => {}

  constructor(options: ResolvedOptions) {
    const { given, environment, cookies, commitTimeoutMs, errorLink } = options
    this.#options = options
    this.environment = environment
    this.#clock = given.clock ?? systemClock
    this.#transport = given.transport ?? uws()
    const log = resolveLogOptions(given.log, environment, options.health?.path ?? null)
    this.log = log.logger
    this.#states = new AppStates(this.log)
    this.#webSocketInstruments = createWebSocketInstruments(this.instruments)
    this.#events = new AppEvents(options.events, options.pkgIds, options.validateOutput)
    const { pluginPkgIds = {}, topics = {} } = given
    this.#registry = new PluginRegistry({ ...options, pluginPkgIds, topics })
    this.#rejections = new Rejections(this.instruments, this.log)
    const shared = { clock: this.#clock, log: this.log, rejections: this.#rejections }
    this.hub = new ConnectionHub({
      broker: options.broker,
      node: createNodeInfo(this.#clock),
      ...shared,
      instruments: this.instruments,
      transport: this.#transport,
      maxBackpressureBytes: options.websocket.maxBackpressureBytes,
      onPublished: (count, bytes) => this.#webSocketInstruments.sent(count, bytes),
      topics: this.#registry.topics,
      hasIdentities: () => this.#registry.identity !== null || this.#registry.controls.size > 0,
      findEvent: (event) => this.#events.find(event),
      keyOf: (publication) => this.#events.keyOf(publication),
      onError: () => this.#webSocketInstruments.broadcastErrors.inc(),
      onLateError: (error) => {
        this.#webSocketInstruments.broadcastErrors.inc()
        this.log.error({ err: error }, 'The broker failed to publish')
      },
      operations: this.#registry.tracing,
    })
    this.#services = {
      ...shared,
      hub: this.hub,
      deadlines: new Deadlines(this.#clock),
      commitTimeoutMs,
      usesTls: false,
      cookies,
      countLateOutcome: countLateOutcomes(this.instruments),
      errorMappers: this.#registry.errorMappers,
      onCall: null,
      onReply: null,
      hooksReadAddress: false,
      onWorkEnd: null,
      access: createAccessLog(log),
      errorLink,
      asyncContext: given.asyncContext ?? false,
      tracer: null,
      track: (work) => this.#track(work),
    }
  }

  get state(): AppState {
    return this.#states.current
  }

  onState(listener: (state: AppState) => void): () => void {
    return this.#states.listen(listener)
  }

  ready(): Promise<void> {
    this.#ready ??= dropSafe(linked(this.#boot(), this.#options.docs), 'app.ready', this.#failedStart)
    return this.#ready
  }

  listen(address: Partial<Pick<ListenAddress, 'host' | 'port'>>): Promise<ListenAddress> {
    return dropSafe(linked(this.#listen(address), this.#options.docs), 'app.listen', this.#failedStart)
  }

  async #listen(address: object): Promise<ListenAddress> {
    const { host, port } = checkOptions('app.listen()', address, addressRules)
    await this.ready()
    const wires = this.#wires
    if (this.#binding !== null) throw new BootError('wrong_state', 'The app is already listening: call listen once')
    if (this.state !== 'ready' || wires === null)
      throw new BootError('wrong_state', `listen cannot be called when the app is ${this.state}`)
    try {
      const { websocket, given } = this.#options
      if (given.unhandledRejections !== false) this.#stopLoggingRejections = logUnhandledRejections(this.#rejections)
      const { answersAtOnce } = wires.upgrader
      const { path: websocketPath, compression } = websocket
      const address = { host, port, websocketPath, limits: websocket, compression, upgradesAtOnce: answersAtOnce }
      this.#binding = bind({ app: this, transport: this.#transport, address, wires, log: this.log })
      const bound = await this.#binding
      this.#services.usesTls = bound.secure === true
      this.#states.enter('serving')
      // In tests the same notes about the machine would be repeated for every app.
      const level = this.environment === 'test' ? 'info' : 'warn'
      for (const note of bound.notes ?? []) this.log[level](note)
      const url = `${bound.secure === true ? 'https' : 'http'}://${host.includes(':') ? `[${host}]` : host}:${bound.port}`
      this.log.info({ url, environment: this.environment }, 'Listening')
      workerLink()?.listening()
      return { host, port: bound.port, url }
    } catch (error) {
      await this.close()
      throw error
    }
  }

  close(): Promise<void> {
    this.#closed ??= dropSafe(this.#close(), 'app.close', this.#rejections)
    return this.#closed
  }

  doctor(): Promise<DoctorReport> {
    const { doctor: checks } = this.#registry
    const app = { options: this.#options, transport: this.#transport, clock: this.#clock, checks }
    // Loaded when it is asked: it needs semver, which no request needs.
    const report = import('./doctor/doctor.ts').then(({ examineApp }) => examineApp(app))
    return dropSafe(report, 'app.doctor', this.#rejections)
  }

  served(reader: 'describe' | 'manifest'): ServedApp {
    const routes = this.#wires?.compiled.routes
    if (routes === undefined)
      throw new BootError('wrong_state', `Plugins can still add routes: await app.ready() before app.${reader}()`)
    return { routes, events: this.#events.describe(), websocket: this.#options.websocket }
  }

  async #boot(): Promise<void> {
    if (this.#closed !== null) throw new BootError('wrong_state', 'A closed app cannot be started: create a new one')
    if (this.state !== 'created') throw new BootError('wrong_state', `The app cannot start when it is ${this.state}`)
    this.#states.enter('starting')
    if (this.#options.conflict !== null) this.log.warn(this.#options.conflict)
    try {
      const apis = await this.#setUp()
      this.#wires = await this.#compile(apis)
      await this.hub.start()
      for (const hook of this.#registry.onReady) await hook()
      this.#states.enter('ready')
      this.#wires.tasks.start()
    } catch (error) {
      await this.#closeParts()
      this.#states.enter('closed')
      throw error
    }
  }

  async #setUp(): Promise<PluginApis> {
    const apis: PluginApis = new Map()
    for (const plugin of this.#options.plugins) {
      const services = {
        environment: this.environment,
        clock: this.#clock,
        log: this.log,
        instruments: this.instruments,
        hub: this.hub,
        rejections: this.#rejections,
        control: this.hub.control,
        routes: this.#routes,
        apis: () => (this.#wires === null ? null : apis),
        describe: () => createContract(this.served('describe').routes, this.#events, this.#registry, this.#options),
      }
      const { host, seal } = createPluginHost(plugin.name, this.#registry, services)
      try {
        apis.set(plugin.name, { key: plugin.key ?? null, api: await plugin.setup(host) })
      } finally {
        seal()
      }
    }
    return apis
  }

  async #compile(apis: PluginApis): Promise<Wires> {
    this.#registry.packages.checkAllUsed()
    this.#events.add(this.#registry.packages.events)
    const wires = await createWires({
      options: this.#options,
      registry: this.#registry,
      apis,
      services: this.#services,
      hub: this.hub,
      events: this.#events,
      instruments: this.instruments,
      webSocketInstruments: this.#webSocketInstruments,
      isServing: () => this.state === 'serving',
    })
    this.#routes.push(...wires.compiled.routes.map(({ info }) => info))
    return wires
  }

  #track(work: Promise<unknown>): void {
    const failed = (error: unknown): void => this.log.error({ err: error }, 'Work that continued after its call failed')
    const tracked = work.catch(failed).finally(() => {
      this.#tracked.delete(tracked)
      this.#services.onWorkEnd?.()
    })
    this.#tracked.add(tracked)
  }

  async #close(): Promise<void> {
    // Core's timers do not keep the process alive; while the app closes, it must stay alive.
    const keepAlive = setInterval(() => {}, 60_000)
    try {
      if (this.state !== 'serving') {
        await this.#ready?.catch(() => undefined)
        await this.#binding?.catch(() => undefined)
      }
      if (this.state === 'closed') return
      this.#states.enter('draining')
      if (this.#wires !== null) await this.#drain(this.#wires)
      await this.#transport.close()
      this.#services.deadlines.close()
      await this.#closeParts()
      this.#states.enter('closed')
      this.log.info('Closed')
    } finally {
      this.#stopLoggingRejections()
      clearInterval(keepAlive)
    }
  }

  async #drain({ http, webSocket, upgrader, tasks }: Wires): Promise<void> {
    const { drainTimeoutMs: timeoutMs, drainSpreadMs: spreadMs, drainDelayMs } = this.#options
    if (drainDelayMs > 0 && this.#binding !== null) await serveOn(this.#transport, this.#clock, drainDelayMs)
    this.#track(tasks.stop())
    http.draining = true
    webSocket.draining = true
    upgrader.rejectPending()
    this.#transport.stopAccepting()
    const work = { http, open: webSocket.open, tracked: this.#tracked }
    await drain({ services: this.#services, transport: this.#transport, ...work, timeoutMs, spreadMs })
  }

  #closeParts(): Promise<void> {
    const { closeTimeoutMs } = this.#options
    const { onClose } = this.#registry
    return closeParts({ clock: this.#clock, log: this.log, timeoutMs: closeTimeoutMs, onClose, hub: this.hub })
  }
}
