import type { Environment } from '@twinwire/core'
import {
  badOption,
  type CircuitBreakerOptions,
  checkOptions,
  circuitBreakerRules,
  type OptionRule,
  type OptionRules,
  type OptionsOf,
  option,
} from '@twinwire/core/plugin'
import type { TokenCookie } from './bearer.ts'
import { type KeyOptions, keyRules } from './issuer/issuer-keys.ts'

/** Asymmetric algorithms only, with which no holder of a public key can sign. */
const algorithms = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
] as const
export type Algorithm = (typeof algorithms)[number]

export interface BackChannelLogoutOptions {
  /** Default `/auth/backchannel-logout`. */
  readonly path?: `/${string}` | undefined
  /** Clients at the issuer whose logout tokens are accepted: those that users sign in with. Default: `clientId`. */
  readonly clients?: readonly string[] | undefined
}

export interface TokenCookieOptions {
  /** Default `__Host-access_token`. With the prefix `__Host-` no other host of the same site can set it. */
  readonly name?: string | undefined
  /** Pages of other origins that may use it, `https://app.example`. Default: none. */
  readonly origins?: readonly string[] | undefined
}

export interface AuthOptions {
  /**
   * The issuer, exactly as in the claim `iss`: `https://sso.example.com/realms/app`. `keycloakIssuer(baseUrl, realm)` makes one. Must be
   * https in production.
   */
  readonly issuer: string
  /** A token must contain one of these in its claim `aud`. Required unless `authorizedParties` is set. */
  readonly audience?: string | readonly string[] | undefined
  /**
   * Clients whose tokens are accepted (`azp`). Required when `audience` is `account`, which the tokens of every client of a Keycloak realm
   * contain. Without `audience`, for a realm without an audience mapper, any token that a listed client gets is accepted, for whatever
   * service it was issued.
   */
  readonly authorizedParties?: readonly string[] | undefined
  /** The client of this application at the issuer: role names without prefix are its roles. */
  readonly clientId: string
  /** Address of the issuer from here, when `issuer` cannot be reached from this network. Default: `issuer`. */
  readonly internalUrl?: string | undefined
  /** Allows issuer and keys to be read without https in production. Default false. */
  readonly allowInsecureIssuer?: boolean | undefined
  /** Default: RS, PS, ES (256, 384, 512) and EdDSA. */
  readonly algorithms?: readonly Algorithm[] | undefined
  /**
   * Tolerance for clocks that differ: how long a token is accepted after its expiry and before its start, and how long a connection stays
   * open after the expiry of its token. Default 10000.
   */
  readonly toleranceMs?: number | undefined
  /** Default 16384. */
  readonly maxTokenBytes?: number | undefined
  /** A token that is valid for longer is rejected; revocations are remembered for as long. Default 86400000, a day. */
  readonly maxTokenLifetimeMs?: number | undefined
  /** Number of verified tokens in the cache; 0: no cache. Default 10000. */
  readonly cachedTokens?: number | undefined
  /** Number of revocations that are remembered. Default 100000. */
  readonly maxRevocations?: number | undefined
  /** How long a connection may take to send its `auth` frame. Default 5000. */
  readonly handshakeTimeoutMs?: number | undefined
  /** How long before its token expires a connection receives `auth_expiring`; 0: never. Default 60000. */
  readonly expiryWarningMs?: number | undefined
  /** Leaves missing roles and scopes out of 403 responses. Default false. */
  readonly hideMissingRoles?: boolean | undefined
  /** Reads `tokens-not-before` of the realm with its keys. Set it to false for an issuer other than Keycloak. Default true. */
  readonly realmNotBefore?: boolean | undefined
  /** Adds an endpoint for OpenID Connect back-channel logouts. Default false. */
  readonly backChannelLogout?: boolean | BackChannelLogoutOptions | undefined
  /**
   * Takes the token from this cookie where a request or an upgrade has no other one. A page of another origin cannot use it: what it sends to a route
   * that reads who is calling is refused with `permission_denied`, except for GET, HEAD and OPTIONS, and so is its WebSocket, whatever
   * `websocket.origins` allows. A public route without `optionalUser()` is not checked: one that changes something needs `csrf()`. Who sets the cookie
   * is a route of the application, after a login. Default false.
   */
  readonly cookie?: boolean | TokenCookieOptions | undefined
  readonly keys?: KeyOptions | undefined
  /** The circuit breaker for requests to the issuer. By default it opens after 5 consecutive failures, for 60000 ms. */
  readonly breaker?: CircuitBreakerOptions | undefined
}

