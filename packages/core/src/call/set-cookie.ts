import { createHmac, timingSafeEqual } from 'node:crypto'
import { isIP } from 'node:net'
import { stringifySetCookie } from 'cookie'
import { isWellFormed } from '../base/well-formed.ts'
import { readCookie } from './cookie-header.ts'

/** How a cookie is set. */
export interface CookieOptions {
  /** Signs the value with the first of `http.cookies.secrets`: read it with `signed`. Default false. */
  readonly signed?: boolean
  /** Seconds until browsers delete it, 0 or more. Default: they do when they are closed. */
  readonly maxAgeSeconds?: number
  /** When browsers delete it, in the years 1601 to 9999; `maxAgeSeconds` wins. */
  readonly expires?: Date
  /** The host and all hosts below it: a name with a dot. Default: only the host of the request. */
  readonly domain?: string
  /** Default `/`. */
  readonly path?: string
  /** Which requests that begin at other sites carry it. Default `lax`: those that open a page. `none` needs `secure`. */
  readonly sameSite?: 'lax' | 'strict' | 'none'
  /**
   * Sent over TLS only. Default: true for a request over TLS (behind a proxy `http.trustedProxies` says which), in production, and where
   * another option or the name needs it.
   */
  readonly secure?: boolean
  /** Not readable by the scripts of a page. Default true. */
  readonly httpOnly?: boolean
  /** One for each site that embeds this one. Needs `secure`. Default false. */
  readonly partitioned?: boolean
}

/** A cookie of a reply with its options. */
export interface CookieInit extends CookieOptions {
  readonly value: string
}

/** What cookies of an app have in common. */
export interface CookieRules {
  /** The first signs, all verify. Empty: no cookie can be signed. */
  readonly secrets: readonly string[]
  /** Cookies are secure unless told otherwise, whatever the request. */
  readonly secureByDefault: boolean
}

/** Browsers drop a cookie whose name and value are longer. */
const maxBytes = 4096
const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
const label = '[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?'
const domainName = new RegExp(`^\\.?${label}(?:\\.${label})*$`, 'i')
const plainPath = /^\/[\x20-\x3a\x3c-\x7e]*$/
const sameSites: ReadonlySet<string> = new Set(['lax', 'strict', 'none'])

/**
 * The value of a `set-cookie` header.
 *
 * @throws TypeError that names the cookie and what is wrong with it, and never shows its value
 */
export function toSetCookie(
  name: string,
  value: string,
  options: CookieOptions,
  isSecureRequest: () => boolean,
  rules: CookieRules,
): string {
  const { signed = false, maxAgeSeconds, expires, domain, path = '/', sameSite = 'lax', httpOnly = true } = options
  const { partitioned = false } = options
  checkName(name)
  const prefix = /^__(?:host-http|http|host|secure)-/i.exec(name)?.[0] ?? null
  const needsSecure = prefix !== null || sameSite === 'none' || partitioned
  const secure = options.secure ?? (needsSecure || rules.secureByDefault || isSecureRequest())
  const problem =
    findBadValue(value) ??
    findBadOption(options, path, sameSite) ??
    findMissingSecure(secure, { prefix, sameSite, partitioned }) ??
    (prefix === null ? null : findBadPrefixed(prefix, domain, path, httpOnly))
  if (problem !== null) throw new TypeError(`Cookie '${name}': ${problem}`)
  const sent = signed ? signValue(name, value, rules.secrets) : value
  const encoded = encodeURIComponent(sent)
  if (name.length + encoded.length > maxBytes)
    throw new TypeError(
      `Cookie '${name}': name and value take ${name.length + encoded.length} bytes as they are sent, and browsers drop what is longer than ${maxBytes}: store the value on the server, and send its id`,
    )
  return stringifySetCookie({
    name,
    value: sent,
    ...(maxAgeSeconds !== undefined && { maxAge: maxAgeSeconds }),
    ...(expires !== undefined && { expires }),
    ...(domain !== undefined && { domain }),
    path,
    httpOnly,
    secure,
    partitioned,
    sameSite,
  })
}

/** The value that was signed for this name; null for a signature that none of the secrets has made. In constant time for each secret. */
export function verifyValue(name: string, sent: string, secrets: readonly string[]): string | null {
  checkSecrets(name, secrets)
  const prefix = `${name}=`
  for (const secret of secrets) {
    const pair = unsign(`${prefix}${sent}`, secret)
    if (pair !== false && pair.startsWith(prefix)) return pair.slice(prefix.length)
  }
  return null
}

/**
 * A cookie that was set with `signed: true`, for a plugin that looks at a request before there is a call; null when it was not sent, or none of
 * the secrets has signed it.
 */
