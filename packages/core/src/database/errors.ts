import {
  AppError,
  ConflictError,
  coreError,
  DatabaseError,
  UnavailableError,
  ValidationError,
} from '../errors/app-error.ts'
import { type ConstraintWordings, toWording } from './constraint-wording.ts'

/** A failure as drivers report it, each in its own format. */
export interface DatabaseFailure {
  /** SQLSTATE (https://www.postgresql.org/docs/current/errcodes-appendix.html), a driver's or Node's code; '' when there is none. */
  readonly code: string
  readonly message: string
  readonly constraint: string | null
  readonly column: string | null
  /** PostgreSQL's `DETAIL`: it quotes values. */
  readonly detail: string | null
  /** The function of PostgreSQL's source that found it. */
  readonly routine: string | null
}

/** Codes of Node and of postgres.js for a server that is not reachable, or no longer. */
const connectionCodes = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  'CONNECT_TIMEOUT',
  'CONNECTION_CLOSED',
  'CONNECTION_ENDED',
  'CONNECTION_DESTROYED',
])

/**
 * Finds the driver's error behind what drizzle or the driver threw; null for an error that is not the database's.
 *
 * @example
 * // A trigger raises an exception with an errcode of its own.
 * host.mapErrors((error) => (findDatabaseFailure(error)?.code === 'QT001' ? quotaErrors.used_up() : null))
 */
export function findDatabaseFailure(error: unknown): DatabaseFailure | null {
  let ofDatabase = false
  let last: Fields | null = null
  // Limited: a chain of causes may be a cycle.
  for (let each = error, depth = 0; isFields(each) && depth < 10; each = each.cause, depth += 1) {
    const marked = isQueryError(each) || isDriverError(each)
    ofDatabase ||= marked
    // Only the error around an ECONNREFUSED tells whose it is: a fetch of the handler may throw one too.
    if (ofDatabase) last = each
  }
  return last === null ? null : toFailure(last)
}

/** The same, for an error that the caller knows to be the database's. */
export function toFailure(error: unknown): DatabaseFailure {
  if (!isFields(error))
    return { code: '', message: String(error), constraint: null, column: null, detail: null, routine: null }
  return {
    code: text(error.code) ?? '',
    message: text(error.message) ?? '',
    // postgres.js has the one, PGlite the other.
    constraint: text(error.constraint_name) ?? text(error.constraint),
    column: text(error.column_name) ?? text(error.column),
    detail: text(error.detail),
    routine: text(error.routine),
  }
}

/** Is the server not reachable, stopping, starting or full? */
export function isConnectionFailure(code: string): boolean {
  return connectionCodes.has(code) || endCodes.has(code) || code.startsWith('57P0') || /^08...$/.test(code)
}

/** Too many connections; the server ended a session that was idle in a transaction, or a transaction, for too long. */
const endCodes = new Set(['53300', '25P03', '25P04'])

/**
 * Was the statement prepared before a table changed its columns (`cached plan must not change result type`), or does the server no longer
 * have it? The statement is valid, and has done nothing. Messages are not compared, because they may be translated.
 */
export function isStalePlan({ code, routine }: DatabaseFailure): boolean {
  return code === '26000' || (code === '0A000' && routine === 'RevalidateCachedQuery')
}

/** An AppError that came through drizzle, which wraps whatever a driver rejects with. */
export function findAppError(error: unknown): AppError | null {
  for (let each = error, depth = 0; isFields(each) && depth < 10; each = each.cause, depth += 1) {
    if (AppError.is(each)) return each
  }
  return null
}

/** For `host.mapErrors`: null for an error that is not the database's. SQL and values stay in `cause`. */
export function mapDatabaseError(error: unknown, wordings: ConstraintWordings = {}): AppError | null {
  const failure = findDatabaseFailure(error)
  if (failure === null) return null
  return findAppError(error) ?? toAppError(failure, error, wordings)
}

/**
 * The error that a caller receives for a failure of the database. It contains names of constraints and columns, no message of PostgreSQL, and
 * values only where `wordings` puts them.
 */
export function toAppError(failure: DatabaseFailure, cause: unknown, wordings: ConstraintWordings = {}): AppError {
  const { code, constraint, column } = failure
  const path = column ?? ''
  const wording = toWording(failure, wordings)
  switch (code) {
    case '23505': // unique_violation
    case '23P01': // exclusion_violation
      return new ConflictError(wording ?? 'A record with this value already exists', { details: { constraint }, cause })
    case '23503': // foreign_key_violation
    case '23001': // restrict_violation
      return new ConflictError(wording ?? 'Referenced record does not exist, or the record is still referenced', {
        details: { constraint },
        cause,
      })
    case '23502': // not_null_violation
      return new ValidationError(undefined, [{ path, message: 'Value is required' }], { cause })
    case '23514': // check_violation
      return new ValidationError(
        undefined,
        [{ path, message: wording ?? `Violates the constraint ${constraint ?? 'of the table'}` }],
        {
          cause,
        },
      )
    case '40001': // serialization_failure
    case '40P01': // deadlock_detected
    case '55P03': // lock_not_available
      return new ConflictError('The data was changed by a concurrent request', { cause })
    case '57014': // query_canceled, by the server's statement_timeout
      return coreError('deadline_exceeded', 'The database did not answer in time', { cause })
  }
  // Class 22, data exceptions: too long, out of range, no uuid, a NUL in a string.
  if (/^22...$/.test(code)) {
    return new ValidationError(undefined, [{ path, message: 'Not a valid value for the database' }], { cause })
  }
  if (isConnectionFailure(code)) return new UnavailableError('The database is not reachable', { cause })
  if (isStalePlan(failure)) {
    return new UnavailableError('The database schema has just changed: nothing was done, try again', {
      cause,
    })
  }
  return new DatabaseError({ cause })
}

type Fields = Readonly<Record<string, unknown>>

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null
}

/** drizzle's DrizzleQueryError, of whichever copy of drizzle. */
function isQueryError(error: Fields): boolean {
  return typeof error.query === 'string' && Array.isArray(error.params)
}

/** An error of the server as postgres.js (PostgresError) and PGlite have it, or one of postgres.js about its connections. */
function isDriverError({ code, severity }: Fields): boolean {
  if (typeof code !== 'string') return false
  return (typeof severity === 'string' && /^[0-9A-Z]{5}$/.test(code)) || /^CONNECT(ION_[A-Z]+|_TIMEOUT)$/.test(code)
}

function text(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null
}
