import type { Logger } from '../../base/logger.ts'
import { AppError, UnavailableError } from '../../errors/app-error.ts'

/**
 * On whose behalf statements run, a call above all: they end with its signal, what is said of them goes to its log, and the effects of a
 * call wait for its transactions.
 */
export interface Scope {
  readonly signal: AbortSignal
  readonly log: Logger
}

/** Why nothing more is done for a scope: the deadline's error as it is, and one of ours when the client has left. */
export function scopeEnded(signal: AbortSignal): AppError {
  const reason: unknown = signal.reason
  if (AppError.is(reason)) return reason
  return new UnavailableError('The call ended before its work with the database', { cause: reason })
}
