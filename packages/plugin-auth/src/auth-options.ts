import { BootError, type Environment } from '@twinwire/core'
import { type BreakerOptions, breakerDefaults } from './issuer/breaker.ts'
import { type KeyOptions, keyDefaults } from './issuer/issuer-keys.ts'

/** Asymmetric ones only: the issuer alone can sign. */
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
  /** Clients at the issuer whose logouts come here: those that users sign in with. Default: `clientId`. */
  readonly clients?: readonly string[] | undefined
}

export interface AuthOptions {
  /**
   * The issuer as tokens name it (`iss`), exactly: `https://sso.example.com/realms/app`. `keycloakIssuer(baseUrl, realm)` makes one.
   * https in production.
   */
  readonly issuer: string
  /** Who a token must be meant for (`aud`): one of these. Needed unless `authorizedParties` is given. */
  readonly audience?: string | readonly string[] | undefined
  /**
   * Clients whose tokens are accepted (`azp`). Needed beside `account`, the audience of every client of a Keycloak realm. Beside `audience`, or in its place for a realm without an audience mapper: then any client
   * that is named here can call, whomever its tokens were meant for.
   */
  readonly authorizedParties?: readonly string[] | undefined
  /** This application's client at the issuer: bare role names are its roles. */
  readonly clientId: string
  /** Where the issuer is asked from here, when `issuer` is a name that only others can reach. Default: `issuer`. */
  readonly internalUrl?: string | undefined
  /** Lets issuer and keys be read without https in production. Default false. */
  readonly allowInsecureIssuer?: boolean | undefined
  /** Default: RS, PS, ES (256, 384, 512) and EdDSA. */
  readonly algorithms?: readonly Algorithm[] | undefined
  /** For clocks that differ: how long a token counts after its end and before its start, and a connection after its token. Default 10000. */
  readonly toleranceMs?: number | undefined
  /** Default 16384. */
  readonly maxTokenBytes?: number | undefined
  /** A token that is issued for longer is refused; revocations are remembered for as long. Default 86400000, a day. */
  readonly maxTokenLifetimeMs?: number | undefined
  /** Verified tokens that are kept; 0: none. Default 10000. */
  readonly cachedTokens?: number | undefined
  /** Revocations that are remembered. Default 100000. */
  readonly maxRevocations?: number | undefined
  /** How long a connection may take to send its `auth` frame. Default 5000. */
  readonly handshakeTimeoutMs?: number | undefined
  /** How long before its token expires a connection gets `auth_expiring`; 0: never. Default 60000. */
  readonly expiryWarningMs?: number | undefined
  /** Keeps missing roles and scopes out of 403 answers. Default false. */
  readonly hideMissingRoles?: boolean | undefined
  /** Reads `tokens-not-before` of the realm with its keys; false for an issuer that is no Keycloak. Default true. */
  readonly realmNotBefore?: boolean | undefined
  /** Takes OpenID Connect back-channel logouts. Default: no such endpoint. */
  readonly backChannelLogout?: boolean | BackChannelLogoutOptions | undefined
  readonly keys?: KeyOptions | undefined
  /** The circuit breaker before the issuer. */
  readonly breaker?: BreakerOptions | undefined
}

/** Everything decided. */
export interface ResolvedAuthOptions {
  readonly issuer: string
  readonly address: string
  readonly audience: readonly string[] | null
  readonly authorizedParties: readonly string[] | null
  readonly clientId: string
  readonly requireHttps: boolean
  readonly algorithms: readonly string[]
  readonly toleranceMs: number
  readonly maxTokenBytes: number
  readonly maxLifetimeMs: number
  readonly cachedTokens: number
  readonly maxRevocations: number
  readonly handshakeTimeoutMs: number
  readonly expiryWarningMs: number
  readonly hideMissingRoles: boolean
  readonly realmNotBefore: boolean
  readonly logout: { readonly path: `/${string}`; readonly clients: readonly string[] } | null
  readonly keys: typeof keyDefaults
  readonly breaker: typeof breakerDefaults
}

