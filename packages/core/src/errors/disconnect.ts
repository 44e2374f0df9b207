/** A close code with its reason, and what a client should do. */
export interface DisconnectRow {
  readonly code: number
  /** At most 123 bytes: the limit of a close frame. */
  readonly reason: string
  readonly reconnect: 'no' | 'yes' | 'later' | 'jittered' | 'with a new token' | 'with a new login'
}

export type DisconnectName =
  | 'normal'
  | 'tooManyConnections'
  | 'messageRateLimit'
  | 'tooManyMalformedFrames'
  | 'tooManyHeldFrames'
  | 'internalError'
  | 'serviceRestart'
  | 'tooSlow'
  | 'unauthorized'
  | 'authenticationTimeout'
  | 'tokenExpired'
  | 'sessionRevoked'

/**
 * Every close code of core. The table of docs_site/wire-protocol.md is written from this one; `about` says what the client does, in Markdown, and
 * follows the words "the client".
 */
export const disconnects: Readonly<Record<DisconnectName, DisconnectRow & { readonly about: string }>> = {
  normal: { code: 1000, reason: '', reconnect: 'no', about: 'does not connect again' },
  tooManyConnections: {
    code: 1008,
    reason: 'Maximum concurrent connections exceeded',
    reconnect: 'later',
    about: 'connects again later',
  },
  messageRateLimit: {
    code: 1008,
    reason: 'Message rate limit exceeded',
    reconnect: 'later',
    about: 'connects again later',
  },
  tooManyMalformedFrames: {
    code: 1008,
    reason: 'Too many malformed frames',
    reconnect: 'no',
    about: 'does not connect again: it has an error',
  },
  tooManyHeldFrames: {
    code: 1008,
    reason: 'Too many held frames',
    reconnect: 'no',
    about:
      'does not connect again: it sent too much before `auth_ok`, or went on far beyond `maxInFlight` while replies were held back',
  },
  internalError: { code: 1011, reason: 'Internal error', reconnect: 'yes', about: 'connects again' },
  serviceRestart: {
    code: 1012,
    reason: 'Service restart',
    reconnect: 'jittered',
    about: 'connects again, at a random time within the window of `closing`, else within 20 s',
  },
  tooSlow: { code: 1013, reason: 'Too slow', reconnect: 'yes', about: 'connects again, and resumes' },
  unauthorized: {
    code: 4001,
    reason: 'Unauthorized',
    reconnect: 'with a new token',
    about: 'connects again with a new token',
  },
  authenticationTimeout: { code: 4002, reason: 'Authentication timeout', reconnect: 'yes', about: 'connects again' },
  tokenExpired: {
    code: 4003,
    reason: 'Token expired',
    reconnect: 'with a new token',
    about: 'connects again with a new token',
  },
  sessionRevoked: {
    code: 4004,
    reason: 'Session revoked',
    reconnect: 'with a new login',
    about: 'needs a new login of its user',
  },
}

const brand = Symbol.for('twinwire.Disconnect')

/**
 * Ends a connection. Thrown by hooks of the handshake, or passed to `connection.close`.
 *
 * @example
 * throw new Disconnect(disconnects.unauthorized)
 */
export class Disconnect extends Error {
  override readonly name = 'Disconnect'
  readonly code: number
  readonly reason: string

  constructor(row: Pick<DisconnectRow, 'code' | 'reason'>, options?: { cause?: unknown }) {
    super(`${row.code} ${row.reason}`, options)
    this.code = row.code
    this.reason = row.reason
    Object.defineProperty(this, brand, { value: true })
  }

  /** True for a Disconnect of any copy of this package. */
  static is(value: unknown): value is Disconnect {
    return typeof value === 'object' && value !== null && brand in value
  }
}
