/** Why Redis gave no answer. Counted and logged by it. */
export type RedisFailure = 'not_connected' | 'timeout' | 'too_many_waiting' | 'error'

/**
 * Redis gave no answer, or an error. Made anew from the client's: that one carries the command with its arguments, which may be the
 * password.
 */
export class RedisError extends Error {
  override readonly name = 'RedisError'
  readonly code: RedisFailure

  constructor(code: RedisFailure, message: string) {
    super(message)
    this.code = code
  }
}

/** What the server says is a ReplyError; anything else is the client's way to say that the connection is gone. */
export function toRedisError(error: unknown): RedisError {
  if (error instanceof RedisError) return error
  if (error instanceof Error && error.name === 'ReplyError') return new RedisError('error', error.message)
  return new RedisError('not_connected', 'The connection to Redis was lost')
}
