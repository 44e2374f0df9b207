import { AuthenticationError, PermissionDeniedError, UnavailableError } from '@twinwire/core'

/** What a token is refused for. */
export type TokenReason =
  | 'malformed'
  | 'too_large'
  | 'algorithm'
  | 'unknown_key'
  | 'signature'
  | 'issuer'
  | 'audience'
  | 'authorized_party'
  | 'type'
  | 'claims'
  | 'lifetime'
  | 'not_yet_valid'
  | 'expired'
  | 'revoked'
  | 'unavailable'

interface TokenRefusal {
  readonly reason: TokenReason
  /** Label of the instruments. */
  readonly status: 'expired' | 'invalid' | 'error'
  /** What the caller is told. */
  readonly description: string
}

const refusal = (status: TokenRefusal['status'], reason: TokenReason, description: string): TokenRefusal => ({
  reason,
  status,
  description,
})

export const tokenRefusals: readonly TokenRefusal[] = [
  refusal('invalid', 'malformed', 'The token is malformed'),
  refusal('invalid', 'too_large', 'The token is too large'),
  refusal('invalid', 'algorithm', 'The algorithm of the token is not accepted'),
  refusal('invalid', 'unknown_key', 'The key of the token is not known'),
  refusal('invalid', 'signature', 'The signature of the token is not valid'),
  refusal('invalid', 'issuer', 'The issuer of the token is not accepted'),
  refusal('invalid', 'audience', 'The token is not meant for this service'),
  refusal('invalid', 'authorized_party', 'The token was issued to a client that is not accepted'),
  refusal('invalid', 'type', 'The token is not a bearer access token'),
  refusal('invalid', 'claims', 'A claim of the token is missing or not valid'),
  refusal('invalid', 'lifetime', 'The token is valid for too long'),
  refusal('invalid', 'not_yet_valid', 'The token is not valid yet'),
  refusal('expired', 'expired', 'The token has expired'),
  refusal('invalid', 'revoked', 'The session of the token has ended'),
  refusal('error', 'unavailable', 'Tokens cannot be verified at the moment'),
]

const descriptions: ReadonlyMap<TokenReason, string> = new Map(
  tokenRefusals.map(({ reason, description }) => [reason, description]),
)

/** The answers of this plugin, in the words of one app: each with the challenge that RFC 6750 asks for. */
export interface Refusals {
  /** No credentials. */
  missing(): AuthenticationError
  /** Credentials that are none: another scheme, two tokens. */
  request(description: string): AuthenticationError
  token(reason: TokenReason): AuthenticationError | UnavailableError
  roles(missing: readonly string[]): PermissionDeniedError
  anyRole(needed: readonly string[]): PermissionDeniedError
  scopes(missing: readonly string[]): PermissionDeniedError
}

/** `realm` is what the challenge calls the protected space. */
export function createRefusals(realm: string, hideDetails: boolean): Refusals {
  const challenge = (params: Readonly<Record<string, string>>): { readonly headers: Record<string, string> } => {
    const all = Object.entries({ realm, ...params }).map(
      ([name, value]) => `${name}="${value.replace(/[\\"]/g, '\\$&')}"`,
    )
    return { headers: { 'www-authenticate': `Bearer ${all.join(', ')}` } }
  }
  const insufficient = (details: object, scope?: string): PermissionDeniedError =>
    new PermissionDeniedError(undefined, {
      ...challenge({ error: 'insufficient_scope', ...(scope === undefined ? {} : { scope }) }),
      ...(hideDetails ? {} : { details }),
    })
  return {
    // Without credentials the challenge names no error (RFC 6750, 3.1).
    missing: () => new AuthenticationError(undefined, challenge({})),
    request: (description) =>
      new AuthenticationError(description, challenge({ error: 'invalid_request', error_description: description })),
    token(reason) {
      const description = descriptions.get(reason) ?? ''
      if (reason === 'unavailable') return new UnavailableError(description)
      return new AuthenticationError(description, challenge({ error: 'invalid_token', error_description: description }))
    },
    roles: (missing) => insufficient({ missing_roles: missing }),
    anyRole: (needed) => insufficient({ any_of_roles: needed }),
    scopes: (missing) => insufficient({ missing_scopes: missing }, hideDetails ? undefined : missing.join(' ')),
  }
}
