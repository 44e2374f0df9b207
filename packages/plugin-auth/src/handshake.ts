import { type Clock, type Connection, Disconnect, disconnects, type Logger } from '@twinwire/core'
import type { ControlHandler, ControlReply, ControlResult, IncomingRequest } from '@twinwire/core/plugin'
import type { AuthInstruments, AuthMethod } from './auth-instruments.ts'
import { readBearer, readUpgrade, type TokenCookie } from './bearer.ts'
import type { AuthErrors, TokenReason } from './errors.ts'
import type { LiveSockets } from './live-sockets.ts'
import type { TokenVerifier, VerificationResult } from './token/token-verifier.ts'
import { isUser, type User } from './user.ts'

interface HandshakeParts {
  readonly verifier: TokenVerifier
  readonly sockets: LiveSockets
  readonly errors: AuthErrors
  readonly instruments: AuthInstruments
  readonly clock: Clock
  readonly log: Logger
  readonly cookie: TokenCookie | null
  /** How long a token is accepted after its expiry. */
  readonly toleranceMs: number
}

export interface AuthHandshake {
  /** `{"type": "auth", "token": "Bearer <jwt>"}`: the handshake, and later a renewal. */
  readonly frame: ControlHandler
  readonly fromUpgrade: (request: IncomingRequest) => ControlResult | null | Promise<ControlResult>
  readonly onConnect: (connection: Connection) => void
}

/** Authenticates WebSocket connections, in the handshake and at renewals. */
export function createHandshake(parts: HandshakeParts): AuthHandshake {
  const { verifier, sockets, errors, instruments, clock, log } = parts

  const failed = (method: AuthMethod, reason: TokenReason | 'request', address: string): void => {
    instruments.attempted(method, reason)
    log.info({ method, reason, address }, 'Authentication failed')
  }

  const accepted = (method: AuthMethod, user: User): ControlResult => {
    instruments.attempted(method, null)
    return { identity: user, reply: ({ maxMessageBytes }) => toAuthOk(user, maxMessageBytes) }
  }

  const rejectFrame = (method: AuthMethod, reason: TokenReason | 'request', connection: Connection): Disconnect => {
    failed(method, reason, connection.address)
    // When the issuer is unreachable the token may be valid: the client must not discard it.
    return new Disconnect(reason === 'unavailable' ? disconnects.internalError : disconnects.unauthorized)
  }

  return {
    frame({ token: text }, connection) {
      const method: AuthMethod = sockets.has(connection) ? 'ws_renewal' : 'ws_frame'
      const token = typeof text === 'string' ? readBearer(text) : null
      if (token === null) throw rejectFrame(method, 'request', connection)
      const finish = (result: VerificationResult): ControlResult => {
        if (!result.ok) throw rejectFrame(method, result.reason, connection)
        const { user } = result
        if (method === 'ws_renewal') {
          // Core checks this too, but only after this function would have assigned the socket to another user.
          if (connection.identity?.id !== user.id) throw rejectFrame(method, 'request', connection)
          if (verifier.isRevoked(user)) throw rejectFrame(method, 'revoked', connection)
          sockets.renew(connection, user)
        }
        return accepted(method, user)
      }
      const result = verifier.verify(token)
      return result instanceof Promise ? result.then(finish) : finish(result)
    },

    fromUpgrade(request) {
      const { address } = request
      const credentials = readUpgrade(request, parts.cookie)
      if (credentials.kind === 'none') return null
      if (credentials.kind === 'foreign') {
        failed('ws_upgrade', 'request', address)
        throw credentials.error
      }
      if (credentials.kind === 'invalid') {
        failed('ws_upgrade', 'request', address)
        throw errors.request(credentials.description)
      }
      const finish = (result: VerificationResult): ControlResult => {
        if (result.ok) return accepted('ws_upgrade', result.user)
        failed('ws_upgrade', result.reason, address)
        throw errors.token(result.reason)
      }
      const result = verifier.verify(credentials.token)
      return result instanceof Promise ? result.then(finish) : finish(result)
    },

    onConnect(connection) {
      const { identity } = connection
      if (!isUser(identity)) return
      // Other hooks may have waited since the token was verified.
      if (verifier.isRevoked(identity)) throw new Disconnect(disconnects.sessionRevoked)
      if (identity.expiresAt + parts.toleranceMs <= clock.now()) throw new Disconnect(disconnects.tokenExpired)
      sockets.add(connection, identity)
    },
  }
}

function toAuthOk(user: User, maxMessageBytes: number): ControlReply {
  return {
    type: 'auth_ok',
    identity: user.id,
    expires_at: user.expiresAt / 1000,
    max_message_bytes: maxMessageBytes,
  }
}
