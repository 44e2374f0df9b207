import { BootError } from '@twinwire/core'
import { checkOptions, checkWholeNumber } from './check-options.ts'
import type { ConnectionLimitOptions } from './connections.ts'
import { checkNames, type LimitRule, type ParsedLimit, type Period, parseLimit } from './limit-rule.ts'
import { memoryStore } from './memory/memory-store.ts'
import type { OnStoreError } from './remote/guarded-store.ts'
import { type BreakerOptions, breakerDefaults } from './remote/store-breaker.ts'
import type { LimitStoreFactory } from './store.ts'

/** Limits of every route: one, several that all have to let a call pass, or none. */
export type DefaultLimits = LimitRule | readonly LimitRule[] | false

/** What an address may ask for before anybody knows who it is. */
export interface ArriveOptions {
  /** Requests and handshakes. Default 600. */
  readonly points?: number | undefined
  /** Default `1m`. */
  readonly per?: Period | undefined
  /** Default 0. */
  readonly burst?: number | undefined
  /**
   * Points that failed credentials cost beside their request: HTTP 401, an upgrade refused with 401, a connection closed with 4001. Default
   * 20, which leaves about 30 guesses in a minute, one after the other. Guesses that are under way at once have all been let in before the
   * first one fails: of those at most `points` and `burst` together. 0 for none.
   */
  readonly failedAuthentication?: number | undefined
}

export interface RateLimitOptions {
  /** False: nothing is limited, and every `limit()` lets all pass. Default true. */
  readonly enabled?: boolean | undefined
  /** Where points and seats are counted. Default `memoryStore()`: each process for itself. */
  readonly store?: LimitStoreFactory | undefined
  /** What a call gets when that store fails. Default `local`. */
  readonly onStoreError?: OnStoreError | undefined
  /** When the store is left alone. */
  readonly breaker?: BreakerOptions | undefined
  /** Of every call over HTTP. Default 60 a minute for an identity, else for an address, and 10 at once above that. */
  readonly http?: DefaultLimits | undefined
  /** Of every package, all connections of an identity together. Default `'100/m'`. */
  readonly websocket?: DefaultLimits | undefined
  /** Of an address, before any token is looked at. False for none. */
  readonly arrive?: ArriveOptions | false | undefined
  /** How many connections may be open at once. False for any number. */
  readonly connections?: ConnectionLimitOptions | false | undefined
  /** Refused packages in a row after which the connection is closed with 1008. Default: never. */
  readonly closeAfter?: number | undefined
  /**
   * What `http`, `websocket` and `arrive` leave alone: paths, with what is below them, and names of routes. A request with an
   * `authorization` or `cookie` header costs nothing there either, but is refused when its address has nothing left. Default `/health` and `/metrics`.
   */
  readonly skip?: readonly string[] | undefined
}

/** The same, checked and with every default. */
export interface ResolvedOptions {
  readonly enabled: boolean
  readonly store: LimitStoreFactory
  readonly onStoreError: OnStoreError
  readonly breaker: BreakerOptions
  readonly http: readonly ParsedLimit[]
  readonly websocket: readonly ParsedLimit[]
  readonly arrive: { readonly limit: ParsedLimit; readonly failureCost: number } | null
  readonly connections: {
    readonly perIdentity: number | false
    readonly perAddress: number | false
    readonly leaseMs: number
  } | null
  readonly closeAfter: number | null
  readonly skip: readonly string[]
}

export const limitDefaults = {
  http: { points: 60, per: '1m', burst: 10 },
  websocket: { points: 100, per: '1m' },
  connectionsPerIdentity: 5,
} as const

const known: Readonly<Record<keyof RateLimitOptions, true>> = {
  enabled: true,
  store: true,
  onStoreError: true,
  breaker: true,
  http: true,
  websocket: true,
  arrive: true,
  connections: true,
  closeAfter: true,
  skip: true,
}