const known: Readonly<Record<keyof AuthOptions, true>> = {
  issuer: true,
  audience: true,
  authorizedParties: true,
  clientId: true,
  internalUrl: true,
  allowInsecureIssuer: true,
  algorithms: true,
  toleranceMs: true,
  maxTokenBytes: true,
  maxTokenLifetimeMs: true,
  cachedTokens: true,
  maxRevocations: true,
  handshakeTimeoutMs: true,
  expiryWarningMs: true,
  hideMissingRoles: true,
  realmNotBefore: true,
  backChannelLogout: true,
  keys: true,
  breaker: true,
}

const dayMs = 86_400_000

/** Throws a BootError for the first option that is not right. */
export function resolveAuthOptions(options: AuthOptions, environment: Environment): ResolvedAuthOptions {
  checkNames('auth()', options, known)
  const requireHttps = environment === 'production' && options.allowInsecureIssuer !== true
  const issuer = checkUrl('issuer', options.issuer, requireHttps)
  const clientId = checkText('clientId', options.clientId)
  const audience = options.audience === undefined ? null : toTexts('audience', options.audience)
  const authorizedParties =
    options.authorizedParties === undefined ? null : toTexts('authorizedParties', options.authorizedParties)
  if (audience === null && authorizedParties === null) {
    throw new BootError(
      'bad_option',
      'auth() needs an audience, which tokens must be meant for; in a realm without an audience mapper name authorizedParties instead',
    )
  }
  if (audience?.includes('account') === true && authorizedParties === null) {
    throw bad(
      "the audience 'account' is in the tokens of every client of a Keycloak realm: name the clients whose tokens are accepted in authorizedParties (KEYCLOAK_AUTHORIZED_PARTIES)",
    )
  }
  return {
    issuer,
    // Without the slash that a path is put behind.
    address: (options.internalUrl === undefined
      ? issuer
      : checkUrl('internalUrl', options.internalUrl, requireHttps)
    ).replace(/\/$/, ''),
    audience,
    authorizedParties,
    clientId,
    requireHttps,
    algorithms: toAlgorithms(options.algorithms),
    toleranceMs: number('toleranceMs', options.toleranceMs, 10_000, 0, 600_000),
    maxTokenBytes: number('maxTokenBytes', options.maxTokenBytes, 16 * 1024, 256, 1024 * 1024),
    maxLifetimeMs: number('maxTokenLifetimeMs', options.maxTokenLifetimeMs, dayMs, 1000, 366 * dayMs),
    cachedTokens: number('cachedTokens', options.cachedTokens, 10_000, 0, 10_000_000),
    maxRevocations: number('maxRevocations', options.maxRevocations, 100_000, 1, 10_000_000),
    handshakeTimeoutMs: number('handshakeTimeoutMs', options.handshakeTimeoutMs, 5000, 1, dayMs),
    expiryWarningMs: number('expiryWarningMs', options.expiryWarningMs, 60_000, 0, dayMs),
    hideMissingRoles: flag('hideMissingRoles', options.hideMissingRoles, false),
    realmNotBefore: flag('realmNotBefore', options.realmNotBefore, true),
    logout: toLogout(options.backChannelLogout, clientId),
    keys: toKeys(options.keys ?? {}),
    breaker: toBreaker(options.breaker ?? {}),
  }
}

