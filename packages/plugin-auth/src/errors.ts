import { AuthenticationError, PermissionDeniedError, UnavailableError } from '@twinwire/core'

/** Why a token is rejected. */
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

interface TokenErrorKind {
  readonly reason: TokenReason
  /** Label of the instruments. */
  readonly status: 'expired' | 'invalid' | 'error'
  /** Message of the response. */
  readonly description: string
}

const kind = (status: TokenErrorKind['status'], reason: TokenReason, description: string): TokenErrorKind => ({
  reason,
  status,
  description,
})

export const tokenErrors: readonly TokenErrorKind[] = [
  kind('invalid', 'malformed', 'The token is malformed'),
  kind('invalid', 'too_large', 'The token is too large'),
  kind('invalid', 'algorithm', 'The signing algorithm of the token is not accepted'),
  kind('invalid', 'unknown_key', 'The token is signed with an unknown key'),
  kind('invalid', 'signature', 'The signature of the token is invalid'),
  kind('invalid', 'issuer', 'The issuer of the token is not accepted'),
  kind('invalid', 'audience', 'The audience of the token does not include this service'),
  kind('invalid', 'authorized_party', 'The token was issued to a client that is not accepted'),
  kind('invalid', 'type', 'The token is not a bearer access token'),
  kind('invalid', 'claims', 'A claim of the token is missing or invalid'),
  kind('invalid', 'lifetime', 'The lifetime of the token is too long'),
  kind('invalid', 'not_yet_valid', 'The token is not valid yet'),
  kind('expired', 'expired', 'The token has expired'),
  kind('invalid', 'revoked', 'The session of the token has ended'),
  kind('error', 'unavailable', 'Tokens cannot be verified at the moment'),
]

const descriptions: ReadonlyMap<TokenReason, string> = new Map(
  tokenErrors.map(({ reason, description }) => [reason, description]),
)

/** The error responses of this plugin, each with the challenge of RFC 6750. */
export interface AuthErrors {
  /** No credentials. */
  missing(): AuthenticationError
  /** Invalid credentials: another scheme, two tokens. */
  request(description: string): AuthenticationError
  token(reason: TokenReason): AuthenticationError | UnavailableError
  roles(missing: readonly string[]): PermissionDeniedError
  anyRole(roles: readonly string[]): PermissionDeniedError
  scopes(missing: readonly string[]): PermissionDeniedError
}

/** `realm`: of the challenge. */
export function createAuthErrors(realm: string, hideDetails: boolean): AuthErrors {
  const challenge = (params: Readonly<Record<string, string>>): { readonly headers: Record<string, string> } => {
    const parts = Object.entries({ realm, ...params }).map(
      ([name, value]) => `${name}="${value.replace(/[\\"]/g, '\\$&')}"`,
    )
    return { headers: { 'www-authenticate': `Bearer ${parts.join(', ')}` } }
  }
  const insufficient = (details: object, scope?: string): PermissionDeniedError =>
    new PermissionDeniedError(undefined, {
      ...challenge({ error: 'insufficient_scope', ...(scope === undefined ? {} : { scope }) }),
      ...(hideDetails ? {} : { details }),
    })
  return {
    // Without credentials the challenge contains no error code (RFC 6750, 3.1).
    missing: () => new AuthenticationError(undefined, challenge({})),
    request: (description) =>
      new AuthenticationError(description, challenge({ error: 'invalid_request', error_description: description })),
    token(reason) {
      const description = descriptions.get(reason) ?? ''
      if (reason === 'unavailable') return new UnavailableError(description)
      return new AuthenticationError(description, challenge({ error: 'invalid_token', error_description: description }))
    },
    roles: (missing) => insufficient({ missing_roles: missing }),
    anyRole: (roles) => insufficient({ any_of_roles: roles }),
    scopes: (missing) => insufficient({ missing_scopes: missing }, hideDetails ? undefined : missing.join(' ')),
  }
}
