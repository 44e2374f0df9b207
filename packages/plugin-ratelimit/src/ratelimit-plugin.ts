import { BootError, type Call, disconnects, guard, type Plugin, type RouteInfo } from '@twinwire/core'
import { definePlugin, type IncomingRequest, type PluginHost, requireSingleProcess } from '@twinwire/core/plugin'
import { CallLimits, type LimitStage, limitTypes } from './call-limits.ts'
import { ConnectionLimits } from './connection-limits.ts'
import { FilePaths } from './file-paths.ts'
import { type AppliedLimit, LimitRegistry, toCharges, toFirstCharge } from './limit-registry.ts'
import { type ParsedLimit, toStepLimit } from './limit-rule.ts'
import { type RateLimitApi, rateLimitKey } from './limit-step.ts'
import { type Background, isPromise, type Limiter } from './limiter.ts'
import {
  type LimitState,
  type LimitSubject,
  type Limits,
  type LimitsBacking,
  notRunning,
  peekBuckets,
  resetBuckets,
} from './limits.ts'
import { type RateLimitOptions, type ResolvedOptions, resolveOptions } from './options.ts'
import { PreAuthenticationLimits } from './pre-authentication-limits.ts'
import { GuardedStore } from './remote/guarded-store.ts'
import { SkippedPaths } from './skipped-paths.ts'
import type { Charge } from './store.ts'
import { ViolationTracker } from './violation-tracker.ts'

/** The plugin, and access to its limits while the application runs. */
export type RateLimitPlugin = Plugin<RateLimitApi> & Limits

/**
 * Limits calls, handshakes and connections on both wires, and provides `limit()` to routes. Limits apply to the identity that an
 * authentication plugin sets, or to the address of callers without one.
 *
 * Boot errors: `bad_option`, `unknown_option`; with Redis `missing_peer`.
 *
 * @example
 * const limits = rateLimit({ store: redisStore('redis://127.0.0.1:6379'), websocket: '300/m' })
 * const app = createApp({ pkgIds, routes, plugins: [limits] })
 * await limits.reset({ identity: 'ann' })
 */
export function rateLimit(options: RateLimitOptions = {}): RateLimitPlugin {
  const resolved = resolveOptions(options)
  let backing: LimitsBacking | null = null
  /** Of the application that used the plugin last. It may be closed. */
  let host: PluginHost | null = null
  const running = (): LimitsBacking | null => {
    if (backing === null && resolved.enabled) throw notRunning()
    return backing
  }
  const plugin = definePlugin(rateLimitKey, {
    doctor: (host) => resolved.store.doctor?.(host),
    async setup(given): Promise<RateLimitApi> {
      if (!resolved.enabled) return { bind: () => () => {} }
      if (backing !== null) {
        throw new BootError(
          'wrong_state',
          'One rateLimit() plugin is used by two running applications: create one for each, because reset() and peek() belong to one application',
        )
      }
      host = given
      const limiter = await openLimiter(resolved, given)
      const registry = new LimitRegistry()
      const opened = { limiter, registry }
      backing = opened
      given.onClose(async () => {
        if (backing === opened) backing = null
        await limiter.close()
      })
      return install(resolved, given, limiter, registry)
    },
  })
  const dropSafe = <T>(work: Promise<T>, name: string): Promise<T> => host?.dropSafe(work, name) ?? work
  const reset = async (subject: LimitSubject): Promise<void> => {
    const of = running()
    if (of !== null) await resetBuckets(of, subject)
  }
  const peek = async (subject: LimitSubject): Promise<readonly LimitState[]> => {
    const of = running()
    return of === null ? [] : peekBuckets(of, subject)
  }
  return {
    ...plugin,
    reset: (subject) => dropSafe(reset(subject), 'limits.reset'),
    peek: (subject) => dropSafe(peek(subject), 'limits.peek'),
  }
}

async function openLimiter({ store, onStoreError, breaker }: ResolvedOptions, host: PluginHost): Promise<Limiter> {
  if (!store.remote) checkWorkers(host)
  const opened = await store.open(host)
  if (!store.remote) return opened
  const { name, service = 'store' } = store
  const guarded = new GuardedStore(opened, { name, service, onStoreError, breaker, services: host })
  // Only with `deny` does the application need its store: otherwise a failing probe would take every process out of service for nothing.
  host.health(service, () => guarded.ping(), { required: onStoreError === 'deny' })
  host.doctor('rate limit store', async () => {
    try {
      await guarded.ping()
      return { level: 'ok', message: `The limit store is reachable: ${name}` }
    } catch {
      return {
        level: 'warn',
        message: `The limit store is not reachable: ${name}; onStoreError is '${onStoreError}'`,
      }
    }
  })
  return guarded
}

/** Each worker of a cluster would admit what the limit says. */
function checkWorkers({ environment, worker, log }: PluginHost): void {
  if (environment === 'production')
    requireSingleProcess('rateLimit() with a store in memory', 'set store to redisStore(url)')
  if (worker !== null && worker.workers > 1)
    log.warn(`Limits are counted in each of ${worker.workers} workers, so clients may use them ${worker.workers} times`)
}