function toKeys(keys: KeyOptions): typeof keyDefaults {
  checkNames('keys of auth()', keys, keyDefaults)
  return {
    timeoutMs: number('keys.timeoutMs', keys.timeoutMs, keyDefaults.timeoutMs, 1, dayMs),
    cooldownMs: number('keys.cooldownMs', keys.cooldownMs, keyDefaults.cooldownMs, 1, dayMs),
    maxAgeMs: number('keys.maxAgeMs', keys.maxAgeMs, keyDefaults.maxAgeMs, 1, dayMs),
    maxStaleMs: number('keys.maxStaleMs', keys.maxStaleMs, keyDefaults.maxStaleMs, 1, 366 * dayMs),
    maxBytes: number('keys.maxBytes', keys.maxBytes, keyDefaults.maxBytes, 1024, 64 * 1024 * 1024),
  }
}

function toBreaker(breaker: BreakerOptions): typeof breakerDefaults {
  checkNames('breaker of auth()', breaker, breakerDefaults)
  return {
    enabled: flag('breaker.enabled', breaker.enabled, breakerDefaults.enabled),
    failures: number('breaker.failures', breaker.failures, breakerDefaults.failures, 1, 1_000_000),
    resetMs: number('breaker.resetMs', breaker.resetMs, breakerDefaults.resetMs, 1, dayMs),
  }
}

function toLogout(option: AuthOptions['backChannelLogout'], clientId: string): ResolvedAuthOptions['logout'] {
  if (option === undefined || option === false) return null
  const { path = '/auth/backchannel-logout', clients = [clientId], ...rest } = option === true ? {} : option
  checkNames('backChannelLogout of auth()', rest, {})
  if (!/^\/[\w./~-]*$/.test(path))
    throw bad(`backChannelLogout.path is a plain path such as '/auth/backchannel-logout', not '${path}'`)
  return { path, clients: toTexts('backChannelLogout.clients', clients) }
}

function toAlgorithms(chosen: readonly Algorithm[] = algorithms): readonly string[] {
  const wrong = chosen.find((each) => !algorithms.includes(each))
  if (chosen.length > 0 && wrong === undefined) return chosen
  throw bad(`algorithms must be some of ${algorithms.join(', ')}${wrong === undefined ? '' : `, not '${wrong}'`}`)
}

function checkUrl(name: string, value: unknown, requireHttps: boolean): string {
  const url = typeof value === 'string' && URL.canParse(value) ? new URL(value) : null
  if (typeof value !== 'string' || url === null || !/^https?:$/.test(url.protocol))
    throw bad(`${name} must be an http(s) URL such as https://sso.example.com/realms/app`)
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '')
    throw bad(`${name} must be an address alone: take user, password, query and fragment out of it`)
  if (requireHttps && url.protocol !== 'https:')
    throw bad(`${name} must use https in production: change it, or set allowInsecureIssuer: true`)
  return value
}

function toTexts(name: string, value: string | readonly string[]): readonly string[] {
  const list = typeof value === 'string' ? [value] : value
  if (!Array.isArray(list) || list.length === 0) throw bad(`${name} must name at least one`)
  return list.map((each: unknown) => checkText(name, each))
}

function checkText(name: string, value: unknown): string {
  if (typeof value === 'string' && value.trim() !== '') return value
  throw bad(`${name} must be a text that is not empty`)
}

function number(name: string, value: number | undefined, byDefault: number, min: number, max: number): number {
  if (value === undefined) return byDefault
  if (Number.isSafeInteger(value) && value >= min && value <= max) return value
  throw bad(`${name} must be a whole number from ${min} to ${max}, not ${String(value)}`)
}

function flag(name: string, value: boolean | undefined, byDefault: boolean): boolean {
  if (value === undefined || typeof value === 'boolean') return value ?? byDefault
  throw bad(`${name} must be true or false`)
}

function bad(message: string): BootError {
  return new BootError('bad_option', `auth(): ${message}`)
}

function checkNames(what: string, options: object, names: object): void {
  const unknown = Object.keys(options).filter((name) => !Object.hasOwn(names, name))
  if (unknown.length === 0) return
  throw new BootError(
    'unknown_option',
    `Unknown option of ${what}: ${unknown.join(', ')}; known: ${Object.keys(names).join(', ')}`,
  )
}
