import { BootError } from '../base/boot-error.ts'
import type { Environment } from '../base/environment.ts'
import type { Logger, LogLevel } from '../base/logger.ts'
import { checkKeys } from '../route/route-definition.ts'
import { createLogger, type LogFormat } from './pino-logger.ts'

/** Which calls get a line when they end. */
export type AccessLog = 'all' | 'failures' | false

/** Options of `createApp({ log })`, which is also a level or a logger. */
export interface LogOptions {
  /** Minimum log level. Default `debug` in development, `warn` in tests, `info` elsewhere. */
  readonly level?: LogLevel
  /** Default: `human` on a terminal in development, else `json`. */
  readonly format?: LogFormat
  /** A custom logger, instead of `level` and `format`. */
  readonly logger?: Logger
  /**
   * One line for each call: all of them, those that did not succeed, or none. Default: `all` in development, `failures` in staging and
   * production, none in tests.
   */
  readonly access?: AccessLog
  /** Share of successful calls that get a line, 0 to 1; failures always do. Default 1. */
  readonly sampleSuccesses?: number
  /** Paths of routes, as they were written, whose requests get no line. Default: the health routes and `/metrics`. */
  readonly excludedPaths?: readonly string[]
}

/** With defaults. */
export interface ResolvedLogOptions {
  readonly logger: Logger
  readonly access: AccessLog
  readonly sampleSuccesses: number
  readonly excludedPaths: ReadonlySet<string>
}

const known = ['level', 'format', 'logger', 'access', 'sampleSuccesses', 'excludedPaths'] as const
const levels: readonly unknown[] = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']

const accessDefaults = { dev: 'all', test: false, staging: 'failures', production: 'failures' } as const

/** Creates the logger of an app from `createApp({ log })`. `healthPath`: null without health routes. */
export function resolveLogOptions(
  given: Logger | LogLevel | LogOptions | undefined,
  environment: Environment,
  healthPath: string | null,
): ResolvedLogOptions {
  const options = toOptions(given)
  check(options)
  const { level, format, access = accessDefaults[environment], sampleSuccesses = 1 } = options
  const settings = { environment, ...(level !== undefined && { level }), ...(format !== undefined && { format }) }
  const health = healthPath === null ? [] : [healthPath, `${healthPath}/live`, `${healthPath}/ready`]
  return {
    logger: options.logger ?? createLogger(settings),
    access,
    sampleSuccesses,
    excludedPaths: new Set(options.excludedPaths ?? [...health, '/metrics']),
  }
}

function toOptions(given: Logger | LogLevel | LogOptions | undefined): LogOptions {
  if (given === undefined) return {}
  if (typeof given === 'string') return { level: given }
  return isLogger(given) ? { logger: given } : given
}

function isLogger(given: Logger | LogOptions): given is Logger {
  return 'child' in given && typeof given.child === 'function'
}

function check(options: LogOptions): void {
  checkKeys(options, known, 'createApp({ log })')
  const { level, format, logger, access, sampleSuccesses = 1, excludedPaths = [] } = options
  if (level !== undefined && !levels.includes(level))
    throw new BootError('bad_option', `log.level must be one of ${levels.join(', ')}, not '${level}'`)
  if (format !== undefined && format !== 'json' && format !== 'human')
    throw new BootError('bad_option', `log.format must be 'json' or 'human', not '${format}'`)
  if (logger !== undefined && (level !== undefined || format !== undefined))
    throw new BootError('bad_option', 'log.level and log.format are of our own logger: leave them out, or log.logger')
  if (access !== undefined && access !== false && access !== 'all' && access !== 'failures')
    throw new BootError('bad_option', `log.access must be 'all', 'failures' or false, not '${access}'`)
  if (!(sampleSuccesses >= 0 && sampleSuccesses <= 1))
    throw new BootError('bad_option', `log.sampleSuccesses must be 0 to 1, not ${sampleSuccesses}`)
  for (const path of excludedPaths) {
    if (!path.startsWith('/'))
      throw new BootError('bad_option', `log.excludedPaths: '${path}' must be the path of a route, such as '/health'`)
  }
}
