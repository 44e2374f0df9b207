/** Why an operation failed: `too_many_pending` was not sent, the others may have been. */
export type RedisFailure = 'not_connected' | 'timeout' | 'too_many_pending' | 'error'

/**
 * An operation on Redis failed. It does not keep the client's error as its cause: that one contains the command and its arguments, which
 * may be the password.
 */
export class RedisError extends Error {
  override readonly name = 'RedisError'
  readonly code: RedisFailure

  constructor(code: RedisFailure, message: string) {
    super(message)
    this.code = code
  }
}

/** An error of the server is a ReplyError; for any other error the client has lost its connection. */
export function toRedisError(error: unknown): RedisError {
  if (error instanceof RedisError) return error
  if (error instanceof Error && error.name === 'ReplyError') return new RedisError('error', error.message)
  return new RedisError('not_connected', 'The connection to Redis was lost')
}
