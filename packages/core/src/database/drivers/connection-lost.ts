import { isConnectionFailure, toFailure } from '../errors.ts'

/** An error as postgres.js creates it. */
export function connectionLost(code: 'CONNECTION_CLOSED' | 'CONNECTION_ENDED' = 'CONNECTION_CLOSED'): Error {
  return Object.assign(new Error('The connection to the database is closed'), { code })
}

/** Errors of statements that were sent, and that the server did not answer. */
const unanswered = new WeakSet<object>()

/** Marks an error whose statement was sent: the server may have executed it. */
export function markUnanswered(error: unknown): void {
  if (typeof error === 'object' && error !== null) unanswered.add(error)
}

/** May the server have executed the statement, although this side saw it fail? */
export function isUnanswered(error: unknown): boolean {
  for (let each = error, depth = 0; typeof each === 'object' && each !== null && depth < 10; depth += 1) {
    if (unanswered.has(each)) return true
    each = 'cause' in each ? each.cause : null
  }
  return false
}

/**
 * Does the error say that the server did not execute the statement? Not when the connection was lost, and not when the server ended the
 * session: that may happen after a commit, while it waits for a standby.
 */
export function isAnswer(error: unknown): boolean {
  const severity = typeof error === 'object' && error !== null && 'severity' in error ? error.severity : null
  const { code } = toFailure(error)
  // statement_completion_unknown
  if (code === '40003' || isConnectionFailure(code)) return false
  if (typeof severity === 'string') return severity === 'ERROR'
  // Errors of the system, of TLS, of a broken PGlite. The rest are errors in a statement that were found before it was sent.
  return !(
    /^(E[A-Z]+|ERR_(SSL|TLS|STREAM|SOCKET)\w*)$/.test(code) ||
    (error instanceof Error && error.name === 'RuntimeError')
  )
}

/** The server ends the connection after such an error; the socket may close a little later. */
export function isFatal(error: unknown): boolean {
  const severity = error instanceof Error && 'severity' in error ? error.severity : ''
  return severity === 'FATAL' || severity === 'PANIC'
}
