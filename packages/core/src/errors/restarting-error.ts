import { UnavailableError } from './app-error.ts'

/** A drain refuses a call that it has not begun: no fault of the server, so the access log has it as `warn`. */
export class RestartingError extends UnavailableError {
  constructor() {
    super('The server is restarting')
  }
}
