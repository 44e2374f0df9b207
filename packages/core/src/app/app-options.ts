import type { Clock } from '../base/clock.ts'
import type { CompileError } from '../base/compile-error.ts'
import type { Environment } from '../base/environment.ts'
import type { Logger, LogLevel } from '../base/logger.ts'
import type { Access } from '../call/call.ts'
import type { AnyEvent } from '../call/event.ts'
import type { ErrorFactory } from '../errors/define-errors.ts'
import type { HttpCompressionOptions } from '../http/compression/options.ts'
import type { CorsOptions } from '../http/cors.ts'
import type { SecurityHeaderOptions } from '../http/security-headers.ts'
import type { Broker } from '../hub/broker.ts'
import type { TopicRules } from '../hub/topic.ts'
import type { TopicsOf } from '../hub/topic-builder.ts'
import type { LogOptions } from '../log/log-options.ts'
import type { Plugin } from '../plugin/plugin.ts'
import type { PluginPkgIds } from '../plugin/plugin-packages.ts'
import type { Codec } from '../protocol/codec.ts'
import type { AnyEndpoint, AnyRoute } from '../route/route.ts'
import type { TaskTable } from '../tasks/task.ts'
import type { Transport } from '../transport/transport.ts'
import type { WebSocketOptions } from '../websocket/options.ts'
import type { DocsOptions } from './docs-option.ts'
import type { HealthOptions } from './lifecycle/health-options.ts'

export type PkgIds = Readonly<Record<string, number>>
export type RouteTable = Readonly<Record<string, AnyRoute>>
export type EventTable = Readonly<Record<string, AnyEvent>>

/** What signed cookies need. */
export interface CookieSettings {
  /**
   * Each at least 32 characters. The first signs, all verify: to replace one, put the new one in front, and remove the old one when the cookies
   * that it has signed have expired. Default: none, and no cookie can be signed.
   */
  readonly secrets?: readonly string[]
}

/** The HTTP wire of an app. */
export interface HttpWireOptions {
  /**
   * Addresses or CIDR ranges of proxies whose `X-Forwarded-For` and `X-Forwarded-Proto` are trusted. `X-Forwarded-Host` is not used: let the proxy
   * pass `Host` on. Default: none.
   */
  readonly trustedProxies?: readonly string[]
  /** Host names that the app answers to, without port; `*` for any. Required in production. Both wires. */
  readonly hosts?: readonly string[]
  /** Which pages of other origins may read answers. Default: none. WebSockets have `websocket.origins`. */
  readonly cors?: CorsOptions
  /** Of signed cookies. */
  readonly cookies?: CookieSettings
  /** Replaces a security header, or with false leaves it out. */
  readonly securityHeaders?: SecurityHeaderOptions
  /**
   * Compresses answers with brotli or gzip, for clients that accept it, by content type and from 1 KiB on. True: on routes with `access: 'public'` of
   * which no step reads who is calling, and on those that say `http: { compression: true }`; an answer that mixes secrets with text from the request
   * must not be compressed (BREACH). False: on none. Default true.
   */
  readonly compression?: boolean | HttpCompressionOptions
  /** Largest body of a request, unless its route has its own limit. Default 1 MiB. */
  readonly maxBodyBytes?: number
  /**
   * For keys of a query or a body that are not part of a route's input. `validate`: its schema decides, and a method with a body refuses
   * query keys that it does not name. `ignore`: they are removed before validation, so that a strict schema accepts `?utm_source=…`;
   * packages are validated as they are. Default `validate`.
   */
  readonly unknownKeys?: 'validate' | 'ignore'
}

