import { availableParallelism } from 'node:os'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { type Environment, environments, resolveEnvironment } from '../base/environment.ts'
import type { Logger, LogLevel } from '../base/logger.ts'
import { option } from '../base/option.ts'
import type { OptionRules } from '../base/option-rule.ts'
import { badOption, checkOptions } from '../base/options.ts'
import { type LogOptions, resolveLogOptions } from '../log/log-options.ts'
import { addressRules } from '../transport/socket-limits.ts'
import type { ClusterMetrics } from './cluster-metrics.ts'
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
   * How long a worker may take to drain; then it is killed. Milliseconds, more than `drainDelayMs` and `drainTimeoutMs` of the app and the time that its plugins
   * need to close. Default 30000.
   */
  readonly drainTimeoutMs?: number
  /** When a worker that died is started again. */
  readonly restart?: RestartOptions
  /**
   * A port on which the parent answers probes for the cluster: `/health`, `/health/live` and `/health/ready`, and with `metrics` also `/metrics`. `host`:
   * address that it listens on, default 127.0.0.1; port 0 takes a free one. Default: none.
   */
  readonly endpoint?: ClusterEndpoint
  /** How many workers must be healthy for the cluster to be ready. Default 1. */
  readonly readyWorkers?: number
  /** Merges the metrics of the workers: `clusterMetrics()` of plugin-metrics. Required if the app has `metrics()`. */
  readonly metrics?: ClusterMetrics
  /** Environment of the log. Default `ENV`, else `NODE_ENV`, else `dev`. */
  readonly environment?: Environment
  /** The log of the parent, as `log` of `createApp`. */
  readonly log?: Logger | LogLevel | 'silent' | LogOptions
}

export interface ClusterEndpoint {
  readonly port: number
  readonly host?: string
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
  readonly endpoint: Required<ClusterEndpoint> | null
  readonly readyWorkers: number
  readonly metrics: ClusterMetrics | null
  readonly log: Logger
}

const owner = 'cluster()'
const maxMs = 3_600_000

/** Of the option and of its environment variable. */
export const workersBounds = { min: 1, max: 1024 } as const

const restartRules = {
  delayMs: option.duration({ min: 1, max: maxMs, default: 200 }),
  maxDelayMs: option.duration({ min: 1, max: maxMs, default: 30_000 }),
  stableMs: option.duration({ max: maxMs, default: 10_000 }),
  attempts: option.integer({ min: 1, default: 5 }),
} satisfies OptionRules<RestartOptions>

const endpointRules = {
  port: option.integer({ max: 65_535, required: true }),
  host: addressRules.host,
} satisfies OptionRules<ClusterEndpoint>

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
  endpoint: option.unchecked<ClusterEndpoint>(),
  readyWorkers: option.integer({ min: 1, default: 1 }),
  metrics: option.custom({
    expects: 'clusterMetrics() of plugin-metrics, or your own object with its shape',
    is: (value): value is ClusterMetrics =>
      typeof value === 'object' && value !== null && typeof Reflect.get(value, 'start') === 'function',
  }),
  environment: option.choice(environments),
  log: option.unchecked<ClusterOptions['log']>(),
} satisfies OptionRules<ClusterOptions>

/** @throws BootError `bad_option`, `unknown_option` */
export function resolveClusterOptions(options: ClusterOptions): ResolvedClusterOptions {
  const {
    workers: given,
    entry = process.argv[1],
    endpoint,
    metrics = null,
    environment,
    log,
    ...checked
  } = checkOptions(owner, options, rules)
  const workers = given === 'auto' ? availableParallelism() : given
  if (checked.restart.maxDelayMs < checked.restart.delayMs)
    throw badOption(owner, 'restart.maxDelayMs', `must be at least restart.delayMs (${checked.restart.delayMs})`)
  if (entry === undefined || entry === '')
    throw badOption(owner, 'entry', 'is required, because this process does not run a file: set it to the entry file')
  if (checked.readyWorkers > workers)
    throw badOption(owner, 'readyWorkers', `must be at most workers (${workers})`, checked.readyWorkers)
  return {
    ...checked,
    workers,
    endpoint: endpoint === undefined ? null : checkOptions(owner, endpoint, endpointRules, 'endpoint'),
    metrics,
    entry: typeof entry === 'string' ? entry : fileURLToPath(entry),
    args: process.argv.slice(2),
    log: resolveLogOptions(log, resolveEnvironment(environment, process.env).environment, null).logger,
  }
}
