import { createHmac, createPublicKey, type JsonWebKey, type KeyObject, sign } from 'node:crypto'
import type { TokenReason } from '../errors.ts'
import type { TestIssuer, TestTokenOptions } from '../testing/index.ts'
import { createSigningKey } from '../testing/signing-keys.ts'

export interface BadToken {
  readonly name: string
  readonly token: string
  /** `request`: it is not even one token. */
  readonly reason: TokenReason | 'request'
}

function encode(value: unknown): string {
  return Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')
}

/** Any header over any payload, signed by somebody's EC key. */
function compact(header: unknown, payload: unknown, key: KeyObject): string {
  const input = `${encode(header)}.${encode(payload)}`
  return `${input}.${sign('sha256', Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`
}

function hmac(header: object, payload: unknown, secret: string): string {
  const input = `${encode(header)}.${encode(payload)}`
  return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`
}

/** Tokens that an issuer's relying party must refuse, each for one reason. Issuer and relying party share a clock. */
export async function createBadTokens(issuer: TestIssuer, now: number): Promise<readonly BadToken[]> {
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
  const bad = (reason: BadToken['reason'], name: string, token: string): BadToken => ({ name, token, reason })

  return [
    bad('malformed', 'a word', 'token'),
    bad('malformed', 'one part', header),
    bad('malformed', 'two parts', `${header}.${payload}`),
    bad('malformed', 'no signature', `${header}.${payload}.`),
    bad('malformed', 'four parts', `${good}.${signature}`),
    bad('malformed', 'five parts, as of an encrypted token', `${good}.${signature}.${signature}`),
    bad('malformed', 'characters of base64, not base64url', `${header}.${payload}.+${signature.slice(1)}`),
    bad('malformed', 'padding', `${header}.${payload}.${signature}==`),
    bad('malformed', 'a header that is no JSON', `${encode('{alg')}.${payload}.${signature}`),
    bad('malformed', 'a header that is a list', `${encode('[]')}.${payload}.${signature}`),
    bad('malformed', 'a header that is null', `${encode('null')}.${payload}.${signature}`),
    bad('malformed', 'a header that is a text', `${encode('"alg"')}.${payload}.${signature}`),
    bad(
      'malformed',
      'a header that is not UTF-8',
      `${Buffer.from([0xff, 0xfe]).toString('base64url')}.${payload}.${signature}`,
    ),
    bad(
      'malformed',
      'a header with two algorithms',
      compact(`{"alg":"none","alg":"ES256","typ":"JWT","kid":"${kid}"}`, claims, foreign),
    ),
    bad('signature', 'a nested token', compact({ alg: 'ES256', typ: 'JWT', cty: 'JWT', kid }, good, foreign)),

    bad('algorithm', 'alg none', `${encode({ alg: 'none', typ: 'JWT' })}.${payload}.${signature}`),
    bad('algorithm', 'alg None', `${encode({ alg: 'None', typ: 'JWT', kid })}.${payload}.${signature}`),
    bad('algorithm', 'alg NONE', `${encode({ alg: 'NONE', typ: 'JWT', kid })}.${payload}.${signature}`),
    bad('algorithm', 'no alg', `${encode({ typ: 'JWT', kid })}.${payload}.${signature}`),
    bad('malformed', 'an alg that is a number', `${encode({ alg: 5, kid })}.${payload}.${signature}`),
    bad(
      'algorithm',
      'HS256 with the public key as the secret',
      hmac({ alg: 'HS256', typ: 'JWT', kid }, claims, publicPem),
    ),
    bad(
      'algorithm',
      'HS256 with the published key as the secret',
      hmac({ alg: 'HS256', kid }, claims, JSON.stringify(jwk)),
    ),
    bad(
      'algorithm',
      'an algorithm for encryption',
      `${encode({ alg: 'RSA-OAEP', enc: 'A256GCM', kid })}.${payload}.${signature}`,
    ),
    bad('unknown_key', 'RS256 over the name of an EC key', `${encode({ alg: 'RS256', kid })}.${payload}.${signature}`),
    bad(
      'unknown_key',
      'ES384 over the name of a key for ES256',
      `${encode({ alg: 'ES384', kid })}.${payload}.${signature}`,
    ),

    bad('signature', "somebody else's key under the name of the issuer's", issuer.token('ada', { forged: true })),
    bad('signature', 'a header with a key of its own', byForeign({ jwk: { ...foreignJwk, kid } })),
    bad('signature', 'jku', byForeign({ jku: 'http://127.0.0.1:9/keys' })),
    bad('signature', 'x5u', byForeign({ x5u: 'http://127.0.0.1:9/chain.pem' })),
    bad('signature', 'x5c', byForeign({ x5c: [Buffer.from('certificate').toString('base64')] })),
    bad('signature', 'a changed signature', `${header}.${payload}.${changed(signature)}`),
    bad('signature', 'a truncated signature', good.slice(0, -20)),
    bad('signature', 'a changed payload', `${header}.${encode({ ...claims, sub: 'bob' })}.${signature}`),
    bad('signature', 'a truncated payload', `${header}.${payload.slice(0, -8)}.${signature}`),
    bad(
      'signature',
      'a header of another token',
      `${encode({ alg: 'ES256', typ: 'at+jwt', kid })}.${payload}.${signature}`,
    ),
    bad('algorithm', 'crit with a word of its own', issuer.token('ada', { header: { crit: ['x'], x: 1 } })),
    bad('malformed', 'crit that is no list', issuer.token('ada', { header: { crit: 'x' } })),
    bad('malformed', 'a payload that is not encoded', issuer.token('ada', { header: { crit: ['b64'], b64: false } })),

    bad('unknown_key', 'kid of no key', issuer.token('ada', { header: { kid: 'nobody' } })),
    bad('unknown_key', 'kid that is a path', issuer.token('ada', { header: { kid: '../../../../dev/null' } })),
    bad('unknown_key', 'kid that is SQL', issuer.token('ada', { header: { kid: "' UNION SELECT 'key' --" } })),
    bad('unknown_key', 'kid that is an address', issuer.token('ada', { header: { kid: 'http://127.0.0.1:9/key' } })),
    bad('unknown_key', 'kid __proto__', issuer.token('ada', { header: { kid: '__proto__' } })),
    bad('malformed', 'kid that is a number', issuer.token('ada', { header: { kid: 1 } })),
    bad('malformed', 'kid that is null', issuer.token('ada', { header: { kid: null } })),

    bad('issuer', 'another issuer', withClaims({ iss: 'https://sso.example.com/realms/test' })),
    bad('issuer', 'the issuer with a slash', withClaims({ iss: `${issuer.issuer}/` })),
    bad('issuer', 'another realm', withClaims({ iss: issuer.issuer.replace('/test', '/master') })),
    bad('issuer', 'the issuer in a list', withClaims({ iss: [issuer.issuer] })),
    bad('issuer', 'no issuer', withClaims({ iss: undefined })),
    bad('audience', 'another audience', withClaims({ aud: 'grafana' })),
    bad('audience', 'several other audiences', withClaims({ aud: ['grafana', 'account'] })),
    bad('audience', 'an audience that begins with ours', withClaims({ aud: 'test-client-admin' })),
    bad('audience', 'no audience in the list', withClaims({ aud: [] })),
    bad('audience', 'an audience that is a number', withClaims({ aud: 7 })),
    bad('audience', 'no audience', withClaims({ aud: undefined })),

    bad('type', 'an ID token', issuer.idToken('ada')),
    bad('algorithm', 'a refresh token', issuer.refreshToken('ada')),
    bad('type', 'a refresh token with a signature of the issuer', withClaims({ typ: 'Refresh' })),
    bad('type', 'an offline token', withClaims({ typ: 'Offline' })),
    bad('type', 'a logout token', issuer.logoutToken('ada', { sid: 's1' })),
    bad(
      'type',
      'the claims of an access token under the type of a logout token',
      issuer.token('ada', { header: { typ: 'logout+jwt' } }),
    ),
    bad('type', 'a DPoP proof', issuer.token('ada', { header: { typ: 'dpop+jwt' } })),
    bad('type', 'a token of no type', withClaims({ typ: undefined })),
    bad('type', 'a type that is a list', withClaims({ typ: ['Bearer'] })),
    bad('type', 'a token that is bound to a key', withClaims({ cnf: { jkt: 'thumbprint' } })),

    bad('expired', 'expired', issuer.token('ada', { lifetimeMs: -60_000 })),
    bad('expired', 'expired by the tolerance', withClaims({ exp: seconds - 10 })),
    bad('claims', 'no exp', withClaims({ exp: undefined })),
    bad('claims', 'exp that is a text', withClaims({ exp: String(seconds + 300) })),
    bad('claims', 'exp that is null', withClaims({ exp: null })),
    bad('lifetime', 'exp in a hundred years', withClaims({ exp: seconds + 3_155_760_000 })),
    bad('not_yet_valid', 'nbf in the future', withClaims({ nbf: seconds + 60 })),
    bad('claims', 'nbf that is a text', withClaims({ nbf: 'now' })),
    bad('not_yet_valid', 'iat in the future', withClaims({ iat: seconds + 60 })),
    bad('claims', 'no iat', withClaims({ iat: undefined })),
    bad('claims', 'auth_time that is a text', withClaims({ auth_time: 'today' })),

    bad('claims', 'no sub', withClaims({ sub: undefined })),
    bad('claims', 'sub that is a number', withClaims({ sub: 7 })),
    bad('claims', 'an empty sub', withClaims({ sub: '' })),
    bad('claims', 'sid that is an object', withClaims({ sid: {} })),
    bad('claims', 'roles that are numbers', withClaims({ realm_access: { roles: [1, 2] } })),
    bad('claims', 'roles that are one text', withClaims({ realm_access: { roles: 'admin' } })),
    bad('claims', 'roles within roles', withClaims({ realm_access: { roles: [['admin']] } })),
    bad('claims', 'realm_access that is a list', withClaims({ realm_access: ['admin'] })),
    bad('claims', 'realm_access that is null', withClaims({ realm_access: null })),
    bad('claims', 'resource_access that is a text', withClaims({ resource_access: 'admin' })),
    bad('claims', 'client roles that are an object', withClaims({ resource_access: { 'test-client': { roles: {} } } })),
    bad('claims', 'a user name that is a number', withClaims({ preferred_username: 7 })),
    bad('claims', 'an email that is a list', withClaims({ email: ['a@example.test'] })),
    bad('claims', 'a scope that is a list', withClaims({ scope: ['read'] })),
    bad('claims', 'groups that are a text', withClaims({ groups: '/staff' })),

    bad('too_large', 'one byte over 16 KiB', `${header}.${'a'.repeat(16_384)}`.slice(0, 16_385)),
    bad('too_large', 'a signed token over 16 KiB', withClaims({ filler: 'x'.repeat(13_000) })),
    bad('malformed', '16 KiB of a letter', 'a'.repeat(16_384)),
    bad('request', 'two tokens', `${good} ${good}`),
    bad('request', 'two tokens, as a list', `${good},${good}`),
  ]
}
