import type { Environment } from '../base/environment.ts'
import { option } from '../base/option.ts'
import type { OptionRule } from '../base/option-rule.ts'
import { badOption, checkOptions } from '../base/options.ts'
import type { Access, Call } from '../call/call.ts'
import { PermissionDeniedError } from '../errors/app-error.ts'
import type { PluginHost } from '../plugin/host.ts'
import type { AnyEndpoint } from '../route/route.ts'
import { guard, type Step } from '../route/step.ts'
import { createNetworks } from './networks.ts'

/** Who may use the endpoints of a plugin that are for operators, such as metrics. */
export type EndpointAccess =
  /** Every client that can reach the app. Not allowed in production. */
  | 'public'
  /** Callers that pass these guards, in this order: `requireRoles('metrics')`, or your own guard that checks a header. */
  | { readonly use: readonly EndpointGuard[] }
  /** Callers from these addresses and CIDR networks, behind the trusted proxies of the app. */
  | { readonly networks: readonly string[] }
  /** Every client that can reach this port, which serves nothing else. `host`: address that it listens on, default 127.0.0.1. */
  | { readonly port: number; readonly host?: string | undefined }

export type EndpointGuard = Step<'guard', unknown, Call>

/** How messages name the endpoints. */
export interface EndpointNames {
  /** The plugin as it is called, `metrics()`. */
  readonly owner: string
  /** What `access` must say in production: `who may scrape`. */
  readonly who: string
  /** What is served, in the plural: `metrics`. */
  readonly what: string
  /** For examples in messages. */
  readonly role: string
  readonly port: number
}

/** Options of a port of its own, for `access` and for settings. */
export const endpointPortRules: {
  readonly port: OptionRule<number>
  readonly host: OptionRule<string | undefined>
} = {
  port: option.integer({ max: 65_535, required: true }),
  host: option.string({ expects: 'a host name or an IP address', test: (host) => /^[\w.:-]+$/.test(host) }),
}

const networkRules = {
  networks: option.list({
    of: option.string(),
    expects: 'a list of IP addresses and CIDR networks with at least one entry',
    min: 1,
    required: true,
  }),
}

const guardRules = {
  use: option.list({
    of: option.custom({
      expects: 'a guard',
      is: (step): step is EndpointGuard =>
        typeof step === 'object' && step !== null && 'kind' in step && step.kind === 'guard',
    }),
    expects: 'a list of guards with at least one entry',
    min: 1,
    required: true,
  }),
}

/**
 * The option `access` of a plugin, checked. Without one the endpoints are public, except in production, where the application must say who may use them.
 *
 * @throws BootError `bad_option`, `unknown_option`
 *
 * @example
 * const access = resolveEndpointAccess(options.access, host.environment, {
 *   owner: 'metrics()', who: 'who may scrape', what: 'metrics', role: 'metrics', port: 9464,
 * })
 */
export function resolveEndpointAccess(
  access: EndpointAccess | undefined,
  environment: Environment,
  { owner, who, role, port }: EndpointNames,
): EndpointAccess {
  const choices = `{ use: [requireRoles('${role}')] } for a role, { networks: ['10.0.0.0/8'] } for addresses, or { port: ${port} } for a separate port`
  if (access === undefined || access === 'public') {
    if (environment !== 'production') return 'public'
    throw badOption(owner, 'access', `must say in production ${who}: ${choices}`)
  }
  if (typeof access !== 'object' || access === null)
    throw badOption(owner, 'access', `must be 'public', ${choices}`, access)
  if ('use' in access) return checkOptions(owner, access, guardRules, 'access')
  if ('networks' in access) return checkOptions(owner, access, networkRules, 'access')
  return checkOptions(owner, access, endpointPortRules, 'access')
}

/** For the doctor: `is served …`. */
export function describeEndpointAccess(access: EndpointAccess): string {
  if (access === 'public') return 'without access control'
  if ('use' in access) return `to callers that pass ${access.use.map(({ name }) => name).join(', ')}`
  if ('networks' in access) return `to ${access.networks.join(', ')}`
  return `on the separate port ${access.host ?? '127.0.0.1'}:${access.port}`
}

/** The callers that an access on the port of the app means. */
export type AccessOnApp = Exclude<EndpointAccess, { readonly port: number }>

/**
 * Adds an endpoint `GET path` to the app, behind the guards that `access` means. `create` gets the access that the route must have.
 *
 * @throws BootError `bad_option` for an entry of `networks` that is none
 */
export function addGuardedEndpoint(
  host: PluginHost,
  path: `/${string}`,
  access: AccessOnApp,
  names: EndpointNames,
  create: (access: Access) => AnyEndpoint,
): void {
  const guards = toGuards(access, names)
  host.endpoint(create(guards.some(({ identity }) => identity === 'required') ? 'authenticated' : 'public'))
  const name = `GET ${path}`
  for (const each of guards) host.guard(each, { when: (route) => route.name === name })
}

function toGuards(access: AccessOnApp, { owner, what }: EndpointNames): readonly EndpointGuard[] {
  if (access === 'public') return []
  if ('use' in access) return access.use
  const plugin = owner.replace('()', '')
  const allowed = createNetworks(access.networks, `${plugin}({ access: { networks } })`)
  return [
    guard({
      name: `${plugin}.fromNetworks(${access.networks.join(', ')})`,
      run: ({ address }) => {
        if (allowed.has(address)) return
        const [first = '', ...rest] = what
        throw new PermissionDeniedError(`${first.toUpperCase()}${rest.join('')} are not available to this address`)
      },
    }),
  ]
}
