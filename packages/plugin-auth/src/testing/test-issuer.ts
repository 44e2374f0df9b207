import { randomUUID } from 'node:crypto'
import type { Clock } from '@twinwire/core'
import { requireSingleProcess, systemClock } from '@twinwire/core/plugin'
import { type IssuerAnswer, type IssuerEndpoint, type IssuerFault, IssuerServer } from './issuer-server.ts'
import { IssuerSessions, type TestLogin } from './issuer-sessions.ts'
import { KeyRing } from './key-ring.ts'
import { type SigningKey, signCompact, type TestAlgorithm } from './signing-keys.ts'
import { StoredKeys } from './stored-keys.ts'
import {
  createAccessToken,
  createIdToken,
  createLogoutToken,
  createRefreshToken,
  type TestLogoutOptions,
  type TestTokenOptions,
  type TokenIssuer,
} from './test-tokens.ts'
import { type KnownUser, type TestUser, toKnownUser } from './test-users.ts'

export interface TestIssuerOptions {
  /** Default `test`. */
  readonly realm?: string
  /** The client of `roles` of a user, and `azp` of the tokens. Default `test-client`. */
  readonly clientId?: string
  /** `aud` of access tokens. Default: the client id. */
  readonly audience?: string | readonly string[]
  /** Users who can log in. Default: none; `token()` accepts other users too. */
  readonly users?: readonly TestUser[]
  /** One key is created for each; the first is the default for signing. Default `RS256` and `ES256`. */
  readonly algorithms?: readonly [TestAlgorithm, ...TestAlgorithm[]]
  /** Whether keys and tokens have a `kid`. Default true. */
  readonly keyIds?: boolean
  /**
   * A file that keeps the signing keys, such as `.issuer-keys.json`: access tokens stay valid when the process starts again, if `port` is the same.
   * Created with mode 0600 when it is missing. Sessions and refresh tokens end with the process. Keep it out of the repository. Default: none,
   * each issuer has new keys.
   */
  readonly keysFile?: string
  /** Lifetime of access tokens, rounded down to seconds. Default 5 minutes. */
  readonly lifetimeMs?: number
  /** How long a session lives after its last login or refresh. Default 30 minutes. */
  readonly sessionLifetimeMs?: number
  /** Where logout tokens are sent when a session ends. Default: they are not sent. */
  readonly backchannelLogoutUrl?: string
  /** Port on 127.0.0.1. Default 0: any free port. */
  readonly port?: number
  /** Default: the system clock. With a virtual clock the test controls `iat`, `exp` and the delay of a fault. */
  readonly clock?: Clock
}

/** An OpenID Connect issuer in this process, with Keycloak's paths and claims: for tests and development. */
export interface TestIssuer {
  /** `http://127.0.0.1:<port>`, like the base URL of Keycloak. */
  readonly url: string
  /** `<url>/realms/<realm>`: `iss` of its tokens. */
  readonly issuer: string
  readonly realm: string
  readonly clientId: string
  readonly audience: string | readonly string[]
  /** Number of requests to each endpoint, those with a fault included. */
  readonly hits: Readonly<Record<IssuerEndpoint, number>>

  /** Creates an access token without a login. `user`: the name of a user of the issuer, or any user. Default `{ username: 'user' }`. */
  token(user?: string | TestUser, options?: TestTokenOptions): string
  idToken(user?: string | TestUser, options?: TestTokenOptions): string
  refreshToken(user?: string | TestUser, options?: TestTokenOptions): string
  /** Creates a logout token; with `user` null, for a session only: set `sid`. */
  logoutToken(user: string | TestUser | null, options?: TestLogoutOptions): string
  /** Signs any header and payload with the current key of `algorithm`, without checking them: for invalid tokens. */
  sign(payload: object, header?: object, algorithm?: TestAlgorithm): string

