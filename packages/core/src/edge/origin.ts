import { type AppError, PermissionDeniedError } from '../errors/app-error.ts'
import type { IncomingRequest } from '../plugin/incoming-request.ts'

/** What decides whether a request was sent by a page of this app. */
export type OriginRequest = Pick<IncomingRequest, 'wire' | 'method' | 'headers' | 'secure'>

const plainOrigin = /^https?:\/\/[^/?#@\\\s]+$/i
const plainHost = /^[^/?#@\\\s]+$/
/** They change nothing, and every link to this app sends one. */
const safeMethods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS'])
const maxShown = 100

/**
 * Is this origin the one that the request was sent to? Host names and ports are compared as browsers write them: `app.example:443` is
 * `https://app.example`. A page of `http:` is another origin than a server of TLS. Of a server that sees no TLS it is not known whether a proxy
 * in front speaks it, so a page of `https:` is its own.
 *
 * @param host - The `Host` header
 * @param secure - The client used TLS, to this server or to a trusted proxy
 */
export function isOwnOrigin(origin: string, host: string, secure: boolean): boolean {
  if (!plainOrigin.test(origin) || !plainHost.test(host) || !URL.canParse(origin)) return false
  const page = new URL(origin)
  if (secure && page.protocol === 'http:') return false
  const own = `${page.protocol}//${host}`
  return URL.canParse(own) && toPlace(page) === toPlace(new URL(own))
}

/** Without the port that the scheme has anyway, and without the dot that a full name may end with. */
function toPlace({ hostname, port }: URL): string {
  return `${hostname.endsWith('.') ? hostname.slice(0, -1) : hostname}:${port}`
}

/**
 * For identities that browsers send by themselves, above all by cookies: the error for a request that a page of another origin has sent; null for
 * one that may be answered. `origins` are other pages that may. Requests of GET, HEAD and OPTIONS may come from anywhere; an upgrade may not,
 * whatever its method.
 *
 * The browser's own word counts first, `Sec-Fetch-Site`, then the `Origin` header is compared with the request's host. A request with neither is
 * not from a browser, which sends at least one of them with such a request. Of an upgrade only `Origin` counts, if there is one.
 *
 * @example
 * host.identify((request) => {
 *   const session = readCookie(request.headers, '__Host-session')
 *   if (session === null) return null
 *   const error = findOriginError(request)
 *   if (error !== null) throw error
 *   return sessions.get(session) ?? null
 * })
 */
export function findOriginError(request: OriginRequest, origins: readonly string[] = []): AppError | null {
  const { wire, method, headers, secure } = request
  const isUpgrade = wire === 'ws'
  if (!isUpgrade && safeMethods.has(method)) return null
  const { origin = '', host = '', 'sec-fetch-site': site = '' } = headers
  if (origin !== '' && origins.includes(origin)) return null
  if (site === 'same-origin' || site === 'none') {
    if (!isUpgrade || origin === '') return null
  } else if (site !== '' && !(isUpgrade && origin !== '')) return toError(origin, isUpgrade)
  if (origin === '' || isOwnOrigin(origin, host, secure)) return null
  return toError(origin, isUpgrade)
}

function toError(origin: string, isUpgrade: boolean): AppError {
  const what = isUpgrade ? 'This connection was opened' : 'This request was sent'
  const page = origin === '' ? 'a page of another origin' : `a page of the origin '${origin.slice(0, maxShown)}'`
  return new PermissionDeniedError(
    `${what} by ${page}, which may not use the cookies of this server: if it may, list it in origins. Behind a proxy, let it pass on the Host header, with http.trustedProxies for TLS, or list the public origin`,
  )
}
