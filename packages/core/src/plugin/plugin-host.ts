import { BootError } from '../base/boot-error.ts'
import type { Clock } from '../base/clock.ts'
import { workerLink } from '../base/cluster-worker.ts'
import type { NamedCheck } from '../base/doctor.ts'
import { dropSafe } from '../base/drop-safe.ts'
import type { Environment } from '../base/environment.ts'
import type { Instruments } from '../base/instruments.ts'
import type { Logger } from '../base/logger.ts'
import type { MaybePromise } from '../base/maybe-promise.ts'
import type { BeforeReply } from '../call/before-reply.ts'
import type { Call, RouteInfo } from '../call/call.ts'
import type { CallOutcome } from '../call/call-outcome.ts'
import type { Rejections } from '../call/rejections.ts'
import { type AppError, AuthenticationError } from '../errors/app-error.ts'
import type { ErrorMapper } from '../errors/normalize.ts'
import type { Connection } from '../hub/connection.ts'
import type { NodeControl } from '../hub/control.ts'
import type { Hub } from '../hub/hub.ts'
import { type TopicRules, TopicTable } from '../hub/topic.ts'
import { coreFrameTypes } from '../protocol/frame.ts'
import { checkEndpoint } from '../route/check-table.ts'
import type { AnyEndpoint } from '../route/route.ts'
import type { AnyStep } from '../route/step.ts'
import { checkTask, type Task } from '../tasks/task.ts'
import type { AppContract } from './contract.ts'
import type { ControlHandler, Handshake } from './control-frames.ts'
import type { HealthPart } from './health.ts'
import type { DisconnectOutcome, Identify, IdentifyOptions, PluginHost } from './host.ts'
import type { IncomingRequest } from './incoming-request.ts'
import { findPluginApi, type PluginApis } from './plugin-apis.ts'
import { createPluginControl } from './plugin-control.ts'
import { type AppPackages, PluginPackages } from './plugin-packages.ts'
import { TracerSlot } from './tracer-slot.ts'

/** Services of the app that plugins can use. */
export interface HostServices {
  readonly environment: Environment
  readonly clock: Clock
  readonly log: Logger
  readonly instruments: Instruments
  readonly hub: Hub & { readonly publishing: Pick<PluginHost, 'publishOnce' | 'checkPublication'> }
  readonly rejections: Rejections
  readonly control: NodeControl
  readonly routes: readonly RouteInfo[]
  /** Null until all plugins are set up. */
  readonly apis: () => PluginApis | null
  readonly describe: () => AppContract
}

interface AppGuard {
  readonly step: AnyStep
  readonly when: (route: RouteInfo) => boolean
}

interface ReplyHolder {
  readonly hook: BeforeReply
  readonly when: (route: RouteInfo) => boolean
}

interface IdentityOwner extends Required<IdentifyOptions> {
  readonly plugin: string
  readonly identify: Identify
}

/** Everything that the plugins of one app have registered. */
export class PluginRegistry {
  readonly packages: PluginPackages
  readonly topics: TopicTable = new TopicTable()
  readonly onRequest: ((request: IncomingRequest) => MaybePromise<void>)[] = []
  readonly onUpgradeRejected: ((request: IncomingRequest, error: AppError) => void)[] = []
  readonly onConnect: ((connection: Connection) => MaybePromise<void>)[] = []
  readonly onCall: ((call: Call) => void)[] = []
  readonly onInput: ((call: Call, input: unknown) => void)[] = []
  readonly beforeReply: ReplyHolder[] = []
  readonly onReply: ((call: Call, outcome: CallOutcome) => void)[] = []
  /** Whether one of `onReply` may read the address of a call that succeeded. */
  replyHooksReadAddress = false
  readonly onDisconnect: ((connection: Connection, outcome: DisconnectOutcome) => void)[] = []
  readonly onReady: (() => MaybePromise<void>)[] = []
  readonly onClose: { readonly plugin: string; readonly run: () => MaybePromise<void> }[] = []
  readonly guards: AppGuard[] = []
  readonly tasks: Task[] = []
  readonly endpoints: { readonly plugin: string; readonly route: AnyEndpoint }[] = []
  readonly health: Map<string, HealthPart> = new Map()
  readonly doctor: NamedCheck[] = []
  readonly controls: Map<string, ControlHandler> = new Map()
  /** By type of control frame: the plugin that handles it. */
  readonly controlOwners: Map<string, string> = new Map()
  readonly errorMappers: ErrorMapper[] = []
  readonly tracing: TracerSlot = new TracerSlot()
  identity: IdentityOwner | null = null
  handshake: (Handshake & { readonly plugin: string }) | null = null

  constructor(app: AppPackages & { readonly topics: TopicRules }) {
    this.packages = new PluginPackages(app)
    this.topics.add(app.topics, 'createApp()')
  }
}

/** How long a client may take for the handshake, unless its owner says otherwise. */
export const handshakeTimeoutMs = 5000

