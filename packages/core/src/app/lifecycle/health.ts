import { type Clock, withTimeout } from '../../base/clock.ts'
import type { Logger } from '../../base/logger.ts'
import type { HealthPart } from '../../plugin/health.ts'

export type HealthStatus = 'healthy' | 'unhealthy'

/** Body of `GET /health`: one property per check, plus `status` and `websocket`. */
export interface HealthReport {
  readonly status: HealthStatus
  readonly websocket: { readonly status: HealthStatus; readonly active_connections: number }
  readonly [name: string]: HealthStatus | HealthReport['websocket']
}

interface HealthMonitorOptions {
  /** Read on every run, because plugins register checks while the app boots. */
  readonly checks: ReadonlyMap<string, HealthPart>
  readonly clock: Clock
  readonly log: Logger
  /** Connections of this process, and whether the app serves. */
  readonly vitals: () => { readonly connections: number; readonly serving: boolean }
  /** How long one check may take. */
  readonly checkTimeoutMs: number
  /** How long results are cached. */
  readonly cacheMs: number
}

type CheckResults = Readonly<Record<string, HealthStatus>>

/**
 * Runs the health checks of an app, in parallel. Concurrent requests share one run, and its results are cached for `cacheMs`, so that
 * frequent probes do not load the database.
 */
export class HealthMonitor {
  readonly #options: HealthMonitorOptions
  readonly #failing = new Set<string>()
  #run: Promise<CheckResults> | null = null
  #validUntil = 0

  constructor(options: HealthMonitorOptions) {
    this.#options = options
  }

  async report(): Promise<HealthReport> {
    const checks = await this.#results()
    // Not cached: the start of a drain must be visible at once.
    const { connections, serving } = this.#options.vitals()
    const isAcceptable = ([name, status]: [string, HealthStatus]): boolean =>
      status === 'healthy' || this.#options.checks.get(name)?.required === false
    const healthy = serving && Object.entries(checks).every(isAcceptable)
    return {
      ...checks,
      status: healthy ? 'healthy' : 'unhealthy',
      websocket: { status: serving ? 'healthy' : 'unhealthy', active_connections: connections },
    }
  }

  #results(): Promise<CheckResults> {
    const { clock, cacheMs } = this.#options
    if (this.#run !== null && clock.monotonic() < this.#validUntil) return this.#run
    // A run that has not finished is shared, however long it takes.
    this.#validUntil = Number.POSITIVE_INFINITY
    this.#run = this.#runChecks().finally(() => {
      this.#validUntil = clock.monotonic() + cacheMs
    })
    return this.#run
  }

  async #runChecks(): Promise<CheckResults> {
    const { checks, clock, checkTimeoutMs } = this.#options
    const entries = [...checks].map(async ([name, { check }]): Promise<[string, HealthStatus]> => {
      try {
        await withTimeout(clock, checkTimeoutMs, 'The check', check)
        this.#logRecovered(name)
        return [name, 'healthy']
      } catch (error) {
        this.#logFailed(name, error)
        return [name, 'unhealthy']
      }
    })
    return Object.fromEntries(await Promise.all(entries))
  }

  /** Logs once per failure, not once per probe. */
  #logFailed(name: string, error: unknown): void {
    if (this.#failing.has(name)) return
    this.#failing.add(name)
    this.#options.log.warn({ err: error, check: name }, 'Health check failed')
  }

  #logRecovered(name: string): void {
    if (this.#failing.delete(name)) this.#options.log.info({ check: name }, 'Health check recovered')
  }
}
