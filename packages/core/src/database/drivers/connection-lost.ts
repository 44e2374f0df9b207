import { isConnectionFailure, toFailure } from '../errors.ts'

/** An error such as postgres.js makes. */
export function connectionLost(code: 'CONNECTION_CLOSED' | 'CONNECTION_ENDED' = 'CONNECTION_CLOSED'): Error {
  return Object.assign(new Error('The connection to the database is closed'), { code })
}

/** Errors of statements that were sent, and that the server did not answer. */
const unanswered = new WeakSet<object>()

/** Notes of an error that its statement was sent: the server may have done it. */
export function markUnanswered(error: unknown): void {
  if (typeof error === 'object' && error !== null) unanswered.add(error)
}

/** May the server have done what it was asked, though it failed for this side? */
export function isUnanswered(error: unknown): boolean {
  for (let each = error, depth = 0; typeof each === 'object' && each !== null && depth < 10; depth += 1) {
    if (unanswered.has(each)) return true
    each = 'cause' in each ? each.cause : null
  }
  return false
}

/**
 * Is it the server's word that the statement failed? It is not when the connection is lost, and not when the server ends the session:
 * that may happen after a commit, while it waits for a standby.
 */
export function isAnswer(error: unknown): boolean {
  const severity = typeof error === 'object' && error !== null && 'severity' in error ? error.severity : null
  const { code } = toFailure(error)
  // statement_completion_unknown
  if (code === '40003' || isConnectionFailure(code)) return false
  if (typeof severity === 'string') return severity === 'ERROR'
  // Of the system, of TLS, of a broken PGlite. What is left are mistakes in a statement that were found before it was sent.
  return !(
    /^(E[A-Z]+|ERR_(SSL|TLS|STREAM|SOCKET)\w*)$/.test(code) ||
    (error instanceof Error && error.name === 'RuntimeError')
  )
}
