import { BootError } from '../base/boot-error.ts'
import type { Environment } from '../base/environment.ts'
import { type Instruments, unmatchedLabel } from '../base/instruments.ts'
import type { AnyPluginKey } from '../base/plugin-key.ts'
import type { BeforeReply } from '../call/before-reply.ts'
import type { Access, RouteInfo } from '../call/call.ts'
import {
  type CallInstruments,
  type CountedRoutes,
  createCallInstruments,
  type HttpCounter,
} from '../call/call-instruments.ts'
import type { CallServices } from '../call/call-services.ts'
import type { AnswerCompression, CompiledRoute } from '../call/compiled-route.ts'
import { NotFoundError } from '../errors/app-error.ts'
import type { ErrorFactory } from '../errors/define-errors.ts'
import { allMethods, HttpRouter } from '../http/http-router.ts'
import type { Broker } from '../hub/broker.ts'
import { TopicCalls } from '../hub/topic-calls.ts'
import { notifyHooks } from '../plugin/notify-hooks.ts'
import type { PluginRegistry } from '../plugin/plugin-host.ts'
import { coreFrameTypes } from '../protocol/frame.ts'
import { checkInstalled, compileRoute, type RouteContext, toRouteInfo } from '../route/compile-route.ts'
import type { DescribedRoute } from '../route/describe.ts'
import { PkgRouter } from '../route/pkg-router.ts'
import { type AnyEndpoint, type AnyRoute, type RouteDefinition, route } from '../route/route.ts'
import { type CompiledFrame, compileFrames } from '../websocket/compile-frames.ts'
import { HealthMonitor } from './lifecycle/health.ts'
import type { ResolvedHealthOptions } from './lifecycle/health-options.ts'
import { createHealthRoutes } from './lifecycle/health-routes.ts'

export interface CompileOptions {
  readonly pkgIds: Readonly<Record<string, number>>
  readonly routes: Readonly<Record<string, AnyRoute>>
  readonly endpoints: readonly AnyEndpoint[]
  readonly environment: Environment
  readonly defaultAccess: Access | undefined
  readonly deadlineMs: number
  readonly maxBodyBytes: number
  readonly compression: AnswerCompression | null
  readonly unknownKeys: 'validate' | 'ignore'
  readonly validateOutput: boolean
  /** Errors of the app, in addition to those that routes declare. */
  readonly errors: readonly ErrorFactory[]
  readonly registry: PluginRegistry
  readonly apis: ReadonlyMap<string, { readonly key: AnyPluginKey | null; readonly api: unknown }>
  readonly instruments: Instruments
  readonly services: CallServices
  readonly health: ResolvedHealthOptions
  readonly broker: Broker
  /** Connections of this process, and whether the app serves: for `GET /health`. */
  readonly vitals: () => { readonly connections: number; readonly serving: boolean }
}

export interface CompiledApp {
  readonly routes: readonly DescribedRoute[]
  readonly pkgRouter: PkgRouter
  readonly httpRouter: HttpRouter<CompiledRoute>
  /** The route of packages without one. */
  readonly unmatchedPackage: CompiledRoute
  /** The route of requests without one, by method: one for each method that instruments distinguish. */
  readonly unmatchedRequest: (method: string) => CompiledRoute
  readonly calls: CallInstruments
  /** Control frames of core, by type. */
  readonly frames: ReadonlyMap<string, CompiledFrame>
  readonly topicCalls: TopicCalls
  /** Null without health routes. */
  readonly health: HealthMonitor | null
}

/** Compiles every route of an app, once its plugins are set up. */
export function compileApp(options: CompileOptions): CompiledApp {
  const { pkgIds, registry, apis } = options
  const health = createMonitor(options)
  const declared = [
    ...Object.entries(options.routes).map(([name, { definition }]) => ({
      name,
      pkgId: pkgIds[name] ?? null,
      definition,
      servesWhileDraining: false,
    })),
    ...options.endpoints.map(({ definition }) => ({
      name: definition.http?.route ?? '',
      pkgId: null,
      definition,
      servesWhileDraining: false,
    })),
    ...registry.packages.routes.map(({ name, pkgId, route: { definition } }) => ({
      name,
      pkgId,
      definition,
      servesWhileDraining: false,
    })),
    ...registry.endpoints.map(({ plugin, route: { definition } }) => {
      if (definition.access === null)
        throw new BootError(
          'bad_route',
          `The endpoint ${definition.http?.route} of plugin '${plugin}' must state its access: 'public' or 'authenticated'`,
        )
      return { name: definition.http?.route ?? '', pkgId: null, definition, servesWhileDraining: true }
    }),
    ...healthRoutes(options, health).map(({ definition }) => ({
      name: definition.http?.route ?? '',
      pkgId: null,
      definition,
      servesWhileDraining: true,
    })),
  ]
  for (const { definition } of declared) definition.files?.checkRoot()
  for (const { name, definition } of declared) checkInstalled(name, definition.use, (key) => apis.get(key))
  const defaultAccess = toDefaultAccess(options)
  const entries = declared.map((entry) => ({
    ...entry,
    info: toRouteInfo(entry.name, entry.pkgId, entry.definition, defaultAccess),
  }))

  const calls = createCallInstruments(options.instruments, toCountedRoutes(entries, options.errors))
  const context = toContext(options, defaultAccess, calls)
  const compiled = entries.map(({ info, definition, servesWhileDraining }) =>
    compileRoute(info, definition, context, servesWhileDraining),
  )
  const pkgRouter = new PkgRouter()
  const httpRouter = new HttpRouter<CompiledRoute>()
  for (const each of compiled) {
    const { pkgId, method, path } = each.info
    if (pkgId !== null) pkgRouter.add(pkgId, each)
    if (method === null || path === null) continue
    if (each.http?.isFetch === true) httpRouter.addMount(toPrefix(path), (of) => forMethod(each, of, path, calls))
    else if (each.info.files) httpRouter.addMount(toPrefix(path), () => each, ['GET'])
    else httpRouter.add(method, path, each)
  }
  const frames = compileFrames(context, calls)
  const topicCalls = new TopicCalls(context, options.services)
  registry.topics.bind(topicCalls)
  const unmatched = compileUnmatched(context, calls)
  return { routes: compiled, pkgRouter, httpRouter, ...unmatched, calls, frames, topicCalls, health }
}

