import { type Clock, type Connection, Disconnect, disconnects, type Logger } from '@twinwire/core'
import type { ControlHandler, ControlReply, ControlResult, IncomingRequest } from '@twinwire/core/plugin'
import type { AuthInstruments, AuthMethod } from './auth-instruments.ts'
import { readBearer, readUpgrade } from './bearer.ts'
import type { Refusals, TokenReason } from './errors.ts'
import type { LiveSockets } from './live-sockets.ts'
import type { TokenVerifier, Verdict } from './token/token-verifier.ts'
import { isUser, type User } from './user.ts'

interface HandshakeParts {
  readonly verifier: TokenVerifier
  readonly sockets: LiveSockets
  readonly refusals: Refusals
  readonly instruments: AuthInstruments
  readonly clock: Clock
  readonly log: Logger
  /** How long a token counts after its end. */
  readonly toleranceMs: number
}

export interface AuthHandshake {
  /** `{"type": "auth", "token": "Bearer <jwt>"}`: the handshake, and later a renewal. */
  readonly frame: ControlHandler
  readonly fromUpgrade: (request: IncomingRequest) => ControlResult | null | Promise<ControlResult>
  readonly onConnect: (connection: Connection) => void
}

/** What the WebSocket wire asks: who is there, at first and again. */
export function createHandshake(parts: HandshakeParts): AuthHandshake {
  const { verifier, sockets, refusals, instruments, clock, log } = parts

  const failed = (method: AuthMethod, reason: TokenReason | 'request', address: string): void => {
    instruments.attempted(method, reason)
    log.info({ method, reason, address }, 'Authentication failed')
  }

  const accepted = (method: AuthMethod, user: User): ControlResult => {
    instruments.attempted(method, null)
    return { identity: user, reply: ({ maxMessageBytes }) => toAuthOk(user, maxMessageBytes) }
  }

  const refuseFrame = (method: AuthMethod, reason: TokenReason | 'request', connection: Connection): Disconnect => {
    failed(method, reason, connection.address)
    // The client did nothing wrong, and must not throw its token away.
    return new Disconnect(reason === 'unavailable' ? disconnects.internalError : disconnects.unauthorized)
  }

  return {
    frame({ token: text }, connection) {
      const method: AuthMethod = sockets.has(connection) ? 'ws_renewal' : 'ws_frame'
      const token = typeof text === 'string' ? readBearer(text) : null
      if (token === null) throw refuseFrame(method, 'request', connection)
      const finish = (verdict: Verdict): ControlResult => {
        if (!verdict.ok) throw refuseFrame(method, verdict.reason, connection)
        const { user } = verdict
        if (method === 'ws_renewal') {
          // Core looks at this too; here it must not have moved the socket to another user's name before.
          if (connection.identity?.id !== user.id) throw refuseFrame(method, 'request', connection)
          if (verifier.isRevoked(user)) throw refuseFrame(method, 'revoked', connection)
          sockets.renew(connection, user)
        }
        return accepted(method, user)
      }
      const verdict = verifier.verify(token)
      return verdict instanceof Promise ? verdict.then(finish) : finish(verdict)
    },

    fromUpgrade({ headers, address }) {
      const credentials = readUpgrade(headers)
      if (credentials.kind === 'none') return null
      if (credentials.kind === 'bad') {
        failed('ws_upgrade', 'request', address)
        throw refusals.request(credentials.description)
      }
      const finish = (verdict: Verdict): ControlResult => {
        if (verdict.ok) return accepted('ws_upgrade', verdict.user)
        failed('ws_upgrade', verdict.reason, address)
        throw refusals.token(verdict.reason)
      }
      const verdict = verifier.verify(credentials.token)
      return verdict instanceof Promise ? verdict.then(finish) : finish(verdict)
    },

    onConnect(connection) {
      const { identity } = connection
      if (!isUser(identity)) return
      // Since the token was verified, other hooks may have taken their time.
      if (verifier.isRevoked(identity)) throw new Disconnect(disconnects.sessionRevoked)
      if (identity.expiresAt + parts.toleranceMs <= clock.now()) throw new Disconnect(disconnects.tokenExpired)
      sockets.add(connection, identity)
    },
  }
}

function toAuthOk(user: User, maxMessageBytes: number): ControlReply {
  return { type: 'auth_ok', expires_at: user.expiresAt / 1000, max_message_bytes: maxMessageBytes }
}