/** @throws BootError `bad_option`, `unknown_option` */
export function resolveOptions(options: RateLimitOptions): ResolvedOptions {
  checkOptions('rateLimit()', options, known)
  const { enabled = true, store = memoryStore(), onStoreError = 'local', closeAfter } = options
  const { skip = ['/health', '/metrics'], breaker = {} } = options
  if (typeof enabled !== 'boolean') throw bad(`enabled must be true or false, not ${String(enabled)}`)
  if (typeof store?.open !== 'function')
    throw bad('store must be what memoryStore() or redisStore(url) makes, or a store of your own of that shape')
  if (!['allow', 'deny', 'local'].includes(onStoreError))
    throw bad(`onStoreError must be 'allow', 'deny' or 'local', not '${String(onStoreError)}'`)
  if (closeAfter !== undefined) checkWholeNumber('closeAfter of rateLimit()', closeAfter, 1)
  if (!Array.isArray(skip) || !skip.every((entry) => typeof entry === 'string' && entry !== ''))
    throw bad('skip must be a list of paths and names of routes')
  if (skip.includes('/')) throw bad("skip must not name '/', below which everything lies: name the route")
  return {
    enabled,
    store,
    onStoreError,
    breaker: resolveBreaker(breaker),
    http: toLimits('http', options.http ?? limitDefaults.http),
    websocket: toLimits('websocket', options.websocket ?? limitDefaults.websocket),
    arrive: options.arrive === false ? null : resolveArrive(options.arrive ?? {}),
    connections: options.connections === false ? null : resolveConnections(options.connections ?? {}),
    closeAfter: closeAfter ?? null,
    skip,
  }
}

function toLimits(name: 'http' | 'websocket', limits: DefaultLimits): readonly ParsedLimit[] {
  if (limits === false) return []
  const list: readonly LimitRule[] = isList(limits) ? limits : [limits]
  const what = `${name} of rateLimit()`
  const parsed = list.map((limit) => parseLimit(what, limit))
  checkNames(what, parsed)
  return parsed
}

function isList(limits: LimitRule | readonly LimitRule[]): limits is readonly LimitRule[] {
  return Array.isArray(limits)
}

function resolveArrive(options: ArriveOptions): ResolvedOptions['arrive'] {
  const what = 'arrive of rateLimit()'
  checkOptions(what, options, { points: true, per: true, burst: true, failedAuthentication: true })
  const { points = 600, per = '1m', burst = 0, failedAuthentication = 20 } = options
  const limit = parseLimit(what, { points, per, burst, key: 'address' })
  checkWholeNumber(`${what}: failedAuthentication`, failedAuthentication, 0, points + burst)
  return { limit, failureCost: failedAuthentication }
}

function resolveConnections(options: ConnectionLimitOptions): ResolvedOptions['connections'] {
  const what = 'connections of rateLimit()'
  checkOptions(what, options, { perIdentity: true, perAddress: true, leaseMs: true })
  const { perIdentity = limitDefaults.connectionsPerIdentity, perAddress = 100, leaseMs = 15_000 } = options
  for (const [name, value] of Object.entries({ perIdentity, perAddress }))
    if (value !== false) checkWholeNumber(`${what}: ${name}`, value, 1)
  checkWholeNumber(`${what}: leaseMs`, leaseMs, 1000, 3_600_000)
  return { perIdentity, perAddress, leaseMs }
}

function resolveBreaker(options: BreakerOptions): BreakerOptions {
  const what = 'breaker of rateLimit()'
  checkOptions(what, options, { enabled: true, failures: true, resetMs: true })
  const { enabled = true, failures = breakerDefaults.failures, resetMs = breakerDefaults.resetMs } = options
  if (typeof enabled !== 'boolean') throw bad(`breaker.enabled must be true or false, not ${String(enabled)}`)
  checkWholeNumber(`${what}: failures`, failures, 1)
  checkWholeNumber(`${what}: resetMs`, resetMs, 1, 86_400_000)
  return { enabled, failures, resetMs }
}

function bad(what: string): BootError {
  return new BootError('bad_option', `rateLimit(): ${what}`)
}
