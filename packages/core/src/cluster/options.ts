import { availableParallelism } from 'node:os'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { type Environment, environments, resolveEnvironment } from '../base/environment.ts'
import type { Logger, LogLevel } from '../base/logger.ts'
import { option } from '../base/option.ts'
import type { OptionRules } from '../base/option-rule.ts'
import { badOption, checkOptions } from '../base/options.ts'
import { type LogOptions, resolveLogOptions } from '../log/log-options.ts'
import type { RestartOptions } from './restarts.ts'

/** What `cluster()` takes. */
export interface ClusterOptions {
  /** Number of processes that serve; `auto`: one for each core that this process may use. Default `auto`. */
  readonly workers?: number | 'auto'
  /** Creates the app and lets it listen. Called in each worker, or with one worker in this process. */
  readonly run: () => unknown
  /** File that a worker runs. It must call `cluster()` too. Default: the file that this process runs, with its arguments. */
  readonly entry?: string | URL
  /** How long a worker may take until it serves; then it is killed. Milliseconds. Default 60000. */
  readonly startTimeoutMs?: number
  /**
   * How long a worker may take to drain; then it is killed. Milliseconds, more than `drainTimeoutMs` of the app and the time that its plugins
   * need to close. Default 30000.
   */
  readonly drainTimeoutMs?: number
  /** When a worker that died is started again. */
  readonly restart?: RestartOptions
  /** Environment of the log. Default `ENV`, else `NODE_ENV`, else `dev`. */
  readonly environment?: Environment
  /** The log of the parent, as `log` of `createApp`. */
  readonly log?: Logger | LogLevel | 'silent' | LogOptions
}

/** With defaults. */
export interface ResolvedClusterOptions {
  readonly workers: number
  readonly run: () => unknown
  readonly entry: string
  readonly args: readonly string[]
  readonly startTimeoutMs: number
  readonly drainTimeoutMs: number
  readonly restart: Required<RestartOptions>
  readonly log: Logger
}

const owner = 'cluster()'
const maxMs = 3_600_000

/** Of the option and of its environment variable. */
const workersBounds = { min: 1, max: 1024 } as const

const restartRules = {
  delayMs: option.duration({ min: 1, max: maxMs, default: 200 }),
  maxDelayMs: option.duration({ min: 1, max: maxMs, default: 30_000 }),
  stableMs: option.duration({ max: maxMs, default: 10_000 }),
  attempts: option.integer({ min: 1, default: 5 }),
} satisfies OptionRules<RestartOptions>

const rules = {
  workers: option.anyOf([option.integer(workersBounds), option.choice(['auto'])], { default: 'auto' }),
  run: option.callback<() => unknown>({ required: true }),
  entry: option.custom({
    expects: 'a path, or a URL of a file',
    is: (value): value is string | URL => typeof value === 'string' || value instanceof URL,
  }),
  startTimeoutMs: option.duration({ min: 1, max: maxMs, default: 60_000 }),
  drainTimeoutMs: option.duration({ min: 1, max: maxMs, default: 30_000 }),
  restart: option.object(restartRules),
  environment: option.choice(environments),
  log: option.unchecked<ClusterOptions['log']>(),
} satisfies OptionRules<ClusterOptions>

/** @throws BootError `bad_option`, `unknown_option` */
export function resolveClusterOptions(options: ClusterOptions): ResolvedClusterOptions {
  const { workers, entry = process.argv[1], environment, log, ...checked } = checkOptions(owner, options, rules)
  if (checked.restart.maxDelayMs < checked.restart.delayMs)
    throw badOption(owner, 'restart.maxDelayMs', `must be at least restart.delayMs (${checked.restart.delayMs})`)
  if (entry === undefined || entry === '')
    throw badOption(owner, 'entry', 'is required, because this process does not run a file: set it to the entry file')
  return {
    ...checked,
    workers: workers === 'auto' ? availableParallelism() : workers,
    entry: typeof entry === 'string' ? entry : fileURLToPath(entry),
    args: process.argv.slice(2),
    log: resolveLogOptions(log, resolveEnvironment(environment, process.env).environment, null).logger,
  }
}
