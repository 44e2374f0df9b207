import type { AppError } from '@twinwire/core'
import { findOriginError, type IncomingRequest, readCookie } from '@twinwire/core/plugin'

/** Credentials of a request: a token, none, invalid ones, or a cookie that the sender may not use. */
export type Credentials =
  | { readonly kind: 'token'; readonly token: string }
  | { readonly kind: 'none' }
  | { readonly kind: 'invalid'; readonly description: string }
  | { readonly kind: 'foreign'; readonly error: AppError }

/** A cookie that carries tokens, and the pages of other origins that may use it. */
export interface TokenCookie {
  readonly name: string
  readonly origins: readonly string[]
}

const none: Credentials = { kind: 'none' }
const scheme = /^bearer /i
const schemeLength = 7
const protocolPrefix = 'bearer.'

/** `Authorization: Bearer <token>`: the scheme in any case, one space, one token (RFC 6750, 2.1). */
function readAuthorization(header: string | undefined): Credentials {
  if (header === undefined || header === '') return none
  const token = readBearer(header)
  if (token === null) return { kind: 'invalid', description: 'The Authorization header is not a single Bearer token' }
  return { kind: 'token', token }
}

/** The credentials of an HTTP request. */
export function readRequest(request: IncomingRequest, cookie: TokenCookie | null): Credentials {
  const fromHeader = readAuthorization(request.headers.authorization)
  return fromHeader.kind === 'none' && cookie !== null ? readTokenCookie(request, cookie) : fromHeader
}

/** A header is set by a page that knows the token. A cookie comes also with what other pages send, which must not act for its user. */
function readTokenCookie(request: IncomingRequest, { name, origins }: TokenCookie): Credentials {
  const token = readCookie(request.headers, name)
  if (token === null || token === '') return none
  const error = findOriginError(request, origins)
  return error === null ? { kind: 'token', token } : { kind: 'foreign', error }
}

/** `Bearer <token>`, as in a header and in an `auth` frame; null for anything else. */
export function readBearer(text: string): string | null {
  // Not one expression: a token is long, and `indexOf` is far quicker over it.
  if (text.length === schemeLength || !scheme.test(text)) return null
  return text.indexOf(' ', schemeLength) === -1 && !text.includes(',') ? text.slice(schemeLength) : null
}

/**
 * The credentials of an upgrade: the header, or `Sec-WebSocket-Protocol: twinwire, bearer.<token>`, the only header that a page can set.
 * Both at once are invalid: they could belong to two users. Else the cookie.
 */
export function readUpgrade(request: IncomingRequest, cookie: TokenCookie | null): Credentials {
  const { headers } = request
  const fromHeader = readAuthorization(headers.authorization)
  const offered = (headers['sec-websocket-protocol'] ?? '').split(',').map((each) => each.trim())
  const tokens = offered.filter((each) => each.startsWith(protocolPrefix))
  const [first] = tokens
  if (first === undefined) return readRequest(request, cookie)
  if (fromHeader.kind !== 'none' || tokens.length > 1)
    return { kind: 'invalid', description: 'The upgrade carries more than one token' }
  return { kind: 'token', token: first.slice(protocolPrefix.length) }
}
