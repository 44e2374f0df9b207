import { randomUUID } from 'node:crypto'
import type { IssuerAnswer } from './issuer-server.ts'
import type { KnownUser } from './test-users.ts'

/** The result of a login. */
export interface TestLogin {
  readonly accessToken: string
  readonly refreshToken: string
  readonly idToken: string
  /** Id of the session, as in the tokens. */
  readonly sid: string
}

interface Session {
  readonly sid: string
  readonly user: KnownUser
  readonly scope: string
  endsAt: number
}

interface SessionsOptions {
  readonly clientId: string
  readonly lifetimeMs: number
  readonly sessionLifetimeMs: number
  now(): number
  notBefore(): number
  findUser(username: string): KnownUser | undefined
  tokens(user: KnownUser, sid: string, scope: string): Omit<TestLogin, 'sid'>
}

const minSweep = 10_000

/** The sessions of a test issuer: password grant, refresh grant and logout. */
export class IssuerSessions {
  readonly #options: SessionsOptions
  readonly #sessions = new Map<string, Session>()
  /** Refresh token -> its session. As in Keycloak by default, it can be used more than once. */
  readonly #refreshTokens = new Map<string, string>()
  #sweepAt = minSweep

  constructor(options: SessionsOptions) {
    this.#options = options
  }

  open(user: KnownUser, scope: string): TestLogin {
    const { now, sessionLifetimeMs } = this.#options
    const sid = randomUUID()
    this.#remember({ sid, user, scope, endsAt: now() + sessionLifetimeMs })
    return this.#issue(user, sid, scope)
  }

  /** Adds the session of a token that was created without a login. It has no refresh token; a logout ends it. */
  add(user: KnownUser, sid: string, lifetimeMs: number): void {
    if (!this.#sessions.has(sid)) this.#remember({ sid, user, scope: '', endsAt: this.#options.now() + lifetimeMs })
  }

  ofUser(username: string): readonly string[] {
    return [...this.#sessions.values()].filter(({ user }) => user.username === username).map(({ sid }) => sid)
  }

  /** Returns the user of the session; undefined for an unknown session. */
  end(sid: string): KnownUser | undefined {
    const session = this.#sessions.get(sid)
    this.#sessions.delete(sid)
    for (const [token, of] of this.#refreshTokens) if (of === sid) this.#refreshTokens.delete(token)
    return session?.user
  }

  sidOf(refreshToken: string): string | undefined {
    return this.#refreshTokens.get(refreshToken)
  }

  /** The token endpoint, with the messages and statuses of Keycloak. */
  grant(form: URLSearchParams): IssuerAnswer {
    if (form.get('client_id') !== this.#options.clientId)
      return refuse(401, 'invalid_client', 'Invalid client or Invalid client credentials')
    switch (form.get('grant_type')) {
      case 'password':
        return this.#passwordGrant(form)
      case 'refresh_token':
        return this.#refreshGrant(form.get('refresh_token') ?? '')
      case null:
        return refuse(400, 'invalid_request', 'Missing form parameter: grant_type')
      default:
        return refuse(400, 'unsupported_grant_type', 'Unsupported grant_type')
    }
  }

  #passwordGrant(form: URLSearchParams): IssuerAnswer {
    const user = this.#options.findUser(form.get('username') ?? '')
    if (user === undefined || user.password !== form.get('password'))
      return refuse(401, 'invalid_grant', 'Invalid user credentials')
    if (!user.enabled) return refuse(400, 'invalid_grant', 'Account disabled')
    const scope = form.get('scope') ?? ''
    return this.#answer(this.open(user, scope), scope)
  }

  #refreshGrant(refreshToken: string): IssuerAnswer {
    const session = this.#sessions.get(this.sidOf(refreshToken) ?? '')
    if (session === undefined || session.endsAt <= this.#options.now())
      return refuse(400, 'invalid_grant', 'Session not active')
    const user = this.#options.findUser(session.user.username)
    if (user === undefined || !user.enabled) return refuse(400, 'invalid_grant', 'User disabled')
    session.endsAt = this.#options.now() + this.#options.sessionLifetimeMs
    return this.#answer(this.#issue(user, session.sid, session.scope), session.scope)
  }

  /** Removes expired sessions, since load tests create many tokens. */
  #remember(session: Session): void {
    if (this.#sessions.size >= this.#sweepAt) {
      const now = this.#options.now()
      for (const { sid, endsAt } of this.#sessions.values()) if (endsAt <= now) this.end(sid)
      this.#sweepAt = Math.max(minSweep, 2 * this.#sessions.size)
    }
    this.#sessions.set(session.sid, session)
  }

  #issue(user: KnownUser, sid: string, scope: string): TestLogin {
    const tokens = this.#options.tokens(user, sid, scope)
    this.#refreshTokens.set(tokens.refreshToken, sid)
    return { ...tokens, sid }
  }

  #answer(login: TestLogin, scope: string): IssuerAnswer {
    const { lifetimeMs, sessionLifetimeMs, notBefore } = this.#options
    return {
      status: 200,
      body: {
        access_token: login.accessToken,
        expires_in: Math.floor(lifetimeMs / 1000),
        refresh_expires_in: Math.floor(sessionLifetimeMs / 1000),
        refresh_token: login.refreshToken,
        token_type: 'Bearer',
        ...(scope.split(' ').includes('openid') && { id_token: login.idToken }),
        'not-before-policy': notBefore(),
        session_state: login.sid,
        scope: `profile email ${scope}`.trim(),
      },
    }
  }
}

function refuse(status: number, error: string, description: string): IssuerAnswer {
  return { status, body: { error, error_description: description } }
}
