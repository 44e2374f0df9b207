import { type DestinationStream, type LoggerOptions, pino } from 'pino'
import type { Environment } from '../base/environment.ts'
import type { Logger, LogLevel } from '../base/logger.ts'
import { toHuman } from './human-format.ts'
import { redactFields } from './redact.ts'

/** How lines look: JSON for machines, or text for people. */
export type LogFormat = 'json' | 'human'

export interface LoggerSettings {
  readonly environment: Environment
  /** Default `debug` in development, `warn` in tests, `info` elsewhere. */
  readonly level?: LogLevel
  /** Default: `human` on a terminal in development, else `json`. */
  readonly format?: LogFormat
  /** Where lines go. Default: standard output. */
  readonly destination?: { write(line: string): unknown }
}

/**
 * The default logger: pino. Values under secret keys are `[REDACTED]` at any depth, and credentials within texts as well.
 *
 * @example
 * const log = createLogger({ environment: 'production' })
 * log.info({ user: 'ann', password: 'x' }, 'Signed in') // {"level":"info","time":…,"user":"ann","password":"[REDACTED]",…}
 */
export function createLogger(settings: LoggerSettings): Logger {
  const { environment, level = environment === 'dev' ? 'debug' : environment === 'test' ? 'warn' : 'info' } = settings
  const isTerminal = settings.destination === undefined && process.stdout.isTTY === true
  const { format = environment === 'dev' && isTerminal ? 'human' : 'json' } = settings
  const options: LoggerOptions = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    // Pino's own would put the message and stack of every cause into one text.
    serializers: { err: (err: unknown) => err },
    formatters: { level: (label) => ({ level: label }), log: redactFields },
    hooks: { streamWrite: scrubLine },
  }
  const destination = toDestination(settings.destination, format, isTerminal)
  const logger = destination === null ? pino(options) : pino(options, destination)
  // Pino runs its formatter on the fields of a line only: those of a child would pass it by.
  const { child } = logger
  return Object.assign(logger, {
    child(this: typeof logger, fields: Record<string, unknown>) {
      return child.call(this, redactFields(fields))
    },
  })
}

function toDestination(
  given: { write(line: string): unknown } | undefined,
  format: LogFormat,
  colors: boolean,
): DestinationStream | null {
  const to = given ?? (format === 'human' ? process.stdout : null)
  if (to === null) return null
  return { write: (line) => void to.write(format === 'human' ? toHuman(line, colors) : line) }
}

const bearer = /\b(bearer)\s+[\w.~+/=-]{4,}/gi
/** Three parts of base64url, the first of which begins with `{"`. */
const jwt = /\beyJ[\w-]{8,}\.[\w-]+\.[\w-]*/g
const urlPassword = /(:\/\/[^\s:/@"]*):[^\s/@"]+@/g

// As JSON has it. A message that became the line's own, of `log.error(error)`, is not among the fields.
const statementParams = /\\nparams: (?!\[REDACTED\])(?:[^"\\]|\\.)*/g

/** Credentials within texts: of a message, a URL, an error. The whole line at once, so that no field is missed. */
function scrubLine(line: string): string {
  let scrubbed = line
  if (/bearer\s/i.test(line)) scrubbed = scrubbed.replace(bearer, '$1 [REDACTED]')
  if (line.includes('eyJ')) scrubbed = scrubbed.replace(jwt, '[REDACTED]')
  if (line.includes('://')) scrubbed = scrubbed.replace(urlPassword, '$1:[REDACTED]@')
  if (line.includes('\\nparams: ')) scrubbed = scrubbed.replace(statementParams, '\\nparams: [REDACTED]')
  return scrubbed
}
