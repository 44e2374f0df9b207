import { BootError, type Plugin } from '@twinwire/core'
import { definePlugin, type PluginHost } from '@twinwire/core/plugin'
import { type AuthApi, type AuthControl, authKey } from './auth.ts'
import { createAuthInstruments } from './auth-instruments.ts'
import { type AuthOptions, type ResolvedAuthOptions, resolveAuthOptions } from './auth-options.ts'
import { createRefusals } from './errors.ts'
import { Expiry } from './expiry.ts'
import { createHandshake } from './handshake.ts'
import { createIdentify } from './identify.ts'
import { Breaker } from './issuer/breaker.ts'
import { IssuerDocuments, type Published } from './issuer/issuer-documents.ts'
import { IssuerKeys } from './issuer/issuer-keys.ts'
import { LiveSockets } from './live-sockets.ts'
import { createLogoutRoute } from './logout/logout-route.ts'
import { LogoutTokens } from './logout/logout-token.ts'
import { Revocations } from './logout/revocations.ts'
import { createRevoke } from './logout/revoke.ts'
import { TokenCache } from './token/token-cache.ts'
import { TokenVerifier } from './token/token-verifier.ts'

/** `auth()`, which is also the handle for code outside a call. */
export interface AuthPlugin extends Plugin<AuthApi>, AuthControl {}

/**
 * Owns the identity on both wires: tokens of an OpenID Connect issuer such as Keycloak, for the whole life of a socket. Every silent
 * route is `authenticated` with it. Adds `keycloak` to `GET /health`: can tokens be verified?
 *
 * An issuer that is down does not stop the boot: until its keys were read, tokens are answered 503 `unavailable`, and readiness says no.
 *
 * Boot errors: `bad_option`, `unknown_option`; `bad_option` too for an issuer that calls itself otherwise.
 *
 * @example
 * const keycloak = auth({ issuer: 'https://sso.example.com/realms/app', audience: 'authors-api', clientId: 'authors-api' })
 * const app = createApp({ pkgIds, routes, plugins: [keycloak] })
 * keycloak.revoke(userId)
 */
export function auth(options: AuthOptions): AuthPlugin {
  /** Of the apps that run with this plugin: one, but for tests. */
  const running = new Set<AuthControl>()
  const plugin = definePlugin(authKey, {
    doctor(host) {
      host.doctor('auth', () => {
        const { issuer, requireHttps } = resolveAuthOptions(options, host.environment)
        if (host.environment !== 'production' || requireHttps)
          return { level: 'ok', message: `Tokens come from ${issuer}` }
        return {
          level: 'warn',
          message: 'The issuer may be read without https in production, by allowInsecureIssuer: use https',
        }
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
      if (running.size === 0)
        throw new BootError(
          'wrong_state',
          'auth(): nobody can be revoked before the app has started or after it was closed',
        )
      let ended = 0
      for (const app of running) ended += app.revoke(target)
      return ended
    },
  }
}

function setUp(options: ResolvedAuthOptions, host: PluginHost): AuthApi {
  const { clock, log } = host
  const { toleranceMs } = options
  const instruments = createAuthInstruments(host.instruments)
  const refusals = createRefusals(options.clientId, options.hideMissingRoles)
  const breaker = new Breaker<Published>('keycloak', options.breaker, host.instruments, log)
  const documents = new IssuerDocuments(
    { ...options, ...options.keys, readNotBefore: options.realmNotBefore },
    { breaker, clock, instruments },
  )
  const cache = new TokenCache(options.cachedTokens, clock)
  const revocations = new Revocations({
    rememberMs: options.maxLifetimeMs + toleranceMs,
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
      // A key that is gone vouches for nothing any more.
      cache.clear()
      if (now.notBeforeMs > before.notBeforeMs) sockets.end('all', (user) => user.issuedAt < now.notBeforeMs)
    },
  })
  breaker.onHalfOpen = () => void keys.refresh()
  const verifier = new TokenVerifier(options, { keys, cache, revocations, clock, instruments })
  const revoke = createRevoke({ cache, revocations, sockets, clock })

  host.identify(createIdentify({ verifier, refusals, instruments }), { missing: () => refusals.missing() })
  const handshake = createHandshake({ verifier, sockets, refusals, instruments, clock, log, toleranceMs })
  host.controlFrame('auth', handshake.frame, {
    timeoutMs: options.handshakeTimeoutMs,
    fromUpgrade: handshake.fromUpgrade,
  })
  host.onConnect(handshake.onConnect)
  host.onDisconnect((connection) => sockets.remove(connection))
  if (options.logout !== null) {
    const tokens = new LogoutTokens({ ...options, clients: options.logout.clients }, { keys, clock, instruments })
    const { path } = options.logout
    const { maxTokenBytes } = options
    host.endpoint(createLogoutRoute({ path, maxTokenBytes, tokens, revoke: revoke.apply, instruments, log }))
  }
  host.health('keycloak', () => {
    if (keys.current === null) throw new Error('The keys of the issuer are not there: no token can be verified')
  })
  host.onReady(() => keys.start())
  host.onClose(() => {
    keys.close()
    documents.close()
    breaker.close()
    expiry.close()
  })
  return { refusals, revoke: revoke.target }
}
