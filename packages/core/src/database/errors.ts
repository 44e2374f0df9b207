import { type AppError, ConflictError, DatabaseError, UnavailableError, ValidationError } from '../errors/app-error.ts'

/** What drivers say of a failure; each in words of its own. */
export interface DatabaseFailure {
  /** SQLSTATE (https://www.postgresql.org/docs/current/errcodes-appendix.html), a driver's or Node's code; '' when there is none. */
  readonly code: string
  readonly message: string
  readonly constraint: string | null
  readonly column: string | null
}

/** Codes of Node and of postgres.js for a server that is not there, or is there no more. */
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

/** Finds the driver's error behind what drizzle or the driver threw; null for an error that is no database's. */
export function findDatabaseFailure(error: unknown): DatabaseFailure | null {
  let ofDatabase = false
  let last: Fields | null = null
  // Bounded: a chain of causes may be a ring.
  for (let each = error, depth = 0; isFields(each) && depth < 10; each = each.cause, depth += 1) {
    const marked = isQueryError(each) || isDriverError(each)
    ofDatabase ||= marked
    // Whose ECONNREFUSED it is, only the error around it tells: a handler's own fetch may throw one too.
    if (ofDatabase) last = each
  }
  return last === null ? null : toFailure(last)
}

/** The same, for an error of which the caller knows that it is the database's. */
export function toFailure(error: unknown): DatabaseFailure {
  if (!isFields(error)) return { code: '', message: String(error), constraint: null, column: null }
  return {
    code: text(error.code) ?? '',
    message: text(error.message) ?? '',
    // postgres.js has the one, PGlite the other.
    constraint: text(error.constraint_name) ?? text(error.constraint),
    column: text(error.column_name) ?? text(error.column),
  }
}

/** Is the server not there, going, starting or full? */
export function isConnectionFailure(code: string): boolean {
  return connectionCodes.has(code) || code === '53300' || code.startsWith('57P0') || /^08...$/.test(code)
}

/** For `host.mapErrors`: null for what is no database's error. SQL and values stay in `cause`. */
export function mapDatabaseError(error: unknown): AppError | null {
  const failure = findDatabaseFailure(error)
  return failure === null ? null : toAppError(failure, error)
}

/** What a caller is told of a failure of the database. Names of constraints and columns leave; messages of PostgreSQL do not. */
export function toAppError({ code, constraint, column }: DatabaseFailure, cause: unknown): AppError {
  const path = column ?? ''
  switch (code) {
    case '23505': // unique_violation
    case '23P01': // exclusion_violation
      return new ConflictError('The same is already there', { details: { constraint }, cause })
    case '23503': // foreign_key_violation
    case '23001': // restrict_violation
      return new ConflictError('It refers to something that is not there, or is still referred to', {
        details: { constraint },
        cause,
      })
    case '23502': // not_null_violation
      return new ValidationError(undefined, [{ path, message: 'A value is needed' }], { cause })
    case '23514': // check_violation
      return new ValidationError(undefined, [{ path, message: `Breaks the rule ${constraint ?? 'of the table'}` }], {
        cause,
      })
    case '40001': // serialization_failure
    case '40P01': // deadlock_detected
      return new ConflictError('Something else changed the same data at the same time', { cause })
  }
  // Class 22, data exceptions: too long, out of range, no uuid, a NUL in a text.
  if (/^22...$/.test(code)) {
    return new ValidationError(undefined, [{ path, message: 'Not a value that the database can take' }], { cause })
  }
  if (isConnectionFailure(code)) return new UnavailableError('The database is not reachable', { cause })
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
