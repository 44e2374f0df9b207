import { type Fields, fieldsOf, numberOf, stringsOf, textOf } from '../model/json.ts'

/** What a token says of its user, unverified: to show, never to decide. */
export interface Claims {
  readonly name: string
  readonly subject: string
  readonly issuer: string
  readonly roles: readonly string[]
  /** Milliseconds since 1970; null if it does not say. */
  readonly issuedAt: number | null
  readonly expiresAt: number | null
}

/** Null for a token that is not a JSON Web Token. */
export function readClaims(token: string): Claims | null {
  const [, payload = ''] = token.split('.')
  const claims = decode(payload)
  if (claims === null) return null
  const subject = textOf(claims['sub'])
  return {
    name: textOf(claims['preferred_username']) || textOf(claims['name']) || textOf(claims['email']) || subject,
    subject,
    issuer: textOf(claims['iss']),
    roles: readRoles(claims),
    issuedAt: toMs(claims['iat']),
    expiresAt: toMs(claims['exp']),
  }
}

function decode(payload: string): Fields | null {
  try {
    const binary = atob(payload.replaceAll('-', '+').replaceAll('_', '/'))
    const text = new TextDecoder().decode(Uint8Array.from(binary, (each) => each.charCodeAt(0)))
    return fieldsOf(JSON.parse(text))
  } catch {
    return null
  }
}

function toMs(seconds: unknown): number | null {
  const value = numberOf(seconds)
  return value === null ? null : value * 1000
}

/** Roles at the clients that the token is for, as Keycloak writes them; without one those of the realm, or of a claim `roles`. */
function readRoles(claims: Fields): readonly string[] {
  const resources = fieldsOf(claims['resource_access'])
  const audience = [claims['aud'], claims['azp']].flat()
  const clients = [...new Set(audience)].filter((each) => typeof each === 'string')
  const ofClients = clients.flatMap((client) => stringsOf(fieldsOf(resources[client])['roles']))
  if (ofClients.length > 0) return [...new Set(ofClients)]
  return [...new Set([...stringsOf(fieldsOf(claims['realm_access'])['roles']), ...stringsOf(claims['roles'])])]
}
