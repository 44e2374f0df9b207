import { type AppError, UnavailableError } from './app-error.ts'

/** A drain refuses a call that it has not begun: no fault of the server, so the access log has it as `warn`. */
export class RestartingError extends UnavailableError {
  constructor() {
    super('The server is restarting')
  }
}

/** Has the log a line of level `error` for this outcome? */
export function isServerFault(httpStatus: number, error: AppError | null): boolean {
  return httpStatus >= 500 && !(error instanceof RestartingError)
}
