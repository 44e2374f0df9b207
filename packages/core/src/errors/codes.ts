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

/** Every error code of core. Plugins and applications add theirs by `defineErrors`, under a namespace. */
export const errorCodes: Readonly<Record<CoreErrorCode, ErrorCode>> = {
  malformed_request: {
    status: INVALID_DATA,
    httpStatus: 400,
    message: 'The request could not be decoded',
    retry: false,
  },
  validation_error: { status: INVALID_DATA, httpStatus: 422, message: 'Invalid input', retry: false },
  idempotency_key_required: {
    status: INVALID_DATA,
    httpStatus: 400,
    message: 'Send the header Idempotency-Key',
    retry: false,
  },
  idempotency_mismatch: {
    status: INVALID_DATA,
    httpStatus: 422,
    message: 'The key was used for another input',
    retry: false,
  },
  // Before `conflict`, which is the usual code of its HTTP status.
  idempotency_in_progress: {
    status: ERROR,
    httpStatus: 409,
    message: 'The first call with this key is still running',
    retry: true,
  },
  authentication_failed: {
    status: PERMISSION_DENIED,
    httpStatus: 401,
    message: 'Authentication required',
    retry: false,
  },
  permission_denied: { status: PERMISSION_DENIED, httpStatus: 403, message: 'Permission denied', retry: false },
  not_found: { status: ERROR, httpStatus: 404, message: 'Not found', retry: false },
  method_not_allowed: { status: ERROR, httpStatus: 405, message: 'Method not allowed', retry: false },
  conflict: { status: INVALID_DATA, httpStatus: 409, message: 'Conflict', retry: false },
  payload_too_large: { status: INVALID_DATA, httpStatus: 413, message: 'Payload too large', retry: false },
  unsupported_media_type: { status: INVALID_DATA, httpStatus: 415, message: 'Unsupported media type', retry: false },
  upgrade_required: { status: ERROR, httpStatus: 426, message: 'This path speaks WebSocket', retry: false },
  request_timeout: { status: ERROR, httpStatus: 408, message: 'The body did not arrive in time', retry: true },
  rate_limit_exceeded: { status: ERROR, httpStatus: 429, message: 'Rate limit exceeded', retry: true },
  too_many_in_flight: { status: ERROR, httpStatus: 429, message: 'Too many calls in flight', retry: true },
  deadline_exceeded: { status: ERROR, httpStatus: 504, message: 'Deadline exceeded', retry: true },
  cancelled: { status: ERROR, httpStatus: 499, message: 'The client has cancelled the call', retry: false },
  outcome_unknown: {
    status: ERROR,
    httpStatus: 504,
    message: 'It is not known whether this was done',
    retry: false,
  },
  unavailable: { status: ERROR, httpStatus: 503, message: 'Service unavailable', retry: true },
  database_error: { status: ERROR, httpStatus: 500, message: 'Database error occurred', retry: false },
  internal_error: { status: ERROR, httpStatus: 500, message: 'Internal error', retry: false },
}

const byHttpStatus: ReadonlyMap<number, RSPCode> = new Map(
  Object.values(errorCodes).map(({ httpStatus, status }) => [httpStatus, status]),
)

/** `status_code` of core's codes with this HTTP status; ERROR if there is none. */
export function rspCodeOf(httpStatus: number): RSPCode {
  return byHttpStatus.get(httpStatus) ?? ERROR
}
