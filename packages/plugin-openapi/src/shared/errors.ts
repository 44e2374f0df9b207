import { type CoreErrorCode, errorCodes, type Wire } from '@twinwire/core'
import type { AppContract, ErrorContract, RouteContract } from '@twinwire/core/plugin'
import type { Json } from '../schemas/node.ts'

/** What any handler may throw, and what the server answers by itself at any time. */
const always: readonly CoreErrorCode[] = [
  'malformed_request',
  'validation_error',
  'permission_denied',
  'not_found',
  'conflict',
  'outcome_unknown',
  'unavailable',
  'database_error',
  'internal_error',
]

/** The errors that a route may answer with on one wire: those of core that apply, those of the app, and those that it declares. */
export function errorsOf(route: RouteContract, wire: Wire, app: AppContract): readonly ErrorContract[] {
  const { request, identity, deadlineMs, reply, once, declaredErrors } = route
  const hasBody = wire === 'http' && request?.hasBody === true
  const codes: readonly (readonly [CoreErrorCode, boolean])[] = [
    ['authentication_failed', identity !== 'none'],
    ['rate_limit_exceeded', app.routes.some(({ steps }) => steps.some(({ limits }) => limits.length > 0))],
    ['deadline_exceeded', deadlineMs > 0],
    ['idempotency_mismatch', once !== null],
    ['idempotency_in_progress', once !== null],
    ['idempotency_key_required', wire === 'http' && once?.required === true],
    ['too_many_in_flight', wire === 'ws'],
    ['cancelled', wire === 'ws' && reply === 'stream'],
    ['payload_too_large', hasBody],
    // Also for a body that is compressed.
    ['unsupported_media_type', hasBody],
    ['request_timeout', hasBody && request?.streamed !== null],
  ]
  const ofCore = [...always, ...codes.flatMap(([code, applies]) => (applies ? [code] : []))]
  return [...ofCore.map(toContract), ...app.errors, ...declaredErrors]
}

function toContract(code: CoreErrorCode): ErrorContract {
  return { code, ...errorCodes[code] }
}

/** The table of all error codes of an app: `x-error-codes` of both documents. */
export function toErrorTable(app: AppContract): readonly Json[] {
  const ofCore = Object.entries(errorCodes).map(([code, row]) => ({ code, ...row }))
  const ofApp = [...app.errors, ...app.routes.flatMap(({ declaredErrors }) => declaredErrors)]
  const unique = new Map([...ofCore, ...ofApp].map((each) => [each.code, each]))
  return [...unique.values()].map(toRow)
}

export function toRow({ code, status, httpStatus, message, retry }: ErrorContract): Json {
  return { code, status_code: status, http_status: httpStatus, message, retry }
}

/** `details` of a `validation_error`. */
const issues: Json = {
  type: 'array',
  items: {
    type: 'object',
    required: ['path', 'message'],
    properties: { path: { type: 'string' }, message: { type: 'string' } },
  },
}

/** `{code, msg, details}` for these codes. */
export function toErrorData(codes: readonly string[]): Json {
  return {
    type: 'object',
    required: ['code', 'msg', 'details'],
    properties: {
      code: { type: 'string', enum: [...new Set(codes)].toSorted() },
      msg: { type: 'string', description: 'For people' },
      details: codes.length === 1 && codes[0] === 'validation_error' ? issues : {},
    },
  }
}
