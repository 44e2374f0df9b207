import { BootError } from '../base/boot-error.ts'
import { isOrigin } from '../edge/host.ts'
import { checkKeys } from '../route/route-definition.ts'
import type { HeaderList } from '../transport/transport.ts'

/** What `createApp({ http: { cors } })` takes: which pages of other origins may read answers. */
export interface CorsOptions {
  /** `https://app.example`, without a path; `*` alone for any. `null` (sandboxed pages, files) only when it is named. */
  readonly origins: readonly string[]
  /** Default: those of the requested path. */
  readonly methods?: readonly string[]
  /** Request headers that pages may set. Default: `content-type`, `authorization`, `x-correlation-id`, `traceparent`. */
  readonly headers?: readonly string[]
  /** Response headers that pages may read, beside those that they always may. Default: `x-correlation-id`. */
  readonly exposedHeaders?: readonly string[]
  /** Cookies and the browser's own credentials may be sent. Not together with `*`. Default false. */
  readonly credentials?: boolean
  /** How long a browser may keep the answer to a preflight. Default 600. */
  readonly maxAgeSeconds?: number
}

/** The rules of an app, compiled. */
export interface Cors {
  /** Of every response, errors included. `origin`: the header, '' when there is none. */
  responseHeaders(origin: string): HeaderList
  /** Headers of the answer to a preflight. `methods`: those of the requested path. */
  preflightHeaders(origin: string, methods: readonly string[]): HeaderList
}

const defaults = {
  headers: ['content-type', 'authorization', 'x-correlation-id', 'traceparent'],
  exposedHeaders: ['x-correlation-id'],
  maxAgeSeconds: 600,
}
const known = ['origins', 'methods', 'headers', 'exposedHeaders', 'credentials', 'maxAgeSeconds'] as const
const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/
const none: HeaderList = []

/**
 * Compiles the rules of https://fetch.spec.whatwg.org/#http-cors-protocol. An origin that is not named gets an answer without
 * permission, which its browser then keeps from the page.
 *
 * @throws BootError `bad_option`
 *
 * @example
 * const cors = createCors({ origins: ['https://app.example'] })
 * cors.responseHeaders('https://app.example') // [['vary', 'Origin'], ['access-control-allow-origin', 'https://app.example'], …]
 */
export function createCors(options: CorsOptions): Cors {
  check(options)
  const { origins, headers = defaults.headers, exposedHeaders = defaults.exposedHeaders, credentials = false } = options
  const { methods, maxAgeSeconds = defaults.maxAgeSeconds } = options
  const anyOrigin = origins.includes('*')
  const named = new Set(origins)
  // One answer for all origins does not vary, so that caches may keep it.
  const vary: HeaderList = anyOrigin ? none : [['vary', 'Origin']]
  const allow = (origin: string): HeaderList => [
    ...vary,
    ['access-control-allow-origin', anyOrigin ? '*' : origin],
    ...(credentials ? ([['access-control-allow-credentials', 'true']] as const) : none),
  ]
  const isAllowed = (origin: string): boolean => origin !== '' && (anyOrigin || named.has(origin))
  const exposed: HeaderList =
    exposedHeaders.length === 0 ? none : [['access-control-expose-headers', exposedHeaders.join(', ')]]
  const responses = new Map([...named].map((origin) => [origin, [...allow(origin), ...exposed]]))
  return {
    responseHeaders: (origin) => (isAllowed(origin) ? (responses.get(anyOrigin ? '*' : origin) ?? vary) : vary),
    preflightHeaders: (origin, ofPath) => {
      if (!isAllowed(origin)) return vary
      return [
        ...allow(origin),
        ['access-control-allow-methods', (methods ?? ofPath).join(', ')],
        ['access-control-allow-headers', headers.join(', ')],
        ['access-control-max-age', String(maxAgeSeconds)],
      ]
    },
  }
}

function check(options: CorsOptions): void {
  checkKeys(options, known, 'createApp({ http: { cors } })')
  const { origins, credentials = false, maxAgeSeconds = 0 } = options
  if (!Array.isArray(origins) || origins.length === 0) throw bad('origins must contain at least one origin')
  if (origins.includes('*')) {
    if (origins.length > 1) throw bad("origins contains '*' and others: '*' already means all")
    if (credentials)
      throw bad("origins must be listed when credentials are allowed: with '*' every page could act for its visitor")
  }
  for (const origin of origins) {
    if (origin !== '*' && origin !== 'null' && !isOrigin(origin))
      throw bad(`origins: '${origin}' is not an origin; write it as 'https://app.example'`)
  }
  if (typeof credentials !== 'boolean') throw bad('credentials must be true or false')
  if (!Number.isInteger(maxAgeSeconds) || maxAgeSeconds < 0 || maxAgeSeconds > 86_400)
    throw bad(`maxAgeSeconds must be 0 to 86400, not ${maxAgeSeconds}`)
  for (const key of ['methods', 'headers', 'exposedHeaders'] as const) {
    for (const each of options[key] ?? []) {
      // For requests with credentials browsers treat '*' as a literal name.
      if (each === '*') throw bad(`${key} must be listed: '*' does not apply to every request`)
      if (!token.test(each)) throw bad(`${key}: '${each}' is not a valid name`)
    }
  }
}

function bad(reason: string): BootError {
  return new BootError('bad_option', `http.cors.${reason}`)
}
