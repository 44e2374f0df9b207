import { BootError } from '../base/boot-error.ts'
import type { Clock } from '../base/clock.ts'
import type { CompileError } from '../base/compile-error.ts'
import { type Environment, resolveEnvironment } from '../base/environment.ts'
import type { Logger, LogLevel } from '../base/logger.ts'
import type { Access } from '../call/call.ts'
import type { AnyEvent } from '../call/event.ts'
import { toHostNames } from '../edge/host.ts'
import type { ErrorFactory } from '../errors/define-errors.ts'
import { type Cors, type CorsOptions, createCors } from '../http/cors.ts'
import type { SecurityHeaderOptions } from '../http/security-headers.ts'
import type { Broker } from '../hub/broker.ts'
import type { TopicRules } from '../hub/topic.ts'
import type { LogOptions } from '../log/log-options.ts'
import { checkPlugins } from '../plugin/check-plugins.ts'
import type { Plugin } from '../plugin/plugin.ts'
import type { PluginPkgIds } from '../plugin/plugin-packages.ts'
import type { Codec } from '../protocol/codec.ts'
import { checkTable } from '../route/check-table.ts'
import type { AnyEndpoint, AnyRoute } from '../route/route.ts'
import { checkDeadline, checkKeys, isAccess } from '../route/route-definition.ts'
import type { Transport } from '../transport/transport.ts'
import { type ResolvedWebSocketOptions, resolveWebSocketOptions, type WebSocketOptions } from '../websocket/options.ts'
import { appDefaults } from './app-defaults.ts'
import { type HealthOptions, type ResolvedHealthOptions, resolveHealthOptions } from './lifecycle/health-options.ts'

export type PkgIds = Readonly<Record<string, number>>
export type RouteTable = Readonly<Record<string, AnyRoute>>
export type EventTable = Readonly<Record<string, AnyEvent>>

/** The HTTP wire of an app. */
export interface HttpWireOptions {
  /** Addresses or CIDR ranges of proxies whose `X-Forwarded-*` headers are used. Default: none. */
  readonly trustedProxies?: readonly string[]
  /** Host names that the app answers to, without port; `*` for any. In production it has to be said. Both wires. */
  readonly hosts?: readonly string[]
  /** Which pages of other origins may read answers. Default: none. WebSockets have `websocket.origins`. */
  readonly cors?: CorsOptions
  /** Replaces a security header, or with false leaves it out. */
  readonly securityHeaders?: SecurityHeaderOptions
  /** Largest body of a route that says nothing itself. Default 1 MiB. */
  readonly maxBodyBytes?: number
  /**
   * What becomes of a key of a query or a body that a route's input does not name. `validate`: its schema decides, and a method with a body
   * refuses query keys that it did not name. `ignore`: it is left out before a strict schema would refuse it, so that `?utm_source=…` does
   * no harm; a package is validated as it is. Default `validate`.
   */
  readonly unknownKeys?: 'validate' | 'ignore'
}

