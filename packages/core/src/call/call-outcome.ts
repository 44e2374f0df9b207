import type { AppError } from '../errors/app-error.ts'

/** How a call ended. `error` is null on success. */
export interface CallOutcome {
  readonly error: AppError | null
  /** The client disconnected before the reply: nothing was sent. */
  readonly aborted: boolean
  /** Of the HTTP response; on WebSocket what it would have been; 499 when aborted. */
  readonly httpStatus: number
  readonly durationMs: number
}
