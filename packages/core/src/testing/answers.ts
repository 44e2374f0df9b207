import { AppError } from '../errors/app-error.ts'
import type { RSPCode } from '../errors/status.ts'

/** The content of an error answer, on both wires. */
export interface ErrorAnswer {
  readonly code: string
  readonly msg: string
  readonly details: unknown
}

/** A call was answered with an error: the same one on both wires. */
export class CallError extends Error {
  override readonly name = 'CallError'
  readonly code: string
  readonly msg: string
  readonly details: unknown
  /** `status_code` of the reply package: that of the same error over WebSocket. */
  readonly rspCode: RSPCode
  /** Status of the response: that of the same error over HTTP. */
  readonly httpStatus: number
  /** What was thrown, when the app runs in this process: of an `internal_error`, the error that no client receives. */
  override readonly cause: unknown

  constructor(
    { code, msg, details }: ErrorAnswer,
    statuses: { readonly rspCode: RSPCode; readonly httpStatus: number },
    cause?: unknown,
  ) {
    const reason = cause === undefined || AppError.is(cause) ? '' : `, because of ${String(cause)}`
    super(`${code}: ${msg}${reason}`)
    this.code = code
    this.msg = msg
    this.details = details
    this.rspCode = statuses.rspCode
    this.httpStatus = statuses.httpStatus
    this.cause = cause
  }
}

/** Gives a received value the type that the app declares for it. */
export function asReceived<T>(value: unknown): T {
  return value as T
}
