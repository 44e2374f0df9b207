/** Levels in rising order of weight. */
export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal'

interface LogMethod {
  (fields: object, message?: string): void
  (message: string): void
}

/** What core and plugins log through; pino's own shape, so a pino logger is one. */
export interface Logger extends Record<LogLevel, LogMethod> {
  child(fields: Record<string, unknown>): Logger
  /** Would a line of this level be written? Without it, core takes it that it would. */
  isLevelEnabled?(level: LogLevel): boolean
}
