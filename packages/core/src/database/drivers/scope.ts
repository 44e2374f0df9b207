import type { Logger } from '../../base/logger.ts'
import { AppError, UnavailableError } from '../../errors/app-error.ts'

/** What statements run for, usually a call: they end with its signal and are logged to its log, and its effects wait for its transactions. */
export interface Scope {
  readonly signal: AbortSignal
  readonly log: Logger
}

/** The error of work for a scope that has ended: the error of the deadline, or `unavailable` when the client has disconnected. */
export function scopeEnded(signal: AbortSignal): AppError {
  const reason: unknown = signal.reason
  if (AppError.is(reason)) return reason
  return new UnavailableError('The call ended before its database work', { cause: reason })
}
