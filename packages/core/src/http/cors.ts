import type { BootError } from '../base/boot-error.ts'
import { option } from '../base/option.ts'
import type { OptionRules, OptionsOf } from '../base/option-rule.ts'
import { badOption, checkOptions } from '../base/options.ts'
import { originsRule } from '../edge/host.ts'
import type { HeaderList } from '../transport/transport.ts'

/** What `createApp({ http: { cors } })` takes: which pages of other origins may read answers. */
export interface CorsOptions {
  /** `https://app.example`, without a path; `*` alone for any. `null` (sandboxed pages, files) only when it is named. */
  readonly origins: readonly string[]
  /** Default: those of the requested path. */
  readonly methods?: readonly string[]
  /** Request headers that pages may set. Default: `content-type`, `authorization`, `x-correlation-id`, `traceparent`, `idempotency-key`. */
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
  const { origins, methods, headers, exposedHeaders, credentials, maxAgeSeconds } = check(options)
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

const name = option.string({
  expects: "a name; '*' is not accepted, because browsers do not apply it to every request",
  test: (value) => value !== '*' && token.test(value),
})
const names = { of: name, expects: 'a list of names' }

const defaultHeaders = ['content-type', 'authorization', 'x-correlation-id', 'traceparent', 'idempotency-key']

const rules = {
  origins: originsRule('*', 'null'),
  methods: option.list(names),
  headers: option.list({ ...names, default: defaultHeaders }),
  exposedHeaders: option.list({ ...names, default: ['x-correlation-id'] }),
  credentials: option.flag({ default: false }),
  maxAgeSeconds: option.integer({ max: 86_400, default: 600 }),
} satisfies OptionRules<CorsOptions>

function check(options: CorsOptions): OptionsOf<typeof rules> & Pick<CorsOptions, 'origins'> {
  const checked = checkOptions('createApp()', options, rules, 'http.cors')
  const { origins = [], credentials } = checked
  if (origins.length === 0) throw bad('must name at least one origin')
  if (origins.includes('*')) {
    if (origins.length > 1) throw bad("must not have '*', which means all of them, beside others")
    if (credentials) throw bad("must not be '*' with credentials: any page could act for its visitor; name the origins")
  }
  return { ...checked, origins }
}

function bad(problem: string): BootError {
  return badOption('createApp()', 'http.cors.origins', problem)
}
