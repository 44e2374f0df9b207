import { BootError, type Plugin } from '@twinwire/core'
import { CircuitBreaker, definePlugin, type Identify, type PluginHost } from '@twinwire/core/plugin'
import { type AuthApi, type AuthControl, authKey } from './auth.ts'
import { type AuthInstruments, createAuthInstruments } from './auth-instruments.ts'
import { type AuthOptions, type ResolvedAuthOptions, resolveAuthOptions } from './auth-options.ts'
import { readRequest, type TokenCookie } from './bearer.ts'
import { type AuthErrors, createAuthErrors } from './errors.ts'
import { Expiry } from './expiry.ts'
import { createHandshake } from './handshake.ts'
import { IssuerDocuments } from './issuer/issuer-documents.ts'
import { IssuerKeys } from './issuer/issuer-keys.ts'
import { LiveSockets } from './live-sockets.ts'
import { createLogoutRoute } from './logout/logout-route.ts'
import { LogoutTokens } from './logout/logout-token.ts'
import { Revocations } from './logout/revocations.ts'
import { Revoke } from './logout/revoke.ts'
import { TokenCache } from './token/token-cache.ts'
import { TokenVerifier, type VerificationResult } from './token/token-verifier.ts'
import type { User } from './user.ts'

/** The plugin `auth()`; revokes users and sessions from outside a call. */
export interface AuthPlugin extends Plugin<AuthApi>, AuthControl {}

/**
 * Authenticates both wires by tokens of an OpenID Connect issuer such as Keycloak, for the whole life of a socket. Routes without `access`
 * are `authenticated`. Adds `keycloak` to `GET /health`: healthy when tokens can be verified.
 *
 * The app starts while the issuer is down: until its keys are read, requests with a token get 503 `unavailable`, and the app is not ready.
 *
 * @throws BootError when the app starts: `bad_option`, `unknown_option`, `auth.wrong_issuer` (the discovery document is of another issuer),
 * `auth.insecure_keys` (the issuer publishes its keys at an address without https).
 *
 * @example
 * const keycloak = auth({ issuer: 'https://sso.example.com/realms/app', audience: 'authors-api', clientId: 'authors-api' })
 * const app = createApp({ pkgIds, routes, plugins: [keycloak] })
 * keycloak.revoke(userId)
 */
export function auth(options: AuthOptions): AuthPlugin {
  /** One for each running app with this plugin; more than one only in tests. */
  const running = new Set<AuthControl>()
  const plugin = definePlugin(authKey, {
    doctor(host) {
      host.doctor('auth', () => {
        const { issuer, requireHttps, cookie } = resolveAuthOptions(options, host.environment)
        if (host.environment === 'production' && !requireHttps)
          return {
            level: 'warn',
            message: 'allowInsecureIssuer allows requests to the issuer without https in production: use https',
          }
        if (cookie !== null && !cookie.name.startsWith('__Host-'))
          return {
            level: 'warn',
            message: `Any host of the same site can set the cookie ${cookie.name}, and so sign its visitors in as someone else: begin its name with __Host-`,
          }
        return { level: 'ok', message: `Tokens are issued by ${issuer}` }
      })
    },
    setup(host) {
      const api = setUp(resolveAuthOptions(options, host.environment), host)
      running.add(api)
      host.onClose(() => void running.delete(api))
      return api
    },
  })
  return {
    ...plugin,
    revoke(target) {
      if (running.size === 0) throw new BootError('wrong_state', 'auth(): revoke() works only while the app is running')
      let closed = 0
      for (const app of running) closed += app.revoke(target)
      return closed
    },
  }
}