/** Everything that `createApp` takes besides its tables of routes, events and topics. */
interface PlainOptions {
  /** HTTP-only routes. */
  readonly endpoints?: readonly AnyEndpoint[]
  readonly plugins?: readonly Plugin[]
  /**
   * PkgIDs for routes and events that plugins add, by plugin and name, instead of those that the plugin sets:
   * `{ presence: { LIST_ONLINE: 42 } }`.
   */
  readonly pluginPkgIds?: PluginPkgIds
  /** Errors of `defineErrors`, so that duplicate codes are found at boot. Errors of routes need not be repeated. */
  readonly errors?: readonly ErrorFactory[]
  /** Default `ENV`, else `NODE_ENV`, else `dev`. */
  readonly environment?: Environment
  /** Access of a route without `access` when no plugin identifies callers; required in production. */
  readonly defaultAccess?: Access
  /** Milliseconds a call may take; 0 for no limit. Default 30000. */
  readonly deadlineMs?: number
  readonly websocket?: WebSocketOptions
  readonly http?: HttpWireOptions
  /**
   * How long the app may take to drain when it closes: for calls in flight, and for clients to receive what was sent (a large response
   * to its last byte, queued replies and the close frame). Then what is left is cut. Milliseconds, 0 for no drain. Default 10000.
   */
  readonly drainTimeoutMs?: number
  /**
   * How long `close()` goes on serving before it drains, with `/health/ready` answering 503: so a balancer notices before new connections are
   * refused. Comes before `drainTimeoutMs`. Milliseconds. Default 0.
   */
  readonly drainDelayMs?: number
  /**
   * Period over which connections are closed, evenly, so that clients do not reconnect all at once: when no call is in flight any more,
   * and at the latest at the end of `drainTimeoutMs`. Milliseconds. Default 2000.
   */
  readonly drainSpreadMs?: number
  /**
   * How long a deadline or a drain waits for the answer to a COMMIT, or to a statement that writes and commits by itself, once it was sent;
   * then the call is answered with `outcome_unknown`. Milliseconds, less than `drainTimeoutMs` unless that is 0. Default 5000, or half of
   * `drainTimeoutMs` where that is less.
   */
  readonly commitTimeoutMs?: number
  /** How long each `onClose` of a plugin may take. Milliseconds. Default 5000. */
  readonly closeTimeoutMs?: number
  /** Validate outputs by their schemas, beyond the projection. Default: in development and test. */
  readonly validateOutput?: boolean
  /** Routes for probes, `/health`, `/health/live` and `/health/ready`; false for none. */
  readonly health?: HealthOptions | false
  /** The level of the built-in logger, a custom logger (pino's shape), or options, with the access log. */
  readonly log?: Logger | LogLevel | 'silent' | LogOptions
  /** Makes `currentCall()` work. Default false: it costs each call. */
  readonly asyncContext?: boolean
  /**
   * For unhandled rejections of the application while the app listens. `log` (the default): a line in the log, counted in
   * `app_unhandled_rejections_total`, and the process continues; other listeners are called too. `false`: core does not listen, and Node
   * ends the process unless the application does. Promises that core returns are never unhandled rejections.
   */
  readonly unhandledRejections?: 'log' | false
  /** Where links at the end of messages lead; false for no links. */
  readonly docs?: false | DocsOptions
  /** Default: uWebSockets.js. */
  readonly transport?: Transport
  /** Default: the system clock. */
  readonly clock?: Clock
  /** The first is for clients without `?format=`. Default: JSON. */
  readonly codecs?: readonly [Codec, ...Codec[]]
  /** Default: within this process only. */
  readonly broker?: Broker
  /**
   * Work that no call asks for, by name: it begins when the app is ready, and the drain waits for it.
   *
   * @example
   * tasks: {
   *   closeAuctions: { everyMs: 60_000, onOneNode: true, run: ({ signal }) => closeAuctions(signal) },
   * }
   */
  readonly tasks?: TaskTable
}

/** Names what is missing, unknown, or in both tables. When an entry does not suit the table, its names are lost: `Name` is then `string`. */
type TotalTable<Ids, Routes, Events> = {
  readonly [Name in Exclude<keyof Ids, keyof Routes | keyof Events>]: AnyRoute
} & {
  readonly [Name in Exclude<keyof Routes, keyof Ids>]: string extends Name
    ? CompileError<'an entry must be a route that both wires can serve: put one with a stream or files into endpoints, an event into events'>
    : CompileError<`'${Name & string}' is not declared in pkgIds: put HTTP-only routes into endpoints`>
} & {
  // `Extract` and not `&`: from a bare `keyof Events` the compiler would infer Events out of the routes.
  readonly [Name in Extract<keyof Routes, keyof Events>]: CompileError<`'${Name & string}' is a route and an event`>
}

/** Everything that `createApp` takes besides the table of routes. */
export interface BaseOptions extends PlainOptions {
  readonly topics?: TopicRules
}

/** What `createApp` takes. */
export type AppOptions<
  Ids extends PkgIds,
  Routes extends RouteTable,
  Events extends EventTable,
  Topics = TopicRules,
> = PlainOptions & {
  /** Who may join which topics. A topic without a rule cannot be joined, and publishing to it throws. `defineTopics` declares them elsewhere. */
  readonly topics?: TopicsOf<Topics>
  /** Every kind of package of the app, each with its number. */
  readonly pkgIds: Ids
  /** By name of the PkgID. Routes and events together cover every PkgID. */
  readonly routes: Routes & TotalTable<Ids, Routes, Events>
  readonly events?: Events & {
    readonly [Name in Exclude<keyof Events, keyof Ids>]: CompileError<`'${Name & string}' is not declared in pkgIds`>
  }
}