const dayMs = 86_400_000
const isNotBlank = (value: string): boolean => value.trim() !== ''
const isNotBlankString = (value: unknown): value is string => typeof value === 'string' && isNotBlank(value)
const url = {
  expects: 'an http(s) URL without user, password, query and fragment, such as https://sso.example.com/realms/app',
  test: isPlainUrl,
  // It may contain a password.
  secret: true,
}
const clientRule = option.string({ test: isNotBlank, required: true })

/** Rules of the option `breaker`, and of its environment variables. */
export const breakerRules: ReturnType<typeof circuitBreakerRules> = circuitBreakerRules({
  failures: 5,
  resetMs: 60_000,
})

const logoutRules = {
  path: option.path({ default: '/auth/backchannel-logout' }),
  clients: option.list({ of: clientRule, expects: 'a list of client ids with at least one entry', min: 1 }),
}

const cookieName = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
export const cookieNameRule: OptionRule<string | undefined> = option.string({
  expects: 'the name of a cookie, such as __Host-access_token',
  test: (name) => cookieName.test(name),
})

const cookieRules = {
  name: cookieNameRule,
  origins: option.list({
    of: option.string({
      expects: "an origin such as 'https://app.example.com'",
      test: (origin) => URL.canParse(origin) && new URL(origin).origin === origin,
    }),
    expects: 'a list of origins, such as ["https://app.example.com"]',
    default: [],
  }),
}

const rules = {
  issuer: option.string({ ...url, required: true }),
  audience: option.custom({
    expects: 'a string that is not empty, or a list of them',
    is: (value): value is string | readonly string[] =>
      isNotBlankString(value) || (Array.isArray(value) && value.length > 0 && value.every(isNotBlankString)),
  }),
  authorizedParties: option.list({ of: clientRule, expects: 'a list of client ids with at least one entry', min: 1 }),
  clientId: clientRule,
  internalUrl: option.string(url),
  allowInsecureIssuer: option.flag({ default: false }),
  algorithms: option.list({
    of: option.choice(algorithms),
    expects: 'a list of algorithms with at least one entry',
    min: 1,
    default: algorithms,
  }),
  toleranceMs: option.duration({ max: 600_000, default: 10_000 }),
  maxTokenBytes: option.bytes({ min: 256, max: 1024 * 1024, default: 16 * 1024 }),
  maxTokenLifetimeMs: option.duration({ min: 1000, max: 366 * dayMs, default: dayMs }),
  cachedTokens: option.integer({ max: 10_000_000, default: 10_000 }),
  maxRevocations: option.integer({ min: 1, max: 10_000_000, default: 100_000 }),
  handshakeTimeoutMs: option.duration({ min: 1 }),
  expiryWarningMs: option.duration({ default: 60_000 }),
  hideMissingRoles: option.flag({ default: false }),
  realmNotBefore: option.flag({ default: true }),
  backChannelLogout: option.custom({
    expects: 'true, false or an object of options',
    is: (value): value is boolean | BackChannelLogoutOptions =>
      typeof value === 'boolean' || (typeof value === 'object' && value !== null),
    default: false,
  }),
  cookie: option.custom({
    expects: 'true, false or an object of options',
    is: (value): value is boolean | TokenCookieOptions =>
      typeof value === 'boolean' || (typeof value === 'object' && value !== null),
    default: false,
  }),
  keys: option.object(keyRules),
  breaker: option.object(breakerRules),
} satisfies OptionRules<AuthOptions>

