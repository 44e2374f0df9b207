/** From the least to the most severe. */
export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const
export type LogLevel = (typeof logLevels)[number]

interface LogMethod {
  (fields: object, message?: string): void
  (message: string): void
}

/** The log interface of core and plugins; pino loggers implement it. */
export interface Logger extends Record<LogLevel, LogMethod> {
  child(fields: Record<string, unknown>): Logger
  /** Is a line of this level written? If it is missing, core assumes true. */
  isLevelEnabled?(level: LogLevel): boolean
}
