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

export function toRedisError(error: unknown): RedisError {
  if (error instanceof RedisError) return error
  return new RedisError('error', error instanceof Error ? error.message : String(error))
}
