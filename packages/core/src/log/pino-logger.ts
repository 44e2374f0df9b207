import { writeSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { DestinationStream, LoggerOptions } from 'pino'
import type { Environment } from '../base/environment.ts'
import type { Logger, LogLevel } from '../base/logger.ts'
import { toHuman } from './human-format.ts'
import { LazyLogger } from './lazy-logger.ts'
import { redactFields } from './redact.ts'
import { redactLine } from './redact-text.ts'

/** Its file descriptor. */
const standardOutput = 1

/** How lines look: JSON for machines, or text for people. */
export const logFormats = ['json', 'human'] as const
export type LogFormat = (typeof logFormats)[number]

export interface LoggerSettings {
  readonly environment: Environment
  /** Minimum level, or `silent` for no line at all. Default `debug` in development, `warn` in tests, `info` elsewhere. */
  readonly level?: LogLevel | 'silent'
  /** Default: `human` on a terminal in development, else `json`. */
  readonly format?: LogFormat
  /** Destination of lines. Default: standard output. */
  readonly destination?: { write(line: string): unknown }
}

/**
 * Creates the default logger, based on pino. Values under secret keys are `[REDACTED]` at any depth, and so are secrets inside strings.
 *
 * The human format is ours and not pino-pretty: that one writes line breaks of a message unescaped, so a client could forge log lines.
 *
 * @example
 * const log = createLogger({ environment: 'production' })
 * log.info({ user: 'ann', password: 'x' }, 'Signed in') // {"level":"info","time":…,"user":"ann","password":"[REDACTED]",…}
 */
export function createLogger(settings: LoggerSettings): Logger {
  const { environment, level = environment === 'dev' ? 'debug' : environment === 'test' ? 'warn' : 'info' } = settings
  const { destination = null } = settings
  // Asked only where it matters: Node creates the stream for it.
  const isTerminal = (): boolean => destination === null && process.stdout.isTTY === true
  const { format = environment === 'dev' && isTerminal() ? 'human' : 'json' } = settings
  const require = createRequire(import.meta.url)
  // Found now, so that a missing package is an error of the boot; loaded with the first line.
  const path = require.resolve('pino')
  return new LazyLogger({
    level,
    bindings: {},
    open: () => openPino(require(path), level, toDestination(destination, format, format === 'human' && isTerminal())),
    writeWithout: (line) => {
      const scrubbed = scrubLine(line)
      if (destination === null) writeSync(standardOutput, scrubbed)
      else destination.write(scrubbed)
    },
  })
}

function openPino(
  { pino }: typeof import('pino'),
  level: LogLevel | 'silent',
  destination: DestinationStream | null,
): Logger {
  const options: LoggerOptions = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    // Pino's own serializer joins the messages and stacks of all causes into one string.
    serializers: { err: (err: unknown) => err },
    formatters: { level: (label) => ({ level: label }), log: redactFields },
    hooks: { streamWrite: scrubLine },
  }
  return destination === null ? pino(options) : pino(options, destination)
}

function toDestination(
  given: { write(line: string): unknown } | null,
  format: LogFormat,
  colors: boolean,
): DestinationStream | null {
  const to = given ?? (format === 'human' ? process.stdout : null)
  if (to === null) return null
  return { write: (line) => void to.write(format === 'human' ? toHuman(line, colors) : line) }
}

// In JSON notation. The message of `log.error(error)` becomes the message of the line, and is not among the fields.
const statementParams = /\\nparams: (?!\[REDACTED\])(?:[^"\\]|\\.)*/g

/** Redacts credentials inside strings: messages, URLs, errors. Works on the whole line, so that no field is missed. */
function scrubLine(line: string): string {
  const scrubbed = redactLine(line)
  return line.includes('\\nparams: ') ? scrubbed.replace(statementParams, '\\nparams: [REDACTED]') : scrubbed
}
