import { readWorker } from '../base/cluster-worker.ts'
import type { Environment } from '../base/environment.ts'
import { type Logger, type LogLevel, logLevels } from '../base/logger.ts'
import { option } from '../base/option.ts'
import type { OptionRule, OptionRules } from '../base/option-rule.ts'
import { badOption, checkOptions } from '../base/options.ts'
import { createLogger, type LogFormat, logFormats } from './pino-logger.ts'

/** Which calls get a line when they end. */
export type AccessLog = 'all' | 'failures' | false

/** Options of `createApp({ log })`, which is also a level or a logger. */
export interface LogOptions {
  /** Minimum level, or `silent` for no line at all. Default `debug` in development, `warn` in tests, `info` elsewhere. */
  readonly level?: LogLevel | 'silent'
  /** Default: `human` on a terminal in development, else `json`. */
  readonly format?: LogFormat
  /** A custom logger, in place of `level` and `format`. */
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

export const excludedPathsRule: OptionRule<readonly string[] | undefined> = option.list({
  of: option.string({ expects: "the path of a route, such as '/health'", test: (path) => path.startsWith('/') }),
  expects: 'a list of paths, such as ["/health","/metrics"]',
})

const rules = {
  level: option.choice([...logLevels, 'silent']),
  format: option.choice(logFormats),
  logger: option.custom({ expects: "a logger of pino's shape", is: isLogger }),
  access: option.choice(['all', 'failures', false]),
  sampleSuccesses: option.number({ min: 0, max: 1, default: 1 }),
  excludedPaths: excludedPathsRule,
} satisfies OptionRules<LogOptions>

const accessDefaults = { dev: 'all', test: false, staging: 'failures', production: 'failures' } as const

/** Makes the logger of an app by `createApp({ log })`. `healthPath`: null without health routes. `owner`: begins messages. */
export function resolveLogOptions(
  given: Logger | LogLevel | 'silent' | LogOptions | undefined,
  environment: Environment,
  healthPath: string | null,
  owner: string = 'createApp()',
): ResolvedLogOptions {
  const options = checkOptions(owner, toOptions(given), rules, 'log')
  const { level, format, logger, access = accessDefaults[environment], sampleSuccesses } = options
  if (logger !== undefined && (level !== undefined || format !== undefined)) {
    const name = level === undefined ? 'log.format' : 'log.level'
    throw badOption(owner, name, 'is an option of the built-in logger: remove it, or remove log.logger')
  }
  const settings = { environment, ...(level !== undefined && { level }), ...(format !== undefined && { format }) }
  const health = healthPath === null ? [] : [healthPath, `${healthPath}/live`, `${healthPath}/ready`]
  return {
    logger: ofWorker(logger ?? createLogger(settings)),
    access,
    sampleSuccesses,
    excludedPaths: new Set(options.excludedPaths ?? [...health, '/metrics']),
  }
}

/** Workers of a cluster write to one output, so each line says which of them wrote it. */
function ofWorker(logger: Logger): Logger {
  const worker = readWorker()
  return worker === null ? logger : logger.child({ worker: worker.id })
}

function toOptions(given: Logger | LogLevel | 'silent' | LogOptions | undefined): LogOptions {
  if (given === undefined) return {}
  if (typeof given === 'string') return { level: given }
  return isLogger(given) ? { logger: given } : given
}

function isLogger(given: unknown): given is Logger {
  return typeof given === 'object' && given !== null && typeof Reflect.get(given, 'child') === 'function'
}