function setUp(options: ResolvedAuthOptions, host: PluginHost): AuthApi {
  const { clock, log } = host
  const { toleranceMs, cookie } = options
  const instruments = createAuthInstruments(host.instruments)
  const errors = createAuthErrors(options.clientId, options.hideMissingRoles)
  const service = 'keycloak'
  const breaker = new CircuitBreaker({
    service,
    options: options.breaker,
    clock,
    instruments: host.instruments,
    onChange(from, to) {
      log.warn({ service, from, to }, 'The circuit breaker of the issuer changed its state')
      if (to === 'half_open') void keys.refresh()
    },
  })
  const documents = new IssuerDocuments(
    { ...options, ...options.keys, readNotBefore: options.realmNotBefore },
    { breaker, clock, instruments },
  )
  const cache = new TokenCache(options.cachedTokens, clock)
  // Clocks may differ: a token may be of the future by the tolerance, and is accepted for the tolerance after its expiry.
  const rememberMs = options.maxTokenLifetimeMs + 2 * toleranceMs
  const revocations = new Revocations({
    rememberMs,
    maxEntries: options.maxRevocations,
    clock,
    log,
  })
  const expiry = new Expiry({ clock, warningMs: options.expiryWarningMs, graceMs: toleranceMs })
  const sockets = new LiveSockets(expiry)
  const keys = new IssuerKeys(options.keys, {
    read: () => documents.read(),
    clock,
    log,
    onChange(now, before) {
      // A token whose key was removed must be rejected.
      cache.clear()
      if (now.notBeforeMs > before.notBeforeMs) sockets.close('all', (user) => user.issuedAt < now.notBeforeMs)
    },
  })
  const verifier = new TokenVerifier(options, { keys, cache, revocations, clock, instruments })
  const revoke = new Revoke({ cache, revocations, sockets, clock, log, toleranceMs, rememberMs }, (handler) =>
    host.onControl(handler),
  )

  const credentialCookies = cookie === null ? [] : [cookie.name]
  host.identify(createIdentify({ verifier, errors, instruments, cookie }), {
    missing: () => errors.missing(),
    credentialCookies,
  })
  const handshake = createHandshake({ verifier, sockets, errors, instruments, clock, log, cookie, toleranceMs })
  host.controlFrame('auth', handshake.frame, {
    ...(options.handshakeTimeoutMs !== undefined && { timeoutMs: options.handshakeTimeoutMs }),
    fromUpgrade: handshake.fromUpgrade,
    // Where `readUpgrade` looks for the token.
    credentialHeaders: ['authorization', 'sec-websocket-protocol'],
    credentialCookies,
  })
  host.onConnect(handshake.onConnect)
  host.onDisconnect((connection) => sockets.remove(connection))
  if (options.logout !== null) {
    const tokens = new LogoutTokens({ ...options, clients: options.logout.clients }, { keys, clock, instruments })
    const { path } = options.logout
    const { maxTokenBytes } = options
    host.endpoint(
      createLogoutRoute({
        path,
        maxTokenBytes,
        tokens,
        revoke: (revocation) => revoke.apply(revocation),
        instruments,
        log,
      }),
    )
  }
  host.health('keycloak', () => {
    if (keys.current === null) throw new Error('Tokens cannot be verified: issuer keys are missing')
  })
  host.onReady(() => keys.start())
  host.onClose(() => {
    keys.close()
    breaker.dispose()
    expiry.close()
  })
  return { errors, revoke: (target) => revoke.target(target) }
}

interface IdentifyParts {
  readonly verifier: TokenVerifier
  readonly errors: AuthErrors
  readonly instruments: AuthInstruments
  readonly cookie: TokenCookie | null
}

/** Identifies the sender of an HTTP request by its `Authorization` header or its cookie; without a promise for a token in the cache. */
function createIdentify({ verifier, errors, instruments, cookie }: IdentifyParts): Identify {
  const toIdentity = (result: VerificationResult): User => {
    if (result.ok) {
      instruments.attempted('http', null)
      return result.user
    }
    instruments.attempted('http', result.reason)
    throw errors.token(result.reason)
  }
  return (request) => {
    const credentials = readRequest(request, cookie)
    if (credentials.kind === 'none') return null
    if (credentials.kind === 'foreign') {
      instruments.attempted('http', 'request')
      throw credentials.error
    }
    if (credentials.kind === 'invalid') {
      instruments.attempted('http', 'request')
      throw errors.request(credentials.description)
    }
    const result = verifier.verify(credentials.token)
    return result instanceof Promise ? result.then(toIdentity) : toIdentity(result)
  }
}
