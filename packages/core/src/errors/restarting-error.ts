import { type AppError, UnavailableError } from './app-error.ts'

/** A drain refuses a call that it has not begun: no fault of the server, so the access log has it as `warn`. */
export class RestartingError extends UnavailableError {
  constructor() {
    super('The server is restarting')
  }
}

/** Is an error one of the server, for which the log has a line of level `error`? */
export function isServerFault(error: AppError): boolean {
  return error.httpStatus >= 500 && !(error instanceof RestartingError)
}
