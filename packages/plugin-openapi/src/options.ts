import type { Call, Environment, Step } from '@twinwire/core'
import { badOption, checkOptions, type OptionRules, option } from '@twinwire/core/plugin'
import type { ApiInfo, ApiServer, DocumentInfo } from './shared/info.ts'

/** Who may read the documents. */
export type OpenApiAccess =
  /** Every client that can reach the app. Not allowed in production. */
  | 'public'
  /** Callers that pass these guards, in this order: `requireRoles('developer')`, or your own guard that checks a header. */
  | { readonly use: readonly OpenApiGuard[] }
  /** Callers from these addresses and CIDR networks, behind the trusted proxies of the app. */
  | { readonly networks: readonly string[] }
  /** Every client that can reach this port, which serves only the documents. `host`: address that it listens on, default 127.0.0.1. */
  | { readonly port: number; readonly host?: string | undefined }

export type OpenApiGuard = Step<'guard', unknown, Call>

export interface OpenApiPaths {
  /** Default `/openapi.json`. */
  readonly openapi?: `/${string}` | undefined
  /** Default `/asyncapi.json`. */
  readonly asyncapi?: `/${string}` | undefined
}

export interface OpenApiOptions {
  /** Default: public. Required in production. */
  readonly access?: OpenApiAccess | undefined
  /** Title and version of the API. */
  readonly info?: ApiInfo | undefined
  /** Addresses of the app, for both documents. Default: that of the document. */
  readonly servers?: readonly ApiServer[] | undefined
  readonly paths?: OpenApiPaths | undefined
}

const portRules = {
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
      is: (step): step is OpenApiGuard =>
        typeof step === 'object' && step !== null && 'kind' in step && step.kind === 'guard',
    }),
    expects: 'a list of guards with at least one entry',
    min: 1,
    required: true,
  }),
}

const serverRules = {
  url: option.string({ expects: 'an http or https URL', test: isUrl, required: true }),
  description: option.string({ expects: 'a string', test: () => true }),
}

const rules = {
  access: option.unchecked<OpenApiAccess>(),
  info: option.object({
    title: option.string({ default: 'API' }),
    version: option.string({ default: '0.0.0' }),
    description: option.string({ expects: 'a string', test: () => true }),
  }),
  servers: option.unchecked<readonly ApiServer[]>(),
  paths: option.object({
    openapi: option.path({ default: '/openapi.json' }),
    asyncapi: option.path({ default: '/asyncapi.json' }),
  }),
} satisfies OptionRules<OpenApiOptions>

/** Options with their defaults. */
export interface ResolvedOpenApiOptions {
  readonly access: OpenApiAccess
  readonly document: DocumentInfo
  readonly paths: { readonly openapi: `/${string}`; readonly asyncapi: `/${string}` }
}

const owner = 'openapi()'

/** @throws BootError for the first invalid option. */
export function resolveOpenApiOptions(options: OpenApiOptions, environment: Environment): ResolvedOpenApiOptions {
  const { access, info, servers = [], paths } = checkOptions(owner, options, rules)
  if (!Array.isArray(servers)) throw badOption(owner, 'servers', 'must be a list of { url, description }', servers)
  const { description, ...named } = info
  return {
    access: resolveAccess(access, environment),
    document: {
      info: { ...named, ...(description !== undefined && { description }) },
      servers: servers.map((server, i) => checkOptions(owner, server, serverRules, `servers[${i}]`)),
    },
    paths,
  }
}

const choices =
  "{ use: [requireRoles('developer')] } for a role, { networks: ['10.0.0.0/8'] } for addresses, or { port: 9465 } for a separate port"

function resolveAccess(access: OpenApiAccess | undefined, environment: Environment): OpenApiAccess {
  if (access === undefined || access === 'public') {
    if (environment !== 'production') return 'public'
    throw badOption(owner, 'access', `must say in production who may read the descriptions of the app: ${choices}`)
  }
  if (typeof access !== 'object' || access === null)
    throw badOption(owner, 'access', `must be 'public', ${choices}`, access)
  if ('use' in access) return checkOptions(owner, access, guardRules, 'access')
  if ('networks' in access) return checkOptions(owner, access, networkRules, 'access')
  return checkOptions(owner, access, portRules, 'access')
}

function isUrl(text: string): boolean {
  return URL.canParse(text) && /^https?:$/.test(new URL(text).protocol)
}
