import { RSPCode } from './status.ts'

/** How one error code is shown on each wire. */
export interface ErrorCode {
  /** `status_code` of the reply package. */
  readonly status: RSPCode
  /** Status of the HTTP response. */
  readonly httpStatus: number
  /** Default message. */
  readonly message: string
  /** May the same call succeed if it is made again later? */
  readonly retry: boolean
}

const { ERROR, INVALID_DATA, PERMISSION_DENIED } = RSPCode

export type CoreErrorCode =
  | 'malformed_request'
  | 'validation_error'
  | 'idempotency_key_required'
  | 'idempotency_mismatch'
  | 'idempotency_in_progress'
  | 'authentication_failed'
  | 'permission_denied'
  | 'not_found'
  | 'method_not_allowed'
  | 'conflict'
  | 'payload_too_large'
  | 'unsupported_media_type'
  | 'upgrade_required'
  | 'request_timeout'
  | 'rate_limit_exceeded'
  | 'too_many_in_flight'
  | 'deadline_exceeded'
  | 'cancelled'
  | 'outcome_unknown'
  | 'unavailable'
  | 'database_error'
  | 'internal_error'

/**
 * Every error code of core. Plugins and applications add theirs by `defineErrors`, under a namespace. The table of
 * docs_site/wire-protocol.md is written from this one; `about` says when a call is answered with the code, in Markdown.
 */
export const errorCodes: Readonly<Record<CoreErrorCode, ErrorCode & { readonly about: string }>> = {
  malformed_request: {
    status: INVALID_DATA,
    httpStatus: 400,
    message: 'The request could not be decoded',
    retry: false,
    about: 'a frame or body that cannot be decoded, or [a request that HTTP forbids](wire.md)',
  },
  validation_error: {
    status: INVALID_DATA,
    httpStatus: 422,
    message: 'Invalid input',
    retry: false,
    about: 'invalid input; `details` lists `{path, message}`',
  },
  idempotency_key_required: {
    status: INVALID_DATA,
    httpStatus: 400,
    message: 'Send the header Idempotency-Key',
    retry: false,
    about: 'a [`once()`](once.md) route that demands `Idempotency-Key` got none',
  },
  idempotency_mismatch: {
    status: INVALID_DATA,
    httpStatus: 422,
    message: 'The key was used for another input',
    retry: false,
    about: 'a `once()` route got the same key with another input',
  },
  // Before `conflict`, which is the usual code of its HTTP status.
  idempotency_in_progress: {
    status: ERROR,
    httpStatus: 409,
    message: 'The first call with this key is still running',
    retry: true,
    about: 'the first call with this key still ran when the deadline of this one had passed',
  },
  authentication_failed: {
    status: PERMISSION_DENIED,
    httpStatus: 401,
    message: 'Authentication required',
    retry: false,
    about: 'missing or invalid credentials: with a new token',
  },
  permission_denied: {
    status: PERMISSION_DENIED,
    httpStatus: 403,
    message: 'Permission denied',
    retry: false,
    about: 'not allowed',
  },
  not_found: {
    status: ERROR,
    httpStatus: 404,
    message: 'Not found',
    retry: false,
    about: 'unknown PkgID, path or row',
  },
  method_not_allowed: {
    status: ERROR,
    httpStatus: 405,
    message: 'Method not allowed',
    retry: false,
    about: 'with `Allow`',
  },
  conflict: {
    status: INVALID_DATA,
    httpStatus: 409,
    message: 'Conflict',
    retry: false,
    about: 'a value that already exists, a concurrent change, or more than `maxTopics` topics',
  },
  payload_too_large: {
    status: INVALID_DATA,
    httpStatus: 413,
    message: 'Payload too large',
    retry: false,
    about:
      'a body or message over its limit; an event of a call with an [outbox](outbox.md) that is larger than the broker takes',
  },
  unsupported_media_type: {
    status: INVALID_DATA,
    httpStatus: 415,
    message: 'Unsupported media type',
    retry: false,
    about: 'a body that is neither JSON nor urlencoded',
  },
  upgrade_required: {
    status: ERROR,
    httpStatus: 426,
    message: 'This path speaks WebSocket',
    retry: false,
    about: 'a plain GET on the WebSocket path, or an upgrade of another version than 13',
  },
  request_timeout: {
    status: ERROR,
    httpStatus: 408,
    message: 'The body did not arrive in time',
    retry: true,
    about: 'the client stopped sending a body that is read as it arrives; `details.timeout_ms`',
  },
  rate_limit_exceeded: {
    status: ERROR,
    httpStatus: 429,
    message: 'Rate limit exceeded',
    retry: true,
    about: 'after `details.retry_after_ms`',
  },
  too_many_in_flight: {
    status: ERROR,
    httpStatus: 429,
    message: 'Too many calls in flight',
    retry: true,
    about: 'more than `maxInFlight` on one connection',
  },
  deadline_exceeded: {
    status: ERROR,
    httpStatus: 504,
    message: 'Deadline exceeded',
    retry: true,
    about: 'the call took too long',
  },
  cancelled: {
    status: ERROR,
    httpStatus: 499,
    message: 'The client has cancelled the call',
    retry: false,
    about: 'the client sent `cancel` for a streamed reply',
  },
  outcome_unknown: {
    status: ERROR,
    httpStatus: 504,
    message: 'It is not known whether this was done',
    retry: false,
    about:
      'a COMMIT, or a write that commits by itself, was sent and not answered in time or at all, or the call ended early after a part of it was committed: [it may or may not be done](transactions.md#when-the-outcome-is-not-known). Repeat it with its `req_id` or `Idempotency-Key` on a [`once()`](once.md) route; elsewhere only if the call may have its effect twice',
  },
  unavailable: {
    status: ERROR,
    httpStatus: 503,
    message: 'Service unavailable',
    retry: true,
    about: 'draining, or the database does not answer',
  },
  database_error: {
    status: ERROR,
    httpStatus: 500,
    message: 'Database error occurred',
    retry: false,
    about: 'any other failure of the database',
  },
  internal_error: {
    status: ERROR,
    httpStatus: 500,
    message: 'Internal error',
    retry: false,
    about: 'any other error; its cause is in the log of the server',
  },
}

const byHttpStatus: ReadonlyMap<number, RSPCode> = new Map(
  Object.values(errorCodes).map(({ httpStatus, status }) => [httpStatus, status]),
)

/** `status_code` of core's codes with this HTTP status; ERROR if there is none. */
export function rspCodeOf(httpStatus: number): RSPCode {
  return byHttpStatus.get(httpStatus) ?? ERROR
}