  /** Logs in like the password grant, with a session that can be refreshed and ended. Throws for an unknown user. */
  login(username: string, scope?: string): TestLogin
  /**
   * Ends one session, or all of a user, those of `token()` included, and sends a logout token for each to `backchannelLogoutUrl`. Resolves
   * with the HTTP statuses of the responses; 0 without a response or without such a URL. Rejects for an unknown user.
   */
  logout(of: { readonly sid: string } | { readonly username: string }): Promise<readonly number[]>
  /** Adds a user, or replaces the user of that name. */
  setUser(user: TestUser): void
  setBackchannelLogoutUrl(url: string): void

  /** Creates new signing keys. The former ones stay published unless `retire` is true. */
  rotateKeys(options?: { readonly retire?: boolean }): void
  /** Sets `tokens-not-before` of the realm: tokens that were issued before are invalid. Epoch milliseconds; 0: none. */
  setNotBefore(ms: number): void

  /** Sets the fault of an endpoint for all further requests; null removes it. */
  setFault(endpoint: IssuerEndpoint, fault: IssuerFault | null): void
  clearFaults(): void
  /** Stops listening and closes all connections. */
  stop(): Promise<void>
  /** Listens again, on the same port, with the same keys and sessions. */
  start(): Promise<void>
}

/**
 * Starts an issuer on 127.0.0.1 for real HTTP clients: discovery, keys, the document of the realm, password and refresh grant, logout with
 * back-channel logout, in the format of Keycloak. Tokens are signed with real keys, and created synchronously. Any client that reaches its
 * port gets tokens: do not use it in production.
 *
 * @throws BootError `bad_option`: `keysFile` cannot be read or written, or has something else than signing keys.
 *
 * @example
 * const issuer = await createTestIssuer({ users: [{ username: 'ada', roles: ['get-authors'] }] })
 * const { client, request } = await createTestApp({
 *   pkgIds,
 *   routes,
 *   plugins: [auth({ issuer: issuer.issuer, audience: 'test-client', clientId: 'test-client' })],
 * })
 * await request('GET /authors', { headers: { authorization: `Bearer ${issuer.token('ada')}` } })
 * await issuer.stop()
 */