export function readSignedCookie(
  headers: Readonly<Record<string, string>>,
  name: string,
  secrets: readonly string[],
): string | null {
  const sent = readCookie(headers, name)
  return sent === null ? null : verifyValue(name, sent, secrets)
}

/** The name is signed too, so that a value is valid under its own name only. A name contains no `=`. */
function signValue(name: string, value: string, secrets: readonly string[]): string {
  checkSecrets(name, secrets)
  return sign(`${name}=${value}`, secrets[0] ?? '').slice(name.length + 1)
}

function checkSecrets(name: string, secrets: readonly string[]): void {
  if (secrets.length === 0)
    throw new TypeError(
      `Cookie '${name}' is signed, but the app has no secret: set createApp({ http: { cookies: { secrets: [...] } } }), or COOKIE_SECRETS with the settings group http`,
    )
}

function checkName(name: string): void {
  if (token.test(name)) return
  throw new TypeError(
    `A cookie has a name of letters, digits and !#$%&'*+-.^_\`|~, not ${JSON.stringify(name.slice(0, 100))}`,
  )
}

function findBadValue(value: unknown): string | null {
  if (typeof value !== 'string') return `its value must be a string, not ${typeof value}`
  // encodeURIComponent would throw.
  return isWellFormed(value) ? null : 'its value contains half of a surrogate pair'
}

function findBadOption(
  { maxAgeSeconds, expires, domain }: CookieOptions,
  path: string,
  sameSite: string,
): string | null {
  if (maxAgeSeconds !== undefined && !(Number.isSafeInteger(maxAgeSeconds) && maxAgeSeconds >= 0))
    return `maxAgeSeconds must be an integer of at least 0 (seconds), not ${maxAgeSeconds}; delete() removes a cookie`
  if (expires !== undefined && !(expires instanceof Date && Number.isFinite(expires.getTime())))
    return 'expires must be a valid Date'
  if (expires !== undefined && !isCookieYear(expires.getUTCFullYear()))
    return 'expires must be a Date of the years 1601 to 9999: browsers ignore others'
  const badDomain = domain === undefined ? null : findBadDomain(domain)
  if (badDomain !== null) return badDomain
  if (!plainPath.test(path)) return "path must begin with '/', and contain visible ASCII without ';'"
  return sameSites.has(sameSite) ? null : "sameSite must be 'lax', 'strict' or 'none'"
}

/** Of RFC 6265, 5.1.1; a year of five digits cannot be written. */
function isCookieYear(year: number): boolean {
  return year >= 1601 && year <= 9999
}

function findMissingSecure(
  secure: boolean,
  { prefix, sameSite, partitioned }: { prefix: string | null; sameSite: string; partitioned: boolean },
): string | null {
  if (secure) return null
  if (prefix !== null) return `a name with ${prefix} needs secure: remove secure: false`
  if (sameSite === 'none') return "sameSite: 'none' needs secure: remove secure: false"
  return partitioned ? 'partitioned needs secure: remove secure: false' : null
}

/** Browsers drop a cookie whose name promises what it has not. */
function findBadPrefixed(prefix: string, domain: string | undefined, path: string, httpOnly: boolean): string | null {
  if (/http/i.test(prefix) && !httpOnly) return `a name with ${prefix} needs httpOnly: remove httpOnly: false`
  if (!/host/i.test(prefix)) return null
  if (domain !== undefined) return `a name with ${prefix} has no domain: remove it`
  return path === '/' ? null : `a name with ${prefix} has the path '/': remove path`
}

/** Browsers drop a cookie with a domain that cannot have hosts below it. */
function findBadDomain(domain: string): string | null {
  const name = domain.startsWith('.') ? domain.slice(1) : domain
  if (isIP(name) !== 0 || /(?:^|\.)\d+$/.test(name))
    return 'domain must be a host name, not an IP address: remove domain, and the cookie is of the host of the request'
  if (!(domain.length <= 254 && domainName.test(domain))) return 'domain must be a host name, such as example.com'
  if (name.includes('.')) return null
  return 'domain must have a dot, as example.com has: remove domain, and the cookie is of the host of the request'
}

/** In the format of the package cookie-signature, which is CommonJS and cannot be bundled into an ES module. */
function sign(value: string, secret: string): string {
  return `${value}.${createHmac('sha256', secret).update(value).digest('base64').replace(/=+$/, '')}`
}

function unsign(signed: string, secret: string): string | false {
  const value = signed.slice(0, signed.lastIndexOf('.'))
  const expected = Buffer.from(sign(value, secret))
  const given = Buffer.from(signed)
  return expected.length === given.length && timingSafeEqual(expected, given) ? value : false
}
