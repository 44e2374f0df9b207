/** Credentials of a request: a token, none, or invalid ones. */
export type Credentials =
  | { readonly kind: 'token'; readonly token: string }
  | { readonly kind: 'none' }
  | { readonly kind: 'invalid'; readonly description: string }

const none: Credentials = { kind: 'none' }
const scheme = /^bearer /i
const schemeLength = 7
const protocolPrefix = 'bearer.'

/** `Authorization: Bearer <token>`: the scheme in any case, one space, one token (RFC 6750, 2.1). */
export function readAuthorization(header: string | undefined): Credentials {
  if (header === undefined || header === '') return none
  const token = readBearer(header)
  if (token === null) return { kind: 'invalid', description: 'The Authorization header is not a single Bearer token' }
  return { kind: 'token', token }
}

/** `Bearer <token>`, as in a header and in an `auth` frame; null for anything else. */
export function readBearer(text: string): string | null {
  // Not one expression: a token is long, and `indexOf` is far quicker over it.
  if (text.length === schemeLength || !scheme.test(text)) return null
  return text.indexOf(' ', schemeLength) === -1 && !text.includes(',') ? text.slice(schemeLength) : null
}

/**
 * The credentials of an upgrade: the header, or `Sec-WebSocket-Protocol: twinwire, bearer.<token>`, the only header that a page can set.
 * Both at once are invalid: they could belong to two users.
 */
export function readUpgrade(headers: Readonly<Record<string, string>>): Credentials {
  const fromHeader = readAuthorization(headers.authorization)
  const offered = (headers['sec-websocket-protocol'] ?? '').split(',').map((each) => each.trim())
  const tokens = offered.filter((each) => each.startsWith(protocolPrefix))
  const [first] = tokens
  if (first === undefined) return fromHeader
  if (fromHeader.kind !== 'none' || tokens.length > 1)
    return { kind: 'invalid', description: 'The upgrade carries more than one token' }
  return { kind: 'token', token: first.slice(protocolPrefix.length) }
}
