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
 * An error that *answers* one call: `{code, msg, details}` on both wires. Everything except `cause` is sent to
 * the caller. Throw one of its subclasses, or your own error made with `defineErrors`.
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

/** Invalid input: 422 / INVALID_DATA. `issues` become `details`. */
export class ValidationError extends AppError {
  constructor(message?: string, issues: readonly Issue[] = [], options: AppErrorOptions = {}) {
    super(...core('validation_error'), message, { details: issues, ...options })
  }
}

/** Missing or invalid credentials: 401 / PERMISSION_DENIED. */
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

/** Conflict with existing data (a name that already exists, a concurrent change): 409 / INVALID_DATA. */
export class ConflictError extends AppError {
  constructor(message?: string, options?: AppErrorOptions) {
    super(...core('conflict'), message, options)
  }
}

/** A body or a message over its limit: 413 / INVALID_DATA. */
export class PayloadTooLargeError extends AppError {
  constructor(maxBytes: number) {
    super(...core('payload_too_large'), `At most ${maxBytes} bytes are accepted`, { details: { max_bytes: maxBytes } })
  }
}

/** 429 / ERROR. `retryAfterMs` is also sent as `Retry-After`, in whole seconds, rounded up. */
export class RateLimitError extends AppError {
  constructor(quota: { retryAfterMs: number; limit: number; remaining: number }, options: AppErrorOptions = {}) {
    const { retryAfterMs, limit, remaining } = quota
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
 * It is not known whether the call was done: a COMMIT, or a statement that commits by itself, was sent and its result did not arrive in
 * time, the connection was lost, or a call ended early after a part of it was committed. 504 / ERROR. Repeat the call only if it is
 * idempotent.
 */
export class OutcomeUnknownError extends AppError {
  constructor(message?: string, options?: AppErrorOptions) {
    super(...core('outcome_unknown'), message, options)
  }
}

/** Draining, an open circuit breaker, a database that does not answer: 503 / ERROR. May be retried. */
export class UnavailableError extends AppError {
  constructor(message?: string, options?: AppErrorOptions) {
    super(...core('unavailable'), message, options)
  }
}

/** A failure of the database that no other code describes: 500 / ERROR. The SQL is only in `cause`. */
export class DatabaseError extends AppError {
  constructor(options?: AppErrorOptions) {
    super(...core('database_error'), undefined, options)
  }
}

/** Any other error: 500 / ERROR. Its `cause` is logged and never sent. */
export class InternalError extends AppError {
  constructor(options?: AppErrorOptions) {
    super(...core('internal_error'), undefined, options)
  }
}

/** An error of core's table without its own class. */
export function coreError(code: CoreErrorCode, message?: string, options?: AppErrorOptions): AppError {
  return new AppError(...core(code), message, options)
}