export async function createTestIssuer(options: TestIssuerOptions = {}): Promise<TestIssuer> {
  // Another one would have other keys, and refuse its tokens.
  requireSingleProcess('An issuer inside the process', 'use one that runs on its own')
  const { realm = 'test', clientId = 'test-client', audience = clientId, clock = systemClock } = options
  const { lifetimeMs = 5 * 60_000, sessionLifetimeMs = 30 * 60_000 } = options
  const stored = options.keysFile === undefined ? null : new StoredKeys(options.keysFile)
  const keys = new KeyRing(options.algorithms ?? ['RS256', 'ES256'], options.keyIds ?? true, stored)
  const users = new Map(options.users?.map((user) => [user.username, toKnownUser(user)]))
  let backchannelLogoutUrl = options.backchannelLogoutUrl
  let notBefore = 0

  const server = new IssuerServer({ realm, port: options.port ?? 0, clock, handle: answer })
  await server.start()
  // Available once it listens; a restart does not change it.
  const { url } = server
  const issuer = `${url}/realms/${encodeURIComponent(realm)}`
  const tokens: TokenIssuer = {
    issuer,
    clientId,
    audience,
    lifetimeMs,
    now: () => clock.now(),
    signingKey: (algorithm) => keys.current(algorithm),
  }
  const sessions = new IssuerSessions({
    clientId,
    lifetimeMs,
    sessionLifetimeMs,
    now: () => clock.now(),
    notBefore: () => notBefore,
    findUser: (username) => users.get(username),
    tokens: (user, sid, scope) => ({
      accessToken: createAccessToken(tokens, user, { sid, scope }),
      refreshToken: createRefreshToken(tokens, user, { sid, scope, lifetimeMs: sessionLifetimeMs }),
      idToken: createIdToken(tokens, user, { sid }),
    }),
  })

  async function answer(endpoint: IssuerEndpoint, form: URLSearchParams): Promise<IssuerAnswer> {
    switch (endpoint) {
      case 'realm':
        return { status: 200, body: realmDocument() }
      case 'discovery':
        return { status: 200, body: discoveryDocument(issuer, keys.algorithms) }
      case 'certs':
        return { status: 200, body: { keys: keys.published } }
      case 'token':
        return sessions.grant(form)
      case 'logout': {
        const sid = sessions.sidOf(form.get('refresh_token') ?? '')
        if (sid === undefined)
          return { status: 400, body: { error: 'invalid_grant', error_description: 'Invalid refresh token' } }
        await endSession(sid)
        return { status: 204 }
      }
    }
  }

  function realmDocument(): object {
    const openidConnect = `${issuer}/protocol/openid-connect`
    return {
      realm,
      'token-service': openidConnect,
      'account-service': `${issuer}/account`,
      'tokens-not-before': notBefore,
    }
  }

  async function endSession(sid: string): Promise<number> {
    const user = sessions.end(sid)
    if (user === undefined || backchannelLogoutUrl === undefined) return 0
    const token = createLogoutToken(tokens, user, { sid })
    const sending = fetch(backchannelLogoutUrl, {
      method: 'POST',
      body: new URLSearchParams({ logout_token: token }),
      signal: AbortSignal.timeout(5_000),
    })
    return sending.then(
      ({ status }) => status,
      () => 0,
    )
  }

  const toUser = (user: string | TestUser): KnownUser => {
    if (typeof user !== 'string') return toKnownUser(user)
    const known = users.get(user)
    if (known === undefined) throw new Error(`The test issuer has no user '${user}': add it to the option users`)
    return known
  }
  const defaultUser: TestUser = { username: 'user' }

  return {
    url,
    issuer,
    realm,
    clientId,
    audience,
    hits: server.hits,
    token(user = defaultUser, changes = {}) {
      const known = toUser(user)
      const sid = changes.sid ?? randomUUID()
      sessions.add(known, sid, changes.lifetimeMs ?? lifetimeMs)
      return createAccessToken(tokens, known, { ...changes, sid })
    },
    idToken: (user = defaultUser, changes = {}) => createIdToken(tokens, toUser(user), changes),
    refreshToken: (user = defaultUser, changes = {}) => createRefreshToken(tokens, toUser(user), changes),
    logoutToken: (user, changes = {}) => createLogoutToken(tokens, user === null ? null : toUser(user), changes),
    sign(payload, header, algorithm) {
      const key: SigningKey = keys.current(algorithm)
      return signCompact({ alg: key.algorithm, typ: 'JWT', kid: key.kid, ...header }, payload, key)
    },
    login: (username, scope = '') => sessions.open(toUser(username), scope),
    async logout(of) {
      if ('sid' in of) return [await endSession(of.sid)]
      const sids = sessions.ofUser(of.username)
      if (sids.length === 0) toUser(of.username)
      return Promise.all(sids.map(endSession))
    },
    setUser: (user) => void users.set(user.username, toKnownUser(user)),
    setBackchannelLogoutUrl(target) {
      backchannelLogoutUrl = target
    },
    rotateKeys: ({ retire = false } = {}) => keys.rotate(retire),
    setNotBefore(ms) {
      notBefore = Math.floor(ms / 1000)
    },
    setFault: (endpoint, fault) => server.setFault(endpoint, fault),
    clearFaults: () => server.clearFaults(),
    start: () => server.start(),
    stop: () => server.stop(),
  }
}

function discoveryDocument(issuer: string, algorithms: readonly TestAlgorithm[]): object {
  const connect = `${issuer}/protocol/openid-connect`
  return {
    issuer,
    authorization_endpoint: `${connect}/auth`,
    token_endpoint: `${connect}/token`,
    end_session_endpoint: `${connect}/logout`,
    jwks_uri: `${connect}/certs`,
    grant_types_supported: ['password', 'refresh_token'],
    response_types_supported: ['code'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: algorithms,
    backchannel_logout_supported: true,
    backchannel_logout_session_supported: true,
  }
}