const defaultCookie = '__Host-access_token'

/** Options with their defaults. */
export interface ResolvedAuthOptions {
  readonly issuer: string
  readonly clientId: string
  readonly algorithms: readonly Algorithm[]
  readonly toleranceMs: number
  readonly maxTokenBytes: number
  readonly maxTokenLifetimeMs: number
  readonly cachedTokens: number
  readonly maxRevocations: number
  /** Not set: that of core. */
  readonly handshakeTimeoutMs?: number
  readonly expiryWarningMs: number
  readonly hideMissingRoles: boolean
  readonly realmNotBefore: boolean
  readonly keys: OptionsOf<typeof keyRules>
  readonly breaker: OptionsOf<typeof breakerRules>
  /** Of the issuer, without a slash at its end. */
  readonly address: string
  readonly audience: readonly string[] | null
  readonly authorizedParties: readonly string[] | null
  readonly requireHttps: boolean
  readonly cookie: TokenCookie | null
  readonly logout: { readonly path: `/${string}`; readonly clients: readonly string[] } | null
}

/** @throws BootError for the first invalid option. */
export function resolveAuthOptions(options: AuthOptions, environment: Environment): ResolvedAuthOptions {
  const { internalUrl, allowInsecureIssuer, backChannelLogout, cookie, ...checked } = checkOptions(
    'auth()',
    options,
    rules,
  )
  const { issuer, clientId, authorizedParties = null } = checked
  const requireHttps = environment === 'production' && !allowInsecureIssuer
  checkHttps('issuer', issuer, requireHttps)
  if (internalUrl !== undefined) checkHttps('internalUrl', internalUrl, requireHttps)
  const audience = typeof checked.audience === 'string' ? [checked.audience] : (checked.audience ?? null)
  if (audience === null && authorizedParties === null) {
    throw badOption(
      'auth()',
      'audience',
      'is required: set it to what tokens contain in aud; for a realm without an audience mapper set authorizedParties instead',
    )
  }
  if (audience?.includes('account') === true && authorizedParties === null) {
    throw badOption(
      'auth()',
      'audience',
      "must not be 'account' alone, which is in the tokens of every client of a Keycloak realm: also set authorizedParties (KEYCLOAK_AUTHORIZED_PARTIES)",
    )
  }
  return {
    ...checked,
    address: (internalUrl ?? issuer).replace(/\/$/, ''),
    audience,
    authorizedParties,
    requireHttps,
    cookie: resolveCookie(cookie),
    logout: resolveLogout(backChannelLogout, clientId),
  }
}

function resolveCookie(given: boolean | TokenCookieOptions): TokenCookie | null {
  if (given === false) return null
  const { name = defaultCookie, origins } = checkOptions('auth()', given === true ? {} : given, cookieRules, 'cookie')
  return { name, origins }
}

function resolveLogout(given: boolean | BackChannelLogoutOptions, clientId: string): ResolvedAuthOptions['logout'] {
  if (given === false) return null
  const { path, clients = [clientId] } = checkOptions(
    'auth()',
    given === true ? {} : given,
    logoutRules,
    'backChannelLogout',
  )
  return { path, clients }
}

function isPlainUrl(value: string): boolean {
  if (!URL.canParse(value)) return false
  const { protocol, username, password, search, hash } = new URL(value)
  return /^https?:$/.test(protocol) && `${username}${password}${search}${hash}` === ''
}

function checkHttps(name: string, value: string, requireHttps: boolean): void {
  if (requireHttps && new URL(value).protocol !== 'https:')
    throw badOption('auth()', name, 'must use https in production: change it, or set allowInsecureIssuer: true')
}
