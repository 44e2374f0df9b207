import type { Issue } from '../base/schema.ts'
import { type CoreErrorCode, type ErrorCode, errorCodes } from './codes.ts'
import type { RSPCode } from './status.ts'

const brand = Symbol.for('twinwire.AppError')

export interface AppErrorOptions {
  /** Data for the caller: sent as it is. */
  readonly details?: unknown
  /** For the log only: never sent. */
  readonly cause?: unknown
  /** Response headers; HTTP only. */
  readonly headers?: Readonly<Record<string, string>>
}

/**
 * An error that *answers* one call: `{code, msg, details}` on both wires. Everything it carries but `cause` is meant for
 * the caller. Throw one of its subclasses, or one of your own made by `defineErrors`.
 *
 * @example
 * throw new NotFoundError('Author with ID 7 not found')
 */
export class AppError extends Error {
  override readonly name: string = 'AppError'
  readonly code: string
  readonly status: RSPCode
  readonly httpStatus: number
  readonly retry: boolean
  readonly details: unknown
  readonly headers: Readonly<Record<string, string>> | undefined

  constructor(code: string, row: ErrorCode, message: string = row.message, options: AppErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.status = row.status
    this.httpStatus = row.httpStatus
    this.retry = row.retry
    this.details = options.details ?? null
    this.headers = options.headers
    Object.defineProperty(this, brand, { value: true })
  }

  /** True for an AppError of any copy of this package. */
  static is(value: unknown): value is AppError {
    return typeof value === 'object' && value !== null && brand in value
  }
}

function core(code: CoreErrorCode): [CoreErrorCode, ErrorCode] {
  return [code, errorCodes[code]]
}

/** A frame or a body that cannot be decoded: 400 / INVALID_DATA. */
export class MalformedRequestError extends AppError {
  constructor(message?: string, options?: AppErrorOptions) {
    super(...core('malformed_request'), message, options)
  }
}

/** Input that breaks a rule: 422 / INVALID_DATA. `issues` become `details`. */
export class ValidationError extends AppError {
  constructor(message?: string, issues: readonly Issue[] = [], options: AppErrorOptions = {}) {
    super(...core('validation_error'), message, { details: issues, ...options })
  }
}

/** No credentials, or bad ones: 401 / PERMISSION_DENIED. */
export class AuthenticationError extends AppError {
  constructor(message?: string, options?: AppErrorOptions) {
    super(...core('authentication_failed'), message, options)
  }
}

/** Known caller, not allowed: 403 / PERMISSION_DENIED. */
export class PermissionDeniedError extends AppError {
  constructor(message?: string, options?: AppErrorOptions) {
    super(...core('permission_denied'), message, options)
  }
}

/** 404 / ERROR. */
export class NotFoundError extends AppError {
  constructor(message?: string, options?: AppErrorOptions) {
    super(...core('not_found'), message, options)
  }
}

/** The state of the data forbids it (a name that is taken, a lost race): 409 / INVALID_DATA. */
export class ConflictError extends AppError {
  constructor(message?: string, options?: AppErrorOptions) {
    super(...core('conflict'), message, options)
  }
}

/** A body or a message over its cap: 413 / INVALID_DATA. */
export class PayloadTooLargeError extends AppError {
  constructor(maxBytes: number) {
    super(...core('payload_too_large'), `At most ${maxBytes} bytes are accepted`, { details: { max_bytes: maxBytes } })
  }
}

/** 429 / ERROR. `retryAfterMs` is also sent as `Retry-After`, in whole seconds, rounded up. */
export class RateLimitError extends AppError {
  constructor(figures: { retryAfterMs: number; limit: number; remaining: number }, options: AppErrorOptions = {}) {
    const { retryAfterMs, limit, remaining } = figures
    super(...core('rate_limit_exceeded'), undefined, {
      details: { retry_after_ms: retryAfterMs, limit, remaining },
      ...options,
      headers: { 'retry-after': String(Math.ceil(retryAfterMs / 1000)), ...options.headers },
    })
  }
}

/** The call took longer than its deadline: 504 / ERROR. */
export class DeadlineExceededError extends AppError {
  constructor(deadlineMs: number) {
    super(...core('deadline_exceeded'), undefined, { details: { deadline_ms: deadlineMs } })
  }
}

/**
 * Done or not done, nobody can say: a COMMIT, or a statement that commits by itself, was sent and its answer did not come in time, the
 * connection was lost before it, or a call ended early of which a part is committed. 504 / ERROR. To make the same call again is safe
 * only where doing it twice is.
 */
export class OutcomeUnknownError extends AppError {
  constructor(message?: string, options?: AppErrorOptions) {
    super(...core('outcome_unknown'), message, options)
  }
}

/** Draining, an open breaker, a database that does not answer: 503 / ERROR. Worth a retry. */
export class UnavailableError extends AppError {
  constructor(message?: string, options?: AppErrorOptions) {
    super(...core('unavailable'), message, options)
  }
}

/** A failure of the database that no other code describes: 500 / ERROR. The SQL stays in `cause`. */
export class DatabaseError extends AppError {
  constructor(options?: AppErrorOptions) {
    super(...core('database_error'), undefined, options)
  }
}

/** Anything unknown: 500 / ERROR. Its `cause` is logged and never sent. */
export class InternalError extends AppError {
  constructor(options?: AppErrorOptions) {
    super(...core('internal_error'), undefined, options)
  }
}

/** An error of core's table that needs no class of its own. */
export function coreError(code: CoreErrorCode, message?: string, options?: AppErrorOptions): AppError {
  return new AppError(...core(code), message, options)
}
