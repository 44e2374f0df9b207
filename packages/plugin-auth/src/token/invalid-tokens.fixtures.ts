import { createHmac, createPublicKey, type JsonWebKey, type KeyObject, sign } from 'node:crypto'
import type { TokenReason } from '../errors.ts'
import type { TestIssuer, TestTokenOptions } from '../testing/index.ts'
import { createSigningKey } from '../testing/signing-keys.ts'

export interface InvalidToken {
  readonly name: string
  readonly token: string
  /** `request`: it is not one token. */
  readonly reason: TokenReason | 'request'
}

function encode(value: unknown): string {
  return Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')
}

/** Signs any header and payload with a foreign EC key. */
function compact(header: unknown, payload: unknown, key: KeyObject): string {
  const input = `${encode(header)}.${encode(payload)}`
  return `${input}.${sign('sha256', Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`
}

function hmac(header: object, payload: unknown, secret: string): string {
  const input = `${encode(header)}.${encode(payload)}`
  return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`
}

/** Tokens that must be rejected, each for one reason. Issuer and app share a clock. */
export async function createInvalidTokens(issuer: TestIssuer, now: number): Promise<readonly InvalidToken[]> {
  const good = issuer.token('ada')
  const [header = '', payload = '', signature = ''] = good.split('.')
  const claims: Record<string, unknown> = JSON.parse(Buffer.from(payload, 'base64url').toString())
  const { kid }: { kid: string } = JSON.parse(Buffer.from(header, 'base64url').toString())
  const certs = await (await fetch(`${issuer.issuer}/protocol/openid-connect/certs`)).text()
  const { keys }: { keys: readonly [JsonWebKey] } = JSON.parse(certs)
  const [jwk] = keys
  const publicPem = createPublicKey({ key: jwk, format: 'jwk' }).export({ type: 'spki', format: 'pem' }).toString()
  const { privateKey: foreign, jwk: foreignJwk } = createSigningKey('ES256')
  const byForeign = (more: object): string => compact({ alg: 'ES256', typ: 'JWT', kid, ...more }, claims, foreign)
  const seconds = Math.floor(now / 1000)
  const changed = (text: string): string => (text.startsWith('A') ? `B${text.slice(1)}` : `A${text.slice(1)}`)
  const withClaims = (change: Record<string, unknown>, more: TestTokenOptions = {}): string =>
    issuer.token('ada', { ...more, claims: change })
  const invalid = (reason: InvalidToken['reason'], name: string, token: string): InvalidToken => ({
    name,
    token,
    reason,
  })

  return [
    invalid('malformed', 'a word', 'token'),
    invalid('malformed', 'one part', header),
    invalid('malformed', 'two parts', `${header}.${payload}`),
    invalid('malformed', 'no signature', `${header}.${payload}.`),
    invalid('malformed', 'four parts', `${good}.${signature}`),
    invalid('malformed', 'five parts, as of an encrypted token', `${good}.${signature}.${signature}`),
    invalid('malformed', 'characters of base64, not base64url', `${header}.${payload}.+${signature.slice(1)}`),
    invalid('malformed', 'padding', `${header}.${payload}.${signature}==`),
    invalid('malformed', 'a header that is not JSON', `${encode('{alg')}.${payload}.${signature}`),
    invalid('malformed', 'a header that is a list', `${encode('[]')}.${payload}.${signature}`),
    invalid('malformed', 'a header that is null', `${encode('null')}.${payload}.${signature}`),
    invalid('malformed', 'a header that is a string', `${encode('"alg"')}.${payload}.${signature}`),
    invalid(
      'malformed',
      'a header that is not UTF-8',
      `${Buffer.from([0xff, 0xfe]).toString('base64url')}.${payload}.${signature}`,
    ),
    invalid(
      'malformed',
      'a header with two algorithms',
      compact(`{"alg":"none","alg":"ES256","typ":"JWT","kid":"${kid}"}`, claims, foreign),
    ),
    invalid('signature', 'a nested token', compact({ alg: 'ES256', typ: 'JWT', cty: 'JWT', kid }, good, foreign)),

    invalid('algorithm', 'alg none', `${encode({ alg: 'none', typ: 'JWT' })}.${payload}.${signature}`),
    invalid('algorithm', 'alg None', `${encode({ alg: 'None', typ: 'JWT', kid })}.${payload}.${signature}`),
    invalid('algorithm', 'alg NONE', `${encode({ alg: 'NONE', typ: 'JWT', kid })}.${payload}.${signature}`),
    invalid('algorithm', 'no alg', `${encode({ typ: 'JWT', kid })}.${payload}.${signature}`),
    invalid('malformed', 'an alg that is a number', `${encode({ alg: 5, kid })}.${payload}.${signature}`),
    invalid(
      'algorithm',
      'HS256 with the public key as the secret',
      hmac({ alg: 'HS256', typ: 'JWT', kid }, claims, publicPem),
    ),
    invalid(
      'algorithm',
      'HS256 with the published key as the secret',
      hmac({ alg: 'HS256', kid }, claims, JSON.stringify(jwk)),
    ),
    invalid(
      'algorithm',
      'an algorithm for encryption',
      `${encode({ alg: 'RSA-OAEP', enc: 'A256GCM', kid })}.${payload}.${signature}`,
    ),
    invalid(
      'unknown_key',
      'RS256 with the id of an EC key',
      `${encode({ alg: 'RS256', kid })}.${payload}.${signature}`,
    ),
    invalid(
      'unknown_key',
      'ES384 with the id of a key for ES256',
      `${encode({ alg: 'ES384', kid })}.${payload}.${signature}`,
    ),

    invalid('signature', "a foreign key under the id of the issuer's", issuer.token('ada', { forged: true })),
    invalid('signature', 'a header with a key of its own', byForeign({ jwk: { ...foreignJwk, kid } })),
    invalid('signature', 'jku', byForeign({ jku: 'http://127.0.0.1:9/keys' })),
    invalid('signature', 'x5u', byForeign({ x5u: 'http://127.0.0.1:9/chain.pem' })),
    invalid('signature', 'x5c', byForeign({ x5c: [Buffer.from('certificate').toString('base64')] })),
    invalid('signature', 'a changed signature', `${header}.${payload}.${changed(signature)}`),
    invalid('signature', 'a truncated signature', good.slice(0, -20)),
    invalid('signature', 'a changed payload', `${header}.${encode({ ...claims, sub: 'bob' })}.${signature}`),
    invalid('signature', 'a truncated payload', `${header}.${payload.slice(0, -8)}.${signature}`),
    invalid(
      'signature',
      'a header of another token',
      `${encode({ alg: 'ES256', typ: 'at+jwt', kid })}.${payload}.${signature}`,
    ),
    invalid('algorithm', 'crit with an unknown extension', issuer.token('ada', { header: { crit: ['x'], x: 1 } })),
    invalid('malformed', 'crit that is not a list', issuer.token('ada', { header: { crit: 'x' } })),
    invalid(
      'malformed',
      'a payload that is not encoded',
      issuer.token('ada', { header: { crit: ['b64'], b64: false } }),
    ),

    invalid('unknown_key', 'kid of no key', issuer.token('ada', { header: { kid: 'unknown' } })),
    invalid('unknown_key', 'kid that is a path', issuer.token('ada', { header: { kid: '../../../../dev/null' } })),
    invalid('unknown_key', 'kid that is SQL', issuer.token('ada', { header: { kid: "' UNION SELECT 'key' --" } })),
    invalid(
      'unknown_key',
      'kid that is an address',
      issuer.token('ada', { header: { kid: 'http://127.0.0.1:9/key' } }),
    ),
    invalid('unknown_key', 'kid __proto__', issuer.token('ada', { header: { kid: '__proto__' } })),
    invalid('malformed', 'kid that is a number', issuer.token('ada', { header: { kid: 1 } })),
    invalid('malformed', 'kid that is null', issuer.token('ada', { header: { kid: null } })),

    invalid('issuer', 'another issuer', withClaims({ iss: 'https://sso.example.com/realms/test' })),
    invalid('issuer', 'the issuer with a slash', withClaims({ iss: `${issuer.issuer}/` })),
    invalid('issuer', 'another realm', withClaims({ iss: issuer.issuer.replace('/test', '/master') })),
    invalid('issuer', 'the issuer in a list', withClaims({ iss: [issuer.issuer] })),
    invalid('issuer', 'no issuer', withClaims({ iss: undefined })),
    invalid('audience', 'another audience', withClaims({ aud: 'grafana' })),
    invalid('audience', 'several other audiences', withClaims({ aud: ['grafana', 'account'] })),
    invalid('audience', 'an audience that begins with ours', withClaims({ aud: 'test-client-admin' })),
    invalid('audience', 'no audience in the list', withClaims({ aud: [] })),
    invalid('audience', 'an audience that is a number', withClaims({ aud: 7 })),
    invalid('audience', 'no audience', withClaims({ aud: undefined })),

    invalid('type', 'an ID token', issuer.idToken('ada')),
    invalid('algorithm', 'a refresh token', issuer.refreshToken('ada')),
    invalid('type', 'a refresh token with a signature of the issuer', withClaims({ typ: 'Refresh' })),
    invalid('type', 'an offline token', withClaims({ typ: 'Offline' })),
    invalid('type', 'a logout token', issuer.logoutToken('ada', { sid: 's1' })),
    invalid(
      'type',
      'the claims of an access token under the type of a logout token',
      issuer.token('ada', { header: { typ: 'logout+jwt' } }),
    ),
    invalid('type', 'a DPoP proof', issuer.token('ada', { header: { typ: 'dpop+jwt' } })),
    invalid('type', 'a token of no type', withClaims({ typ: undefined })),
    invalid('type', 'a type that is a list', withClaims({ typ: ['Bearer'] })),
    invalid('type', 'a token that is bound to a key', withClaims({ cnf: { jkt: 'thumbprint' } })),

    invalid('expired', 'expired', issuer.token('ada', { lifetimeMs: -60_000 })),
    invalid('expired', 'expired by the tolerance', withClaims({ exp: seconds - 10 })),
    invalid('claims', 'no exp', withClaims({ exp: undefined })),
    invalid('claims', 'exp that is a string', withClaims({ exp: String(seconds + 300) })),
    invalid('claims', 'exp that is null', withClaims({ exp: null })),
    invalid('lifetime', 'exp in a hundred years', withClaims({ exp: seconds + 3_155_760_000 })),
    invalid('not_yet_valid', 'nbf in the future', withClaims({ nbf: seconds + 60 })),
    invalid('claims', 'nbf that is a string', withClaims({ nbf: 'now' })),
    invalid('not_yet_valid', 'iat in the future', withClaims({ iat: seconds + 60 })),
    invalid('claims', 'no iat', withClaims({ iat: undefined })),
    invalid('claims', 'auth_time that is a string', withClaims({ auth_time: 'today' })),

    invalid('claims', 'no sub', withClaims({ sub: undefined })),
    invalid('claims', 'sub that is a number', withClaims({ sub: 7 })),
    invalid('claims', 'an empty sub', withClaims({ sub: '' })),
    invalid('claims', 'sid that is an object', withClaims({ sid: {} })),
    invalid('claims', 'roles that are numbers', withClaims({ realm_access: { roles: [1, 2] } })),
    invalid('claims', 'roles that are one string', withClaims({ realm_access: { roles: 'admin' } })),
    invalid('claims', 'roles within roles', withClaims({ realm_access: { roles: [['admin']] } })),
    invalid('claims', 'realm_access that is a list', withClaims({ realm_access: ['admin'] })),
    invalid('claims', 'realm_access that is null', withClaims({ realm_access: null })),
    invalid('claims', 'resource_access that is a string', withClaims({ resource_access: 'admin' })),
    invalid(
      'claims',
      'client roles that are an object',
      withClaims({ resource_access: { 'test-client': { roles: {} } } }),
    ),
    invalid('claims', 'a user name that is a number', withClaims({ preferred_username: 7 })),
    invalid('claims', 'an email that is a list', withClaims({ email: ['a@example.test'] })),
    invalid('claims', 'a scope that is a list', withClaims({ scope: ['read'] })),
    invalid('claims', 'groups that are a string', withClaims({ groups: '/staff' })),

    invalid('too_large', 'one byte over 16 KiB', `${header}.${'a'.repeat(16_384)}`.slice(0, 16_385)),
    invalid('too_large', 'a signed token over 16 KiB', withClaims({ filler: 'x'.repeat(13_000) })),
    invalid('malformed', '16 KiB of a letter', 'a'.repeat(16_384)),
    invalid('request', 'two tokens', `${good} ${good}`),
    invalid('request', 'two tokens, as a list', `${good},${good}`),
  ]
}