/** Everything that `createApp` takes beside the table of routes. */
export interface BaseOptions {
  /** Routes that live on HTTP only. */
  readonly endpoints?: readonly AnyEndpoint[]
  readonly plugins?: readonly Plugin[]
  /**
   * PkgIDs for routes and events that plugins add, by plugin and name, instead of those that the plugin sets:
   * `{ presence: { LIST_ONLINE: 42 } }`.
   */
  readonly pluginPkgIds?: PluginPkgIds
  /** Who may join which topics. A topic that none names cannot be joined, and publishing to it throws. `defineTopics` types them elsewhere. */
  readonly topics?: TopicRules
  /** Errors of `defineErrors`, so that two of one code are found at boot. Those of routes need not be repeated. */
  readonly errors?: readonly ErrorFactory[]
  /** Default `ENV`, else `NODE_ENV`, else `dev`. */
  readonly environment?: Environment
  /** Access of a silent route when no plugin owns identity: in production it has to be said. */
  readonly defaultAccess?: Access
  /** Milliseconds a call may take; 0 for no limit. Default 30000. */
  readonly deadlineMs?: number
  readonly websocket?: WebSocketOptions
  readonly http?: HttpWireOptions
  /**
   * How long the app may take to drain when it closes: for calls in flight, and for clients to take what was sent to them (a large answer
   * to its last byte, queued replies and the close frame). What is left then is cut. Default 10000.
   */
  readonly drainTimeoutMs?: number
  /**
   * Over how long connections are closed, evenly, so that clients do not come back all at once: when no call is in flight any more, and
   * at the latest at the end of `drainTimeoutMs`. Default 2000.
   */
  readonly drainSpreadMs?: number
  /**
   * How long a deadline or a drain waits for the answer to a COMMIT, or to a statement that writes and commits by itself, once it was sent;
   * then the call is answered with `outcome_unknown`. Below `drainTimeoutMs`. Default 5000, or half of `drainTimeoutMs` where that is less.
   */
  readonly commitTimeoutMs?: number
  /** How long each `onClose` of a plugin may take. Default 5000. */
  readonly closeTimeoutMs?: number
  /** Run `output` schemas and not only project on them. Default: in development and test. */
  readonly validateOutput?: boolean
  /** Routes for probes, `/health`, `/health/live` and `/health/ready`; false for none. */
  readonly health?: HealthOptions | false
  /** A level, a custom logger with pino's interface, or options for both and for the access log. */
  readonly log?: Logger | LogLevel | LogOptions
  /** `currentCall()` knows the call on whose behalf code runs, however deep. Default false: it costs each call. */
  readonly asyncContext?: boolean
  /**
   * What becomes of a promise of the application that fails and that nothing handles, while the app listens. `log` (the default): a line
   * in the log, counted in `app_unhandled_rejections_total`, and the process goes on; listeners of your own are called too. `false`:
   * core does not listen, and Node ends the process unless you do. Promises that core returns are never unhandled.
   */
  readonly unhandledRejections?: 'log' | false
  /** Default: uWebSockets.js. */
  readonly transport?: Transport
  /** Default: the machine's. */
  readonly clock?: Clock
  /** The first one is used for clients without `?format=`. Default: JSON. */
  readonly codecs?: readonly [Codec, ...Codec[]]
  /** Default: this process alone. */
  readonly broker?: Broker
}

/** Names what is missing, unknown, or in both tables. */
type TotalTable<Ids, Routes, Events> = {
  readonly [Name in Exclude<keyof Ids, keyof Routes | keyof Events>]: AnyRoute
} & {
  readonly [Name in Exclude<
    keyof Routes,
    keyof Ids
  >]: CompileError<`'${Name & string}' is not declared in pkgIds: put HTTP-only routes into endpoints`>
} & {
  // `Extract` and not `&`: from a bare `keyof Events` the compiler would infer Events out of the routes.
  readonly [Name in Extract<keyof Routes, keyof Events>]: CompileError<`'${Name & string}' is a route and an event`>
}

/** What `createApp` takes. */
export type AppOptions<Ids extends PkgIds, Routes extends RouteTable, Events extends EventTable> = BaseOptions & {
  /** Every kind of package of the app, each with its number. */
  readonly pkgIds: Ids
  /** By name of the PkgID. Routes and events together cover every PkgID. */
  readonly routes: Routes & TotalTable<Ids, Routes, Events>
  readonly events?: Events & {
    readonly [Name in Exclude<keyof Events, keyof Ids>]: CompileError<`'${Name & string}' is not declared in pkgIds`>
  }
}

/** Options as the rest of core reads them: checked, defaults filled in. */
export interface ResolvedOptions {
  readonly given: BaseOptions
  readonly pkgIds: PkgIds
  readonly routes: RouteTable
  readonly events: EventTable
  readonly endpoints: readonly AnyEndpoint[]
  readonly errors: readonly ErrorFactory[]
  readonly plugins: readonly Plugin[]
  readonly environment: Environment
  /** Set when ENV and NODE_ENV contradict each other. */
  readonly conflict: string | null
  readonly websocket: ResolvedWebSocketOptions
  /** As `toHostName` writes them; null: any. */
  readonly hosts: readonly string[] | null
  readonly cors: Cors | null
  readonly validateOutput: boolean
  readonly health: ResolvedHealthOptions
  readonly commitTimeoutMs: number
}

