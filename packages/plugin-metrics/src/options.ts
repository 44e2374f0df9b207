import { BootError, type Call, type Environment, type Step } from '@twinwire/core'
import type { PromRegistry } from './prom-registry.ts'

/** Who may scrape. */
export type MetricsAccess =
  /** Everybody who reaches the app; not in production. */
  | 'public'
  /** Whom these guards let through, in this order: `requireRoles('metrics')`, or one of your own that looks at a header. */
  | { readonly use: readonly MetricsGuard[] }
  /** Callers from these addresses and CIDR networks, behind the trusted proxies of the app. */
  | { readonly networks: readonly string[] }
  /** Everybody who reaches this port, which serves nothing else. `host`: where it listens, default 127.0.0.1. */
  | { readonly port: number; readonly host?: string | undefined }

export type MetricsGuard = Step<'guard', unknown, Call>

export interface MetricsOptions {
  /** Default `/metrics`. */
  readonly path?: `/${string}` | undefined
  /** Default: public. In production it has to be chosen. */
  readonly access?: MetricsAccess | undefined
  /** Of the application, for `app_info`. Default `unknown`. */
  readonly version?: string | undefined
  /** A registry of prom-client whose metrics are served with ours. A name that both have is a boot error. */
  readonly registry?: PromRegistry | undefined
  /** Figures of the process: CPU, memory, heap, event loop, garbage collection. They need `prom-client`. Default true. */
  readonly nodeDefaults?: boolean | undefined
  /** How long the collectors of `registry` may take together; then the scrape goes without them. Default 2000. */
  readonly collectTimeoutMs?: number | undefined
}

/** Options with their defaults. */
export interface ResolvedMetricsOptions {
  readonly path: `/${string}`
  readonly access: MetricsAccess
  readonly version: string
  readonly registry: PromRegistry | null
  readonly nodeDefaults: boolean
  readonly collectTimeoutMs: number
}

const known: Readonly<Record<keyof MetricsOptions, true>> = {
  path: true,
  access: true,
  version: true,
  registry: true,
  nodeDefaults: true,
  collectTimeoutMs: true,
}

export function resolveMetricsOptions(options: MetricsOptions, environment: Environment): ResolvedMetricsOptions {
  checkNames('metrics()', options, known)
  const {
    path = '/metrics',
    access,
    version = 'unknown',
    registry = null,
    nodeDefaults = true,
    collectTimeoutMs = 2000,
  } = options
  if (!/^(?:\/[\w.~-]+)+$/.test(path))
    throw bad(`path must be a path of letters, digits and -._~, such as /metrics, not '${path}'`)
  if (typeof version !== 'string' || version === '') throw bad('version must be a text that is not empty')
  if (typeof nodeDefaults !== 'boolean') throw bad('nodeDefaults must be true or false')
  if (!Number.isSafeInteger(collectTimeoutMs) || collectTimeoutMs < 1 || collectTimeoutMs > 60_000)
    throw bad(`collectTimeoutMs must be a whole number from 1 to 60000, not ${collectTimeoutMs}`)
  if (registry !== null && typeof registry.getMetricsAsJSON !== 'function')
    throw bad('registry must be a Registry of prom-client')
  return { path, version, registry, nodeDefaults, collectTimeoutMs, access: resolveAccess(access, environment) }
}

const ways =
  "{ use: [requireRoles('metrics')] } for a role, { networks: ['10.0.0.0/8'] } for addresses, or { port: 9464 } for a port of its own"

function resolveAccess(access: MetricsAccess | undefined, environment: Environment): MetricsAccess {
  if (access === undefined || access === 'public') {
    if (environment === 'production') throw bad(`access must say in production who may scrape: ${ways}`)
    return 'public'
  }
  if (typeof access !== 'object' || access === null) throw bad(`access must be 'public', ${ways}`)
  if ('use' in access) {
    checkNames('access of metrics()', access, { use: true })
    if (!Array.isArray(access.use) || access.use.length === 0) throw bad('access.use must have a guard')
    const other = access.use.find((step) => step?.kind !== 'guard')
    if (other !== undefined)
      throw bad(`access.use takes guards only: '${String(other?.name)}' is of the kind ${other?.kind}`)
  } else if ('networks' in access) {
    checkNames('access of metrics()', access, { networks: true })
    if (!Array.isArray(access.networks) || access.networks.length === 0)
      throw bad('access.networks must name an address or a network')
  } else {
    checkNames('access of metrics()', access, { port: true, host: true })
    const { port, host = '127.0.0.1' } = access
    if (!Number.isInteger(port) || port < 0 || port > 65_535)
      throw bad(`access.port must be a whole number from 0 to 65535, not ${port}`)
    if (typeof host !== 'string' || host === '') throw bad('access.host must be a host name or an IP address')
  }
  return access
}

function checkNames(what: string, options: object, names: object): void {
  const unknown = Object.keys(options).filter((name) => !Object.hasOwn(names, name))
  if (unknown.length === 0) return
  throw new BootError(
    'unknown_option',
    `Unknown option of ${what}: ${unknown.join(', ')}; known: ${Object.keys(names).join(', ')}`,
  )
}

function bad(message: string): BootError {
  return new BootError('bad_option', `metrics(): ${message}`)
}
