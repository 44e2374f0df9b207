import { pino } from 'pino'
import type { Environment } from '../settings/environment.ts'
import type { Logger, LogLevel } from './logger.ts'

/** JSON lines on stdout. Default level: `debug` in development, `warn` in tests, `info` elsewhere. */
export function createLogger(options: { readonly environment: Environment; readonly level?: LogLevel }): Logger {
  const { environment, level = environment === 'dev' ? 'debug' : environment === 'test' ? 'warn' : 'info' } = options
  return pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime })
}