/** Routes that do not state their access are authenticated if a plugin provides identities. */
function toDefaultAccess({ registry, defaultAccess, environment }: CompileOptions): Access {
  if (registry.identity !== null) return defaultAccess ?? 'authenticated'
  if (environment === 'production' && defaultAccess === undefined) {
    throw new BootError(
      'missing_default_access',
      "No plugin provides identities, so every route that does not state its access would be public: add auth() of @twinwire/plugin-auth to plugins, or set defaultAccess: 'public' if that is intended",
    )
  }
  return defaultAccess ?? 'public'
}

function toContext(options: CompileOptions, defaultAccess: Access, calls: CallInstruments): RouteContext {
  const { registry, apis } = options
  return {
    missingIdentity: registry.identity?.missing ?? null,
    defaultAccess,
    deadlineMs: options.deadlineMs,
    maxBodyBytes: options.maxBodyBytes,
    compression: options.compression,
    unknownKeys: options.unknownKeys,
    validateOutput: options.validateOutput,
    asyncContext: options.services.asyncContext,
    tracer: registry.tracing.tracer,
    findApi: (name) => apis.get(name),
    guardsFor: (info) => registry.guards.filter(({ when }) => when(info)).map(({ step }) => step),
    countWebSocket: ({ pkgId }) => (pkgId === null ? null : calls.webSocket(String(pkgId))),
    onInput: toInputHook(options),
    beforeReply: (info) => toReplyHook(registry.beforeReply.filter(({ when }) => when(info)).map(({ hook }) => hook)),
    httpCounter: ({ method, path }) => {
      if (method === null || path === null) return null
      return method === allMethods ? calls.lazyHttp(method, path) : calls.http(method, path)
    },
  }
}

/** Null without hooks: they cost nothing then. */
function toInputHook({ registry: { onInput }, services }: CompileOptions): RouteContext['onInput'] {
  if (onInput.length === 0) return null
  const failed = (error: unknown): void => services.log.error({ err: error }, 'A hook of a plugin failed')
  return (call, input) => notifyHooks(onInput, call, input, failed)
}

/** One after the other: each may refuse. */
function toReplyHook(hooks: readonly BeforeReply[]): CompiledRoute['beforeReply'] {
  if (hooks.length === 0) return null
  return async (call, decided) => {
    for (const hook of hooks) await hook(call, decided)
  }
}

/** `/api/auth/*` is the path of `fromFetch('/api/auth', …)`. */
function toPrefix(path: string): string {
  return path === '/*' ? '/' : path.slice(0, -2)
}

/** A fetch handler has one route in descriptions, and its calls say their method in log and metrics. */
function forMethod(route: DescribedRoute, method: string, path: string, calls: CallInstruments): CompiledRoute {
  if (method === allMethods) return route
  return { ...route, info: Object.freeze({ ...route.info, method }), httpCounter: calls.lazyHttp(method, path) }
}

interface Entry {
  readonly info: RouteInfo
  readonly definition: RouteDefinition
}

function toCountedRoutes(entries: readonly Entry[], errors: readonly ErrorFactory[]): CountedRoutes {
  const infos = entries.map(({ info }) => info)
  const declared = [...errors, ...entries.flatMap(({ definition }) => definition.errors)]
  return {
    pkgIds: [...infos.flatMap(({ pkgId }) => (pkgId === null ? [] : [String(pkgId)])), ...coreFrameTypes],
    endpoints: infos.flatMap(({ path }) => (path === null ? [] : [path])),
    methods: infos.flatMap(({ method }) => (method === null ? [] : [method])),
    errorCodes: declared.map(({ code }) => code),
  }
}

/** For calls without a route, so that hooks and instruments see them like any other call. */
function compileUnmatched(
  context: RouteContext,
  calls: CallInstruments,
): Pick<CompiledApp, 'unmatchedPackage' | 'unmatchedRequest'> {
  const { definition } = route({
    access: 'public',
    deadlineMs: 0,
    handler: () => {
      throw new NotFoundError()
    },
  })
  const info = toRouteInfo('unmatched', null, definition, 'public')
  const compiled = compileRoute(info, definition, { ...context, guardsFor: () => [] }, true)
  const requests = new Map<HttpCounter, CompiledRoute>()
  return {
    unmatchedPackage: { ...compiled, countWebSocket: calls.webSocket(unmatchedLabel) },
    unmatchedRequest(method) {
      const httpCounter = calls.unmatchedHttp(method)
      let request = requests.get(httpCounter)
      if (request === undefined) {
        request = { ...compiled, httpCounter }
        requests.set(httpCounter, request)
      }
      return request
    },
  }
}

function createMonitor({ health, registry, services, vitals, broker }: CompileOptions): HealthMonitor | null {
  if (health === null) return null
  const { clock, log } = services
  if (broker.health !== undefined) registry.health.set('broker', { check: () => broker.health?.(), required: true })
  return new HealthMonitor({ ...health, checks: registry.health, clock, log, vitals })
}

function healthRoutes({ health }: CompileOptions, monitor: HealthMonitor | null): readonly AnyRoute[] {
  return health === null || monitor === null ? [] : createHealthRoutes(health.path, monitor)
}
