import { BootError } from '../base/boot-error.ts'
import type { AnyPluginKey } from '../base/plugin-key.ts'
import type { ActiveCall } from '../call/active-call.ts'
import type { Access, RouteInfo } from '../call/call.ts'
import type { CompiledRoute, IdentityPolicy } from '../call/compiled-route.ts'
import { runWithCall } from '../call/current-call.ts'
import { isStreamSchema } from '../call/item-stream.ts'
import { isPageSchema, type Reply } from '../call/reply.ts'
import type { Tracer } from '../call/tracer.ts'
import type { AppError } from '../errors/app-error.ts'
import { compileHttp, type HttpContext, isMount } from './compile-http.ts'
import type { DescribedRoute } from './describe.ts'
import { mayTakeCall } from './may-take-call.ts'
import { bindWrapped, checkOnce, findOnce } from './once-steps.ts'
import { compileOutput } from './output.ts'
import { compilePipeline, compileValidate, type InputHook } from './pipeline.ts'
import type { RouteDefinition } from './route.ts'
import type { AnyStep, CheckRun, GuardRun } from './step.ts'
import { splitUse, type Use } from './use.ts'

/** What `compileRoute` needs from the app. */
export interface RouteContext extends HttpContext {
  /** The error for a call without an identity; null when no plugin identifies callers. */
  readonly missingIdentity: (() => AppError) | null
  readonly defaultAccess: Access
  readonly deadlineMs: number
  /** Validate results by the output schema, not only project them. */
  readonly validateOutput: boolean
  /** `currentCall()` works. */
  readonly asyncContext: boolean
  /** Null when no plugin traces. */
  readonly tracer: Tracer | null
  /** What a plugin's `setup` returned; undefined when it is not installed. */
  readonly findApi: (name: string) => { readonly key: AnyPluginKey | null; readonly api: unknown } | undefined
  /** App-wide guards for a route. */
  readonly guardsFor: (info: RouteInfo) => Use
  readonly countWebSocket: (info: RouteInfo) => CompiledRoute['countWebSocket']
  readonly httpCounter: (info: RouteInfo) => CompiledRoute['httpCounter']
  /** Null when no plugin asks for it. */
  readonly onInput: InputHook | null
  /** Asked once the steps of the route are bound. */
  readonly beforeReply: (info: RouteInfo) => CompiledRoute['beforeReply']
}

/** The description of a route, before it is compiled. */
export function toRouteInfo(
  name: string,
  pkgId: number | null,
  definition: RouteDefinition,
  defaultAccess: Access,
): RouteInfo {
  const [method = null, path = null] = definition.http?.route.split(' ') ?? []
  const access = definition.access ?? defaultAccess
  const files = definition.files !== null
  return Object.freeze({ name, pkgId, method, path, access, summary: definition.summary, files })
}

/** Binds a route to one app, and decides everything that can be decided before the first call. */
export function compileRoute(
  info: RouteInfo,
  definition: RouteDefinition,
  context: RouteContext,
  servesWhileDraining = false,
): DescribedRoute {
  const steps = [...context.guardsFor(info), ...definition.use]
  checkOrder(info, definition.use)
  const identity = toIdentityPolicy(info, steps, context)
  const bind = <Run>(step: AnyStep): Run => bindStep(step, info, context) as Run
  const { guards, checks, wrapped } = splitUse(steps)
  const streams = definition.output !== null && isStreamSchema(definition.output)
  checkOnce(info, definition, identity)
  if (streams) checkStream(info, definition, wrapped)
  const run = compilePipeline({
    missingIdentity: info.access === 'authenticated' ? context.missingIdentity : null,
    guards: guards.map((step) => bind<GuardRun<ActiveCall, unknown>>(step)),
    // What a mapping returns may be shared by calls, or have getters.
    validate: isMount(definition)
      ? passInput
      : compileValidate(definition.input, definition.http?.input === undefined, `Route ${info.name}: its input`),
    checks: checks.map((step) => bind<CheckRun<unknown, ActiveCall>>(step)),
    wrapped: bindWrapped(info, wrapped, bind),
    execute: toExecute(definition),
    output: compileOutput(definition.output, context.validateOutput, createReplyCheck(info)),
    streams,
    repliesInside: findOnce(steps) !== null,
    onInput: context.onInput,
  })
  const beforeReply = context.beforeReply(info)
  if (streams && beforeReply !== null) throw holdsBackStream(info)
  return {
    info,
    definition,
    ordered: definition.ordered,
    streams,
    steps,
    reply: streams ? 'stream' : definition.output !== null && isPageSchema(definition.output) ? 'page' : 'value',
    hasOutput: definition.output !== null,
    query: definition.http?.query ?? [],
    errors: definition.errors.map(({ code }) => code),
    run: toRun(run, context),
    identity,
    mayKeepCall:
      steps.some(({ keepsCall }) => keepsCall) ||
      definition.handler === null ||
      mayTakeCall(definition.handler) ||
      context.asyncContext,
    servesWhileDraining,
    http: compileHttp(info, definition, context, identity),
    deadlineMs: definition.deadlineMs ?? context.deadlineMs,
    beforeReply,
    countWebSocket: context.countWebSocket(info),
    httpCounter: context.httpCounter(info),
  }
}

/** In the context that `currentCall()` and a tracer need. */
function toRun(run: CompiledRoute['run'], { asyncContext, tracer }: RouteContext): CompiledRoute['run'] {
  const inCall: CompiledRoute['run'] = asyncContext ? (call) => runWithCall(call, run) : run
  return tracer === null ? inCall : (call) => tracer.run(call, inCall)
}

