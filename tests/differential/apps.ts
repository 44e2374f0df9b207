// The three apps of the differential test, made of nothing but public API: both builds load this file.
import { type App, type Clock, createApp, type Logger } from '@twinwire/core'
import { definePlugin, pluginKey, systemClock } from '@twinwire/core/plugin'
import { auth } from '@twinwire/plugin-auth'
import { metrics } from '@twinwire/plugin-metrics'
import { rateLimit } from '@twinwire/plugin-ratelimit'
import { guardedEndpoints, guardedRoutes } from './guarded-routes.ts'
import { endless, endpoints, noted, pkgIds, routes } from './routes.ts'

export const profiles = ['bare', 'edges', 'full'] as const
export type Profile = (typeof profiles)[number]

/** What both builds agree on. */
export interface Shared {
  /** The issuer of the tokens. */
  readonly issuer: string
  /** Epoch milliseconds at which the clock of `full` is stopped. */
  readonly nowMs: number
}

export interface Apps {
  readonly ports: { readonly [Name in Profile]: number }
  close(): Promise<void>
}

/** Collects what hooks and logs see, in the order in which it happens. */
export type Record = (line: string) => void

const hosts = ['127.0.0.1', 'app.example', '[::1]']
const topics = {
  'open:*': { authorize: () => true },
  'closed:*': { authorize: () => false },
  exact: { authorize: () => true },
}

/** No plugin, and nothing that reads what a route does not read. */
function createBare(): App {
  return createApp({
    pkgIds,
    routes,
    events: { NOTED: noted },
    endpoints: [...endpoints, ...endless],
    topics,
    environment: 'test',
    http: { hosts, maxBodyBytes: 16_384 },
    websocket: { maxMessageBytes: 4096, maxPayloadBytes: 16_384, maxInFlight: 8, maxMalformedFrames: 4 },
    log: 'silent',
    deadlineMs: 10_000,
  })
}

/** Trusted proxies, CORS, a hook that reads all of a request, an access log: whatever reads more of a request. */
function createEdges(record: Record): App {
  const watcher = definePlugin(pluginKey('watcher').of<void>(), {
    setup(host) {
      host.onRequest(({ wire, method, path, address, query, headers, replyHeaders }) => {
        const { 'x-probe': probe, 'x-correlation-id': _id, ...others } = headers
        replyHeaders.set('x-seen', [wire, method, address, Object.keys(others).length, probe ?? '-'].join(' '))
        if (query.hook === 'async') return Promise.resolve()
        if (query.hook === 'fail') throw new Error('hook failed')
        if (path === '/hook/cookie') replyHeaders.append('set-cookie', 'hook=1')
      })
      host.onReply((call, { httpStatus, error, aborted }) => {
        call.replyHeaders.set('x-replied', String(httpStatus))
        record(`reply ${call.wire} ${call.route.name} ${httpStatus} ${error?.code ?? '-'} ${aborted}`)
      })
      host.onUpgradeRejected(({ path }, { code }) => record(`rejected ${path} ${code}`))
      host.onDisconnect((_connection, { code, reason, admitted }) => record(`closed ${code} ${reason} ${admitted}`))
    },
  })
  return createApp({
    pkgIds,
    routes,
    events: { NOTED: noted },
    endpoints: [...endpoints, ...endless],
    topics,
    plugins: [watcher],
    environment: 'test',
    asyncContext: true,
    http: {
      hosts,
      maxBodyBytes: 16_384,
      trustedProxies: ['127.0.0.0/9'],
      cors: { origins: ['https://app.example', 'null'], credentials: true, exposedHeaders: ['x-stamp'] },
      securityHeaders: { 'x-frame-options': 'SAMEORIGIN', 'x-xss-protection': false, 'x-own': 'yes' },
      unknownKeys: 'ignore',
    },
    websocket: {
      ordered: 'connection',
      origins: ['https://app.example'],
      maxMessageBytes: 4096,
      maxPayloadBytes: 16_384,
    },
    log: { logger: createRecorder(record), access: 'all' },
  })
}

/** With all plugins, on a clock that is stopped: limits and expiries are the same in both builds. */
function createFull({ issuer, nowMs }: Shared): App {
  const clock: Clock = { ...systemClock, now: () => nowMs, monotonic: () => 1_000_000 }
  return createApp({
    pkgIds: { ...pkgIds, ...Object.fromEntries(Object.keys(guardedRoutes).map((name, i) => [name, 100 + i])) },
    routes: { ...routes, ...guardedRoutes },
    events: { NOTED: noted },
    endpoints: [...endpoints, ...guardedEndpoints],
    topics,
    plugins: [
      auth({ issuer, audience: 'differential', clientId: 'differential', handshakeTimeoutMs: 2000 }),
      rateLimit({
        http: { points: 6, per: '1h', burst: 1, key: 'address' },
        websocket: { points: 9, per: '1h', key: 'address' },
        preAuthentication: { points: 12, per: '1h', failureCost: 4 },
        connections: { perAddress: 3, perIdentity: 100_000 },
        closeAfterViolations: 6,
      }),
      metrics({ access: 'public', nodeDefaults: false }),
    ],
    environment: 'test',
    clock,
    http: { hosts, maxBodyBytes: 16_384 },
    websocket: { maxMessageBytes: 4096, maxPayloadBytes: 16_384 },
    log: 'silent',
  })
}

/** Starts all three. */
export async function startApps(shared: Shared, record: Record): Promise<Apps> {
  const apps = { bare: createBare(), edges: createEdges(record), full: createFull(shared) }
  const port = async (app: App): Promise<number> => (await app.listen({ port: 0 })).port
  return {
    ports: { bare: await port(apps.bare), edges: await port(apps.edges), full: await port(apps.full) },
    async close() {
      await Promise.all(Object.values(apps).map((app) => app.close()))
    },
  }
}

/** A logger whose lines are compared, without durations and ids. */
function createRecorder(record: Record): Logger {
  const write = (level: string) => (fields: object | string, message?: string) => {
    // With the port.
    if (message === 'Listening') return
    if (typeof fields === 'string') return record(`${level} ${fields}`)
    const {
      duration_ms: _duration,
      request_id: _id,
      err,
      ...others
    } = { duration_ms: 0, request_id: '', err: null, ...fields }
    record(`${level} ${message} ${err === null ? '' : String(err)} ${JSON.stringify(others)}`)
  }
  const logger: Logger = {
    trace: write('trace'),
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    fatal: write('fatal'),
    child: () => logger,
    isLevelEnabled: (level) => level !== 'trace' && level !== 'debug',
  }
  return logger
}
