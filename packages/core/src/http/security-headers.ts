import { option } from '../base/option.ts'
import { badOption, checkOption } from '../base/options.ts'
import type { HeaderList } from '../transport/transport.ts'

/** By lower-case name: another value, or false to leave the header out. A name that is not among the defaults is added. */
export type SecurityHeaderOptions = Readonly<Record<string, string | false>>

/** The header list of a response, precomputed. `secure`: served over TLS, or forwarded as HTTPS by a trusted proxy. */
export type SecurityHeaders = (secure: boolean) => HeaderList

// Pages of our own load from here only; style attributes are what documentation pages are written with.
const policy = [
  `default-src 'self'`,
  `script-src 'self'`,
  `style-src 'self' 'unsafe-inline'`,
  `img-src 'self' data:`,
  `font-src 'self'`,
  `connect-src 'self' ws: wss:`,
  `frame-ancestors 'none'`,
  `base-uri 'self'`,
  `form-action 'self'`,
].join('; ')

const common: HeaderList = [
  ['x-frame-options', 'DENY'],
  ['x-content-type-options', 'nosniff'],
  ['x-xss-protection', '1; mode=block'],
  ['referrer-policy', 'strict-origin-when-cross-origin'],
  ['permissions-policy', 'geolocation=(), microphone=(), camera=()'],
]
const plain: HeaderList = [...common, ['content-security-policy', policy]]
/** Over plain HTTP both would send a browser to a port that does not speak TLS. */
const overTls: HeaderList = [
  ...common,
  ['strict-transport-security', 'max-age=31536000; includeSubDomains'],
  ['content-security-policy', `${policy}; upgrade-insecure-requests`],
]

const token = /^[!#$%&'*+.^_`|~0-9a-z-]+$/
const fieldValue = /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/
const headerRule = option.anyOf([
  option.string({ expects: 'visible ASCII on one line', test: (value) => fieldValue.test(value) }),
  option.choice([false]),
])
const tlsOnly = new Set(['strict-transport-security'])

/**
 * Compiles the headers that every response carries, errors included. HSTS, default or overridden, is in the secure list
 * only.
 *
 * @throws BootError `bad_option` for an invalid header name (lower case) or value.
 *
 * @example
 * const headersOf = createSecurityHeaders({ 'x-frame-options': 'SAMEORIGIN', 'x-xss-protection': false })
 * headersOf(true) // [['x-frame-options', 'SAMEORIGIN'], …]
 */
export function createSecurityHeaders(options: SecurityHeaderOptions = {}): SecurityHeaders {
  for (const [name, value] of Object.entries(options)) checkHeader(name, value)
  const [open, closed] = [compile(plain, options, false), compile(overTls, options, true)]
  return (secure) => (secure ? closed : open)
}

/**
 * The headers without any option.
 *
 * @example
 * securityHeaders(false).some(([name]) => name === 'strict-transport-security') // false
 */
export const securityHeaders: SecurityHeaders = createSecurityHeaders()

function compile(defaults: HeaderList, options: SecurityHeaderOptions, secure: boolean): HeaderList {
  const headers = new Map(defaults)
  for (const [name, value] of Object.entries(options)) {
    if (value === false) headers.delete(name)
    else if (secure || !tlsOnly.has(name)) headers.set(name, value)
  }
  return Object.freeze([...headers].map((pair) => Object.freeze(pair)))
}

function checkHeader(name: string, value: unknown): void {
  if (!token.test(name))
    throw badOption('createApp()', `http.securityHeaders['${name}']`, 'must be named in lower case, as a header name')
  checkOption('createApp()', `http.securityHeaders['${name}']`, value, headerRule)
}