/** The host of one plugin. After `seal` it registers nothing more. */
export function createPluginHost(
  plugin: string,
  registry: PluginRegistry,
  services: HostServices,
): { host: PluginHost; seal: () => void } {
  let sealed = false
  let log: Logger | null = null
  const checkOpen = (): void => {
    if (!sealed) return
    throw new BootError(
      'wrong_state',
      `Plugin '${plugin}' registered something after its setup has ended: register it in setup`,
    )
  }
  const adder =
    <T>(list: T[]) =>
    (item: T): void => {
      checkOpen()
      list.push(item)
    }
  const { environment, clock, instruments, hub, routes, describe, rejections, control } = services
  const host: PluginHost = {
    environment,
    clock,
    instruments,
    hub,
    routes,
    describe,
    checkPublication: (publication) => hub.publishing.checkPublication(publication),
    publishOnce: (publication, key) => hub.publishing.publishOnce(publication, key),
    worker: workerLink(),
    api: (key) => findPluginApi(services.apis(), plugin, key),
    get log() {
      log ??= services.log.child({ plugin })
      return log
    },
    onRequest: adder(registry.onRequest),
    onUpgradeRejected: adder(registry.onUpgradeRejected),
    onConnect: adder(registry.onConnect),
    onCall: adder(registry.onCall),
    onInput: adder(registry.onInput),
    beforeReply(hook, { when }) {
      checkOpen()
      registry.beforeReply.push({ hook, when })
    },
    onReply(hook, { readsAddress = true } = {}) {
      checkOpen()
      registry.onReply.push(hook)
      if (readsAddress) registry.replyHooksReadAddress = true
    },
    onDisconnect: adder(registry.onDisconnect),
    onReady: adder(registry.onReady),
    mapErrors(mapper) {
      checkOpen()
      // The last is asked first.
      registry.errorMappers.unshift(mapper)
    },
    operations: registry.tracing,
    trace(tracer) {
      checkOpen()
      registry.tracing.set(plugin, tracer)
    },
    onControl(handler) {
      checkOpen()
      control.onPlugin(plugin, handler)
      return createPluginControl(plugin, control)
    },
    dropSafe: (work, name, onBehalfOf = null) => dropSafe(work, name, rejections.listenerOf(onBehalfOf)),
    onClose(run) {
      checkOpen()
      registry.onClose.push({ plugin, run })
    },
    guard(step, { when = () => true } = {}) {
      checkOpen()
      registry.guards.push({ step, when })
    },
    endpoint(route) {
      checkOpen()
      checkEndpoint(`An endpoint of plugin '${plugin}'`, route)
      registry.endpoints.push({ plugin, route })
    },
    route(name, route, { pkgId } = {}) {
      checkOpen()
      registry.packages.addRoute(plugin, name, route, pkgId)
    },
    event(name, event, { pkgId } = {}) {
      checkOpen()
      registry.packages.addEvent(plugin, name, event, pkgId)
    },
    topics(rules) {
      checkOpen()
      registry.topics.add(rules, `Plugin '${plugin}'`)
    },
    identify(identify, { missing = () => new AuthenticationError(), credentialCookies = [] } = {}) {
      checkOpen()
      const owner = registry.identity
      if (owner !== null) {
        throw new BootError(
          'duplicate_identity_owner',
          `Plugins '${owner.plugin}' and '${plugin}' both own the identity: install one of them`,
        )
      }
      registry.identity = { plugin, identify, missing, credentialCookies }
    },
    health(name, check, { required = true } = {}) {
      checkOpen()
      if (name === 'status' || name === 'websocket' || name === 'broker') {
        throw new BootError(
          'bad_option',
          `Plugin '${plugin}' names a health check '${name}', which is core's own part of the report: rename the check`,
        )
      }
      if (registry.health.has(name))
        throw new BootError(
          'duplicate_health_check',
          `Two health checks have the name '${name}': rename the one of plugin '${plugin}'`,
        )
      registry.health.set(name, { check, required })
    },
    task(name, task) {
      checkOpen()
      registry.tasks.push(checkTask(`Plugin '${plugin}', host.task()`, name, `${plugin}.${name}`, task))
    },
    doctor(name, check) {
      checkOpen()
      registry.doctor.push({ name, check })
    },
    controlFrame(type, handle, handshake) {
      checkOpen()
      if (coreFrameTypes.some((own) => own === type))
        throw new BootError(
          'duplicate_control_frame',
          `Plugin '${plugin}' handles control frames of type '${type}', which are those of core (${coreFrameTypes.join(', ')}): choose another type`,
        )
      const other = registry.controlOwners.get(type)
      if (other !== undefined) {
        throw new BootError(
          'duplicate_control_frame',
          `Plugins '${other}' and '${plugin}' both handle control frames of type '${type}': install one of them`,
        )
      }
      registry.controls.set(type, handle)
      registry.controlOwners.set(type, plugin)
      if (handshake === undefined) return
      const owner = registry.handshake
      if (owner !== null) {
        throw new BootError(
          'duplicate_handshake_owner',
          `Plugins '${owner.plugin}' and '${plugin}' both own the handshake: install one of them`,
        )
      }
      registry.handshake = {
        plugin,
        type,
        handle,
        timeoutMs: handshake.timeoutMs ?? handshakeTimeoutMs,
        fromUpgrade: handshake.fromUpgrade,
        credentials: { headers: handshake.credentialHeaders ?? [], cookies: handshake.credentialCookies ?? [] },
      }
    },
  }
  return {
    host,
    seal() {
      sealed = true
    },
  }
}