/** Checks everything that can be checked before a plugin is set up. */
export function resolveOptions<Ids extends PkgIds, Routes extends RouteTable, Events extends EventTable>(
  options: AppOptions<Ids, Routes, Events>,
): ResolvedOptions {
  checkOptions(options)
  const { pkgIds, routes, events = {}, endpoints = [], plugins = [], errors = [] } = options
  checkTable({ pkgIds, routes, events, endpoints, errors })
  checkPlugins(plugins)
  const { environment, conflict } = resolveEnvironment(options.environment, process.env)
  const isDevelopment = environment === 'dev' || environment === 'test'
  return {
    given: options,
    pkgIds,
    routes,
    events,
    endpoints,
    errors,
    plugins,
    environment,
    conflict,
    websocket: resolveWebSocketOptions(options.websocket ?? {}, isDevelopment),
    hosts: resolveHosts(options.http?.hosts, environment),
    cors: options.http?.cors === undefined ? null : createCors(options.http.cors),
    validateOutput: options.validateOutput ?? isDevelopment,
    health: resolveHealthOptions(options.health),
    commitTimeoutMs: resolveCommitTimeout(options),
  }
}

const known = [
  'pkgIds',
  'routes',
  'events',
  'endpoints',
  'plugins',
  'pluginPkgIds',
  'topics',
  'errors',
  'environment',
  'defaultAccess',
  'deadlineMs',
  'websocket',
  'http',
  'drainTimeoutMs',
  'drainSpreadMs',
  'commitTimeoutMs',
  'closeTimeoutMs',
  'validateOutput',
  'health',
  'log',
  'asyncContext',
  'unhandledRejections',
  'transport',
  'clock',
  'codecs',
  'broker',
] as const satisfies readonly (keyof BaseOptions | 'pkgIds' | 'routes' | 'events')[]

/** Refuses unknown options and numbers out of range. */
function checkOptions(options: BaseOptions): void {
  checkKeys(options, known, 'createApp')
  checkKeys(
    options.http ?? {},
    ['trustedProxies', 'hosts', 'cors', 'securityHeaders', 'maxBodyBytes', 'unknownKeys'],
    'createApp({ http })',
  )
  const { unknownKeys = 'validate' } = options.http ?? {}
  if (unknownKeys !== 'validate' && unknownKeys !== 'ignore') {
    throw new BootError('bad_option', `http.unknownKeys is 'validate' or 'ignore', not '${String(unknownKeys)}'`)
  }
  if (options.defaultAccess !== undefined && !isAccess(options.defaultAccess)) {
    throw new BootError('bad_option', `defaultAccess is 'public' or 'authenticated', not '${options.defaultAccess}'`)
  }
  const { unhandledRejections = 'log' } = options
  if (unhandledRejections !== 'log' && unhandledRejections !== false) {
    throw new BootError('bad_option', `unhandledRejections is 'log' or false, not '${unhandledRejections}'`)
  }
  checkDeadline(options.deadlineMs ?? 0, 'createApp')
  checkMilliseconds('drainTimeoutMs', options.drainTimeoutMs)
  checkMilliseconds('drainSpreadMs', options.drainSpreadMs)
  checkMilliseconds('closeTimeoutMs', options.closeTimeoutMs)
  const maxBodyBytes = options.http?.maxBodyBytes ?? 1
  if (!Number.isInteger(maxBodyBytes) || maxBodyBytes < 1) {
    throw new BootError('bad_option', `http.maxBodyBytes must be a positive integer of bytes, not ${maxBodyBytes}`)
  }
}

function checkMilliseconds(name: string, value = 0): void {
  if (!Number.isFinite(value) || value < 0 || value > 3_600_000) {
    throw new BootError('bad_option', `${name} must be 0 to 3600000 milliseconds, not ${value}`)
  }
}

function resolveCommitTimeout({ commitTimeoutMs, drainTimeoutMs = appDefaults.drainTimeoutMs }: BaseOptions): number {
  checkMilliseconds('commitTimeoutMs', commitTimeoutMs)
  // An app that closes without a drain still has deadlines.
  const drainMs = drainTimeoutMs === 0 ? Number.POSITIVE_INFINITY : drainTimeoutMs
  const resolved = commitTimeoutMs ?? Math.min(appDefaults.commitTimeoutMs, drainMs / 2)
  if (resolved < drainMs) return resolved
  throw new BootError(
    'bad_option',
    `commitTimeoutMs (${resolved}) must be less than drainTimeoutMs (${drainMs}): a drain waits so long for a COMMIT that was sent`,
  )
}

/** Null: any host. */
function resolveHosts(hosts: readonly string[] | undefined, environment: Environment): readonly string[] | null {
  if (hosts !== undefined) return hosts.includes('*') ? null : toHostNames(hosts)
  if (environment !== 'production') return null
  throw new BootError(
    'bad_option',
    "In production say which hosts the app answers to: http: { hosts: ['api.example.com'] }, or ['*'] for any",
  )
}
