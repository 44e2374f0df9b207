import type { Logger, LogLevel } from '../base/logger.ts'

/** One logged line. */
export interface LogLine {
  readonly level: LogLevel
  readonly message: string
  /** Including those of child loggers. `err` is the error itself. */
  readonly fields: Readonly<Record<string, unknown>>
}

/** A logger that prints nothing and keeps every line. */
export interface TestLogger extends Logger {
  readonly lines: readonly LogLine[]
}

/**
 * Creates a logger whose lines a test can read.
 *
 * @example
 * const log = createTestLogger()
 * log.child({ user_id: 'u1' }).warn('Slow')
 * log.lines // [{ level: 'warn', message: 'Slow', fields: { user_id: 'u1' } }]
 */
export function createTestLogger(): TestLogger {
  const lines: LogLine[] = []
  return Object.assign(createChild(lines, {}), { lines })
}

function createChild(lines: LogLine[], base: Readonly<Record<string, unknown>>): Logger {
  const write =
    (level: LogLevel) =>
    (first: object | string, second = ''): void => {
      if (typeof first === 'string') lines.push({ level, message: first, fields: base })
      else lines.push({ level, message: second, fields: { ...base, ...first } })
    }
  return {
    trace: write('trace'),
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    fatal: write('fatal'),
    child: (fields) => createChild(lines, { ...base, ...fields }),
  }
}