const passInput = (input: unknown): unknown => input

/** What only an endpoint can answer with. */
const endpointReplies: ReadonlyMap<Reply<unknown>['kind'], string> = new Map([
  ['stream', 'a stream'],
  ['events', 'server-sent events'],
  ['file', 'a file'],
])

/** A reply that one wire of the route cannot send is rejected on both: a route behaves the same on each, and is tested on one. */
function createReplyCheck({ name, pkgId, path }: RouteInfo): (reply: Reply<unknown>) => void {
  return ({ kind, status, headers, cookies, meta }) => {
    const what = pkgId === null ? undefined : endpointReplies.get(kind)
    if (what !== undefined)
      throw new Error(`Route ${name} returns ${what}, which cannot be a package: move it to endpoints`)
    if (meta !== null && pkgId === null)
      throw new Error(`Route ${name} is on HTTP only, where a reply has no meta: use a header, or return page(…)`)
    if (path !== null) return
    for (const _name in headers)
      throw new Error(`Route ${name} is on WebSocket only, where a reply has no headers: remove them, or set http`)
    if (cookies !== null)
      throw new Error(`Route ${name} is on WebSocket only, where a reply has no cookies: remove them, or set http`)
    if (status !== null)
      throw new Error(`Route ${name} is on WebSocket only, where a reply has no status: remove it, or set http`)
  }
}

/** An interceptor would end, and a transaction commit, before the first item is read. */
function checkStream({ name }: RouteInfo, { http }: RouteDefinition, wrapped: Use): void {
  const interceptor = wrapped.find(({ kind }) => kind === 'interceptor')
  if (interceptor !== undefined)
    throw new BootError(
      'bad_route',
      `Route ${name} streams its reply, and its interceptor '${interceptor.name}' would end before the first item is read: remove it, and do its work in the handler`,
    )
  if (http?.status === 204 || http?.status === 205)
    throw new BootError(
      'bad_route',
      `Route ${name} streams its reply, and a response with status ${http.status} has no body: choose another http.status`,
    )
}

function holdsBackStream({ name }: RouteInfo): BootError {
  return new BootError(
    'bad_route',
    `Route ${name} streams its reply, and a plugin holds back its replies by host.beforeReply(): leave it out there`,
  )
}

type Execute = (input: unknown, call: ActiveCall) => unknown
type CreateCommand = (call: ActiveCall) => { execute(input: unknown): unknown }

/** The types of a definition were checked where it was written; the routes of a table have none. */
function toExecute({ handler, command }: RouteDefinition): Execute {
  if (handler !== null) return handler as Execute
  const create = command as CreateCommand
  return (input, call) => create(call).execute(input)
}

function checkOrder(info: RouteInfo, use: Use): void {
  const first = use.findIndex(({ kind }) => kind !== 'guard')
  const late = use.find(({ kind }, i) => kind === 'guard' && i > first)
  if (first === -1 || late === undefined) return
  const before = use[first]
  throw new BootError(
    'bad_step_order',
    `Route ${info.name}: the guard '${late.name}' comes after the ${before?.kind} '${before?.name}'; guards run before the input is read: put them first in use`,
  )
}

function toIdentityPolicy(info: RouteInfo, steps: Use, { missingIdentity }: RouteContext): IdentityPolicy {
  const required = steps.find((step) => step.identity === 'required')
  if (missingIdentity === null) {
    const reason =
      required !== undefined
        ? `its step '${required.name}' requires an identity`
        : info.access === 'authenticated'
          ? 'it is authenticated'
          : null
    if (reason !== null)
      throw new BootError(
        'missing_identity_owner',
        `Route ${info.name}: ${reason}, and no plugin identifies callers: add auth() of @twinwire/plugin-auth to plugins, or another plugin that does${required === undefined ? ", or set access: 'public'" : ''}`,
      )
  }
  if (info.access === 'authenticated') return 'required'
  if (required !== undefined) {
    throw new BootError(
      'conflicting_access',
      `Route ${info.name} is public, but its step '${required.name}' requires an identity: set access: 'authenticated', or remove the step`,
    )
  }
  return steps.some((step) => step.identity !== 'none') ? 'optional' : 'none'
}

/** Checked first: errors about access and identity would be misleading while the plugin is missing. */
export function checkInstalled(route: string, use: Use, findApi: RouteContext['findApi']): void {
  for (const step of use) {
    if (step.needs !== null && findApi(step.needs.name) === undefined) throw pluginMissing(route, step, step.needs)
  }
}

function pluginMissing(route: string, step: AnyStep, { name }: AnyPluginKey): BootError {
  return new BootError(
    'missing_plugin',
    `Route ${route}: the step '${step.name}' requires the plugin '${name}', which is not installed: add ${name}() to plugins`,
  )
}

function bindStep(step: AnyStep, info: RouteInfo, { findApi }: RouteContext): unknown {
  // The `bind` of a step was typed against its own key; here the key of the installed plugin is compared.
  const bind = step.bind as (api: unknown, route: RouteInfo) => unknown
  if (step.needs === null) return bind(undefined, info)
  const plugin = findApi(step.needs.name)
  if (plugin === undefined) throw pluginMissing(info.name, step, step.needs)
  if (plugin.key !== step.needs) {
    throw new BootError(
      'mismatched_plugin_key',
      `Route ${info.name}: the step '${step.name}' was made for another plugin '${step.needs.name}' than the one installed (another copy of the package, or a second pluginKey of that name)`,
    )
  }
  return bind(plugin.api, info)
}