function install(options: ResolvedOptions, host: PluginHost, limiter: Limiter, registry: LimitRegistry): RateLimitApi {
  const family = host.instruments.counter('rate_limit_hits_total', 'Calls and handshakes rejected by a limit', {
    limit_type: limitTypes,
  })
  const [per_user, per_ip, websocket] = limitTypes.map((limit_type) => family.cell({ limit_type }))
  if (per_user === undefined || per_ip === undefined || websocket === undefined) throw new Error('A cell is missing')
  const violations = new ViolationTracker(host.hub, options.closeAfterViolations)
  const background: Background = (work) => {
    if (isPromise(work)) work.catch((error: unknown) => host.log.error({ err: error }, 'The limit store failed'))
  }
  const limits = new CallLimits(limiter, { per_user, per_ip, websocket }, violations, background)
  const skipped = new SkippedPaths(options.skip)
  const stages = new Stages()
  let filePaths = new FilePaths([])
  host.onReady(() => {
    skipped.check(host.routes)
    filePaths = new FilePaths(host.routes)
  })

  const register = (list: readonly ParsedLimit[], name: string): readonly AppliedLimit[] =>
    list.map((limit) => registry.register(limit, name, null))
  const ofHttp = register(options.http, 'http')
  // Only an app with files has this limit.
  let ofFiles: readonly AppliedLimit[] | null = null
  const ofWebSocket = register(options.websocket, 'websocket')
  /** Files have a limit of their own, so descriptions show another step. */
  const createDefaults = (ofWire: readonly ParsedLimit[]) =>
    guard({
      name: 'rateLimit.defaults',
      limits: [
        ...ofWire.map((each) => toStepLimit(each, 'http')),
        ...options.websocket.map((each) => toStepLimit(each, 'ws')),
      ],
      keepsCall: [...options.http, ...options.files, ...options.websocket].some(({ key }) => typeof key === 'function'),
      needs: rateLimitKey,
      bind: (_api, route) => {
        if (route.files) ofFiles ??= register(options.files, 'files')
        const ofRoute = route.files ? (ofFiles ?? []) : ofHttp
        const stage = stages.add(route, {
          isSingle: ofWebSocket.length === 1,
          packageCharge: (call) => toFirstCharge(ofWebSocket, call),
          charges: (call) => toCharges(call.wire === 'ws' ? ofWebSocket : ofRoute, call),
        })
        return (call) => limits.enforce(stage, call)
      },
    })
  if (ofHttp.length + options.files.length + ofWebSocket.length > 0) {
    host.guard(createDefaults(options.http), { when: (route) => !route.files && !skipped.has(route) })
    host.guard(createDefaults(options.files), { when: (route) => route.files && !skipped.has(route) })
  }

  let preAuthentication: PreAuthenticationLimits | null = null
  if (options.preAuthentication !== null) {
    const { limit, failureCost } = options.preAuthentication
    const { rule } = registry.register(limit, 'preAuthentication', null)
    const hits = per_ip
    const isFree = (request: IncomingRequest): boolean => skipped.hasPath(request.path) || filePaths.has(request)
    const parts = { rule, failureCost, limiter, limits, background, hits, isFree, log: host.log }
    const entry = new PreAuthenticationLimits(parts)
    preAuthentication = entry
    host.onRequest((request) => entry.enforce(request))
    host.onUpgradeRejected(({ address }, { httpStatus }) => {
      if (httpStatus === unauthorized) entry.chargeFailure(address)
    })
  }
  host.onReply(
    (call, { error, httpStatus, durationMs }) => {
      const isRefused = error !== null && error.code === 'rate_limit_exceeded'
      if (isRefused) limits.refundEarlierStages(call, durationMs)
      if (call.wire === 'http') {
        if (httpStatus === unauthorized) preAuthentication?.chargeFailure(call.address)
      } else if (isRefused) violations.refused(call)
      else if (error !== null && isRejectedBeforeStages(call, error.code)) {
        if (!skipped.has(call.route)) limits.chargeRejected(ofWebSocket, call)
      } else violations.allowed(call)
      // The address is read for a 401 alone.
    },
    { readsAddress: false },
  )

  const connections =
    options.connections === null ? null : new ConnectionLimits(limiter, options.connections, background)
  if (connections !== null) {
    host.onConnect((connection) => connections.connect(connection))
    if (options.store.remote) connections.keepAlive(host.clock)
    host.onClose(() => connections.close())
  }
  host.onDisconnect(({ id, address }, { code }) => {
    connections?.disconnect(id)
    violations.closed(id)
    if (code === disconnects.unauthorized.code) preAuthentication?.chargeFailure(address)
  })

  return {
    bind<C extends Call>(list: readonly ParsedLimit<C>[], route: RouteInfo) {
      const applied = list.map((limit) => registry.register(limit, route.name, route))
      const stage = stages.add<C>(route, {
        isSingle: applied.length === 1,
        packageCharge: (call) => toFirstCharge(applied, call),
        charges: (call) => toCharges(applied, call),
      })
      return (call: C) => limits.enforce(stage, call)
    },
  }
}

const unauthorized = 401

/** An unknown PkgID, or too many calls in flight: refused before any stage, but the package counts against the limit all the same. */
function isRejectedBeforeStages({ route }: Call, code: string): boolean {
  return route.name === 'unmatched' || code === 'too_many_in_flight'
}

interface StageCharges<in C> {
  readonly isSingle: boolean
  packageCharge(call: C): Charge | null
  charges(call: C): readonly Charge[]
}

/** The stages of each route. They are bound in the order in which calls reach them. */
class Stages {
  readonly #byRoute = new Map<RouteInfo, LimitStage[]>()

  add<C extends Call>(route: RouteInfo, charges: StageCharges<C>): LimitStage {
    const stages = this.#byRoute.get(route) ?? []
    this.#byRoute.set(route, stages)
    const stage: LimitStage = { ...charges, earlier: [...stages] }
    stages.push(stage)
    return stage
  }
}
