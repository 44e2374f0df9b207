import { BootError, type Call, disconnects, guard, type Plugin, type RouteInfo } from '@twinwire/core'
import { definePlugin, type PluginHost } from '@twinwire/core/plugin'
import { Arrivals } from './arrivals.ts'
import { CallLimits, type LimitPlace, limitTypes } from './call-limits.ts'
import { ConnectionLimits } from './connections.ts'
import { Excess } from './excess.ts'
import { LimitRegistry, type LimitUse, toTakes } from './limit-registry.ts'
import type { ParsedLimit } from './limit-rule.ts'
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
import { type RateLimitApi, rateLimitKey } from './ratelimit-key.ts'
import { GuardedStore } from './remote/guarded-store.ts'
import { SkippedPaths } from './skipped.ts'
import type { Take } from './store.ts'

/** Limits, and a handle to look at them and to reset them. */
export type RateLimitPlugin = Plugin<RateLimitApi> & Limits

/**
 * Limits calls, handshakes and connections on both wires, and gives routes `limit()`. It goes by the identity that another plugin owns,
 * and by addresses where nobody does.
 *
 * Boot errors: `bad_option`, `unknown_option`; with Redis `peer_missing`.
 *
 * @example
 * const limits = rateLimit({ store: redisStore('redis://127.0.0.1:6379'), websocket: '300/m' })
 * const app = createApp({ pkgIds, routes, plugins: [limits] })
 * await limits.reset({ identity: 'ann' })
 */
export function rateLimit(options: RateLimitOptions = {}): RateLimitPlugin {
  const resolved = resolveOptions(options)
  let backing: LimitsBacking | null = null
  /** Of the last app that it was set up in, which may be closed. */
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
          'One rateLimit() is used by two apps: make one for each, since its reset and peek are those of one app',
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
  const opened = await store.open(host)
  if (!store.remote) return opened
  const { name, service = 'store' } = store
  const guarded = new GuardedStore(opened, { name, service, onStoreError, breaker, services: host })
  // With any policy but `deny` the app works without its store, and a probe that says no would take every process out of service.
  host.health(service, () => guarded.ping(), { required: onStoreError === 'deny' })
  host.doctor('rate limit store', async () => {
    try {
      await guarded.ping()
      return { level: 'ok', message: `The store of limits answers: ${name}` }
    } catch {
      return {
        level: 'warn',
        message: `The store of limits does not answer: ${name}; onStoreError is '${onStoreError}'`,
      }
    }
  })
  return guarded
}

function install(options: ResolvedOptions, host: PluginHost, limiter: Limiter, registry: LimitRegistry): RateLimitApi {
  const family = host.instruments.counter('rate_limit_hits_total', 'Calls and handshakes refused by a limit', {
    limit_type: limitTypes,
  })
  const [per_user, per_ip, websocket] = limitTypes.map((limit_type) => family.cell({ limit_type }))
  if (per_user === undefined || per_ip === undefined || websocket === undefined) throw new Error('A cell is missing')
  const excess = new Excess(host.hub, options.closeAfter)
  const background: Background = (work) => {
    if (isPromise(work)) work.catch((error: unknown) => host.log.error({ err: error }, 'The store of limits failed'))
  }
  const limits = new CallLimits(limiter, { per_user, per_ip, websocket }, excess, background)
  const skipped = new SkippedPaths(options.skip)
  const places = new Places()
  host.onReady(() => skipped.check(host.routes))

  const toUses = (list: readonly ParsedLimit[], name: string): readonly LimitUse[] =>
    list.map((limit) => registry.use(limit, name, null))
  const ofHttp = toUses(options.http, 'http')
  const ofWebSocket = toUses(options.websocket, 'websocket')
  const appWide = guard({
    name: 'rateLimit.defaults',
    needs: rateLimitKey,
    bind: (_api, route) => {
      const place = places.add(route, (call) => toTakes(call.wire === 'ws' ? ofWebSocket : ofHttp, call))
      return (call) => limits.pass(place, call)
    },
  })
  if (ofHttp.length + ofWebSocket.length > 0) host.guard(appWide, { when: (route) => !skipped.has(route) })

  let arrivals: Arrivals | null = null
  if (options.arrive !== null) {
    const { limit, failureCost } = options.arrive
    const { rule } = registry.use(limit, 'arrive', null)
    const entrance = new Arrivals({
      rule,
      failureCost,
      limiter,
      limits,
      background,
      hits: per_ip,
      skipped,
      log: host.log,
    })
    arrivals = entrance
    host.onRequest((arrival) => entrance.arrive(arrival))
    host.onUpgradeRejected(({ address }, { httpStatus }) => {
      if (httpStatus === unauthorized) entrance.failed(address)
    })
  }
  host.onReply((call, { error, httpStatus, durationMs }) => {
    const isRefused = error !== null && error.code === 'rate_limit_exceeded'
    if (isRefused) limits.answered(call, durationMs)
    if (call.wire === 'http') {
      if (httpStatus === unauthorized) arrivals?.failed(call.address)
    } else if (isRefused) excess.refused(call)
    // No place has seen it: what leads nowhere, or is too much at once, is a message all the same.
    else if (error !== null && wasTurnedAway(call, error.code)) {
      if (!skipped.has(call.route)) limits.charge(ofWebSocket, call)
    } else excess.allowed(call)
  })

  const connections =
    options.connections === null ? null : new ConnectionLimits(limiter, options.connections, background)
  if (connections !== null) {
    host.onConnect((connection) => connections.connect(connection))
    if (options.store.remote) connections.keepAlive(host.clock)
    host.onClose(() => connections.close())
  }
  host.onDisconnect(({ id, address }, { code }) => {
    connections?.disconnect(id)
    excess.closed(id)
    if (code === disconnects.unauthorized.code) arrivals?.failed(address)
  })

  return {
    bind<C extends Call>(list: readonly ParsedLimit<C>[], route: RouteInfo) {
      const uses = list.map((limit) => registry.use(limit, route.name, route))
      const place = places.add(route, (call: C) => toTakes(uses, call))
      return (call: C) => limits.pass(place, call)
    },
  }
}

const unauthorized = 401

function wasTurnedAway({ route }: Call, code: string): boolean {
  return route.pkgId === null || code === 'too_many_in_flight'
}

/** Knows the places of each route, which are bound in the order in which calls come to them. */
class Places {
  readonly #places = new Map<RouteInfo, LimitPlace[]>()

  add<C extends Call>(route: RouteInfo, takes: (call: C) => readonly Take[]): LimitPlace {
    const places = this.#places.get(route) ?? []
    this.#places.set(route, places)
    const place: LimitPlace = { takes, earlier: [...places] }
    places.push(place)
    return place
  }
}
