/** Codes of errors that the client itself makes. All others are those of the server. */
export type ClientErrorCode =
  /** The deadline of the call has passed. */
  | 'timeout'
  /** The connection ended after the call was sent. */
  | 'connection_lost'
  /** The client was closed, or may not connect again. */
  | 'closed'
  /** Too many calls wait for a connection. */
  | 'queue_full'
  /** Another identity has signed in. */
  | 'identity_changed'
  /** The call does not fit into a message of this server. */
  | 'payload_too_large'
  /** The server has sent what this client cannot read. */
  | 'malformed_answer'

interface CallErrorOptions {
  readonly details?: unknown
  readonly retryAfterMs?: number | null
  readonly outcomeUnknown?: boolean
  readonly cause?: unknown
}

/**
 * A call that was answered with an error, or that the client has ended. The same on both wires.
 *
 * @example
 * try {
 *   await client.call('CREATE_AUTHOR', { name })
 * } catch (error) {
 *   if (error instanceof CallError && error.code === 'conflict') show(error.msg)
 *   else throw error
 * }
 */
export class CallError extends Error {
  override readonly name: string = 'CallError'
  /** A code of the server, or a {@link ClientErrorCode}. */
  declare readonly code: string
  declare readonly msg: string
  declare readonly details: unknown
  /** Milliseconds after which the same call may succeed; null if the server did not say. */
  declare readonly retryAfterMs: number | null
  /**
   * The call was sent and may have been executed. False: it was not, or the server has said what became of it. A `once()` call that the client has
   * sent again has it true, because an error says what became of the last attempt only.
   */
  declare readonly outcomeUnknown: boolean

  constructor(code: string, msg: string, options: CallErrorOptions = {}) {
    super(`${code}: ${msg}`, options)
    this.code = code
    this.msg = msg
    this.details = options.details ?? null
    this.retryAfterMs = options.retryAfterMs ?? null
    this.outcomeUnknown = options.outcomeUnknown ?? false
  }
}

/**
 * The error of an answer `{ code, msg, details }`. `wasLost`: to an attempt after one whose answer was lost, which may have been executed all the
 * same. `retryAfterMs`: what a header says, for answers whose details do not.
 */
export function toCallError(answer: unknown, wasLost?: boolean, retryAfterMs: number | null = null): CallError {
  const { code = 'malformed_answer', msg = '', details } = fieldsOf(answer)
  const { retry_after_ms: after } = fieldsOf(details)
  return new CallError(String(code), String(msg), {
    details,
    retryAfterMs: typeof after === 'number' ? after : retryAfterMs,
    outcomeUnknown: wasLost || code === 'outcome_unknown',
  })
}

export function timeout(timeoutMs: number, wasSent: boolean): CallError {
  return new CallError('timeout', `No answer within ${timeoutMs} ms`, { outcomeUnknown: wasSent })
}

export function identityChanged(outcomeUnknown = false): CallError {
  return new CallError('identity_changed', 'Another user has signed in', { outcomeUnknown })
}

export type Fields = Readonly<Record<string, unknown>>

/** The fields of an object; none for everything else. */
export function fieldsOf(value: unknown): Fields {
  return isFields(value) ? value : {}
}

export function textOf(value: unknown): string | null {
  return typeof value === 'string' ? value : null
}

export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
