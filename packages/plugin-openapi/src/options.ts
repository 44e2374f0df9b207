import type { Environment } from '@twinwire/core'
import {
  badOption,
  checkOptions,
  type EndpointAccess,
  type EndpointGuard,
  type EndpointNames,
  type OptionRules,
  option,
  resolveEndpointAccess,
} from '@twinwire/core/plugin'
import type { ApiInfo, ApiServer, DocumentInfo } from './shared/info.ts'

/** Who may read the documents and the pages. */
export type OpenApiAccess = EndpointAccess

export type OpenApiGuard = EndpointGuard

export interface OpenApiPaths {
  /** Default `/openapi.json`. */
  readonly openapi?: `/${string}` | undefined
  /** Default `/asyncapi.json`. */
  readonly asyncapi?: `/${string}` | undefined
  /** Of the page about the HTTP side; that about the WebSocket is below it, at `/docs/websocket`. False: no pages. Default `/docs`. */
  readonly docs?: `/${string}` | false | undefined
}

export interface OpenApiOptions {
  /** Default: public, in `dev` and `test`. Required in `staging` and `production`. */
  readonly access?: OpenApiAccess | undefined
  /** Title and version of the API. */
  readonly info?: ApiInfo | undefined
  /** Addresses of the app, for both documents. Default: that of the document. */
  readonly servers?: readonly ApiServer[] | undefined
  readonly paths?: OpenApiPaths | undefined
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
    docs: option.anyOf([option.choice([false], { required: true }), option.path({ required: true })], {
      default: '/docs',
    }),
  }),
} satisfies OptionRules<OpenApiOptions>

/** Options with their defaults. */
export interface ResolvedOpenApiOptions {
  readonly access: OpenApiAccess
  readonly document: DocumentInfo
  readonly paths: {
    readonly openapi: `/${string}`
    readonly asyncapi: `/${string}`
    readonly docs: `/${string}` | false
  }
}

const owner = 'openapi()'

/** How messages name what is served. */
export const names: EndpointNames = {
  owner,
  who: 'who may read the descriptions of the app',
  what: 'descriptions',
  role: 'developer',
  port: 9465,
}

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

/** Staging is where others reach the app: to be public there must be said. */
function resolveAccess(access: OpenApiAccess | undefined, environment: Environment): OpenApiAccess {
  if (access === undefined && environment === 'staging')
    throw badOption(
      owner,
      'access',
      `must say in staging ${names.who}: 'public' for everyone, { use: [requireRoles('${names.role}')] } for a role, { networks: ['10.0.0.0/8'] } for addresses, or { port: ${names.port} } for a separate port`,
    )
  return resolveEndpointAccess(access, environment, names)
}

function isUrl(text: string): boolean {
  return URL.canParse(text) && /^https?:$/.test(new URL(text).protocol)
}
