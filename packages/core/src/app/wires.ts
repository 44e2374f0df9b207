import { BootError } from '../base/boot-error.ts'
import type { Instruments } from '../base/instruments.ts'
import type { CallServices } from '../call/call-services.ts'
import { noCredentials } from '../edge/packed-headers.ts'
import { RequestPreprocessor } from '../edge/request-preprocessor.ts'
import { EventBeats } from '../http/events/event-beats.ts'
import { EventCodec } from '../http/events/event-codec.ts'
import { createEventInstruments } from '../http/events/event-instruments.ts'
import type { EventWire } from '../http/events/event-wire.ts'
import { HttpWire } from '../http/http-wire.ts'
import { loadDicer } from '../http/multipart/dicer.ts'
import { createSecurityHeaders } from '../http/security-headers.ts'
import type { ConnectionHub } from '../hub/hub.ts'
import { TopicJoins } from '../hub/topic-joins.ts'
import type { PluginApis } from '../plugin/plugin-apis.ts'
import type { PluginRegistry } from '../plugin/plugin-host.ts'
import type { Codec } from '../protocol/codec.ts'
import { jsonCodec } from '../protocol/json-codec.ts'
import type { SurroundTask } from '../tasks/task-loop.ts'
import { Tasks } from '../tasks/tasks.ts'
import { Upgrader } from '../websocket/upgrade.ts'
import type { WebSocketInstruments } from '../websocket/websocket-instruments.ts'
import type { WebSocketWire } from '../websocket/wire.ts'
import type { AppEvents } from './app-events.ts'
import { type CompiledApp, compileApp } from './compile-app.ts'
import { listenToCalls } from './listen-to-calls.ts'
import type { ResolvedOptions } from './resolve-options.ts'

/** The two wires of an app that has booted. */
export interface Wires {
  readonly http: HttpWire
  readonly webSocket: WebSocketWire
  readonly upgrader: Upgrader
  readonly compiled: CompiledApp
  readonly tasks: Tasks
}

interface WiresOptions {
  readonly options: ResolvedOptions
  readonly registry: PluginRegistry
  readonly apis: PluginApis
  readonly services: CallServices
  readonly hub: ConnectionHub
  readonly events: AppEvents
  readonly instruments: Instruments
  readonly webSocketInstruments: WebSocketInstruments
  readonly isServing: () => boolean
}

/** Compiles the routes and creates both wires, once all plugins are set up. Throws BootError `missing_peer` too. */
export async function createWires(parts: WiresOptions): Promise<Wires> {
  const { options, registry, services, hub } = parts
  const { given, websocket, hosts, cors, trustedProxies } = options
  const compiled = compileApp({
    ...options,
    defaultAccess: given.defaultAccess,
    registry,
    apis: parts.apis,
    instruments: parts.instruments,
    services,
    vitals: () => ({ connections: hub.size, serving: parts.isServing() }),
  })
  // Loaded here only, since few apps need it.
  const createDicer = compiled.routes.some(({ http }) => http !== null && http.multipart !== null)
    ? await loadDicer()
    : null
  listenToCalls(registry, services)
  const preprocessor = new RequestPreprocessor({ trustedProxies, hosts }, registry.onRequest)
  const securityHeaders = createSecurityHeaders(given.http?.securityHeaders)
  const { maxTopics } = websocket
  const joins = new TopicJoins({ services, hub, topics: registry.topics, maxTopics })
  const webSocket: WebSocketWire = {
    options: websocket,
    services,
    hub,
    router: compiled.pkgRouter,
    unmatched: compiled.unmatchedPackage,
    instruments: parts.webSocketInstruments,
    refusedFrame: compiled.calls.refusedFrame,
    topics: registry.topics,
    topicCalls: compiled.topicCalls,
    joins,
    findEvent: (event) => parts.events.find(event),
    frames: compiled.frames,
    controls: registry.controls,
    handshake: registry.handshake,
    onUpgradeRejected: registry.onUpgradeRejected,
    onConnect: registry.onConnect,
    onDisconnect: registry.onDisconnect,
    open: new Set(),
    draining: false,
  }
  parts.webSocketInstruments.watch(webSocket.open)
  const codecs = given.codecs ?? [jsonCodec]
  const byName = byFormat(codecs)
  const { clock, log } = services
  const tasks = [...options.tasks, ...registry.tasks]
  const surround: SurroundTask = (name, work) => services.tracer?.task(name, work) ?? work()
  return {
    compiled,
    tasks: new Tasks({ tasks, broker: options.broker, clock, log, instruments: parts.instruments, surround }),
    webSocket,
    upgrader: new Upgrader({ wire: webSocket, preprocessor, codecs: byName, defaultCodec: codecs[0], securityHeaders }),
    http: new HttpWire({
      services,
      preprocessor,
      router: compiled.httpRouter,
      unmatched: compiled.unmatchedRequest,
      identify: registry.identity?.identify ?? null,
      websocketPath: websocket.path,
      securityHeaders,
      events: createEventWire(parts, compiled, joins),
      cors,
      createDicer,
    }),
  }
}

function createEventWire(
  { options, registry, services, hub, instruments, events: named }: WiresOptions,
  { topicCalls }: CompiledApp,
  joins: TopicJoins,
): EventWire {
  const { maxBackpressureBytes, reconnectWindowMs } = options.websocket
  const events: EventWire = {
    services,
    hub,
    joins,
    topicCalls,
    codec: new EventCodec((pkgId) => named.nameOf(pkgId)),
    beats: new EventBeats(services.clock),
    instruments: createEventInstruments(instruments),
    onConnect: registry.onConnect,
    onDisconnect: registry.onDisconnect,
    credentials: registry.handshake?.credentials ?? noCredentials,
    maxBackpressureBytes,
    reconnectWindowMs,
    open: new Set(),
    draining: false,
  }
  events.instruments.watch(events.open)
  return events
}

/** By the value of `?format=`, in lower case. */
function byFormat(codecs: readonly Codec[]): ReadonlyMap<string, Codec> {
  const byName = new Map<string, Codec>()
  for (const codec of codecs) {
    const name = codec.name.toLowerCase()
    if (name === '' || byName.has(name))
      throw new BootError(
        'bad_option',
        `codecs: the name '${codec.name}' is empty or used twice: give each codec its own name`,
      )
    byName.set(name, codec)
  }
  return byName
}
