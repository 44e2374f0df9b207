import type { Clock } from '../../base/clock.ts'
import type { Logger } from '../../base/logger.ts'
import type { HealthCheck, HealthPart } from '../../plugin/health.ts'

export type HealthStatus = 'healthy' | 'unhealthy'

/** Body of `GET /health`: one member for each check, beside `status` and `websocket`. */
export interface HealthReport {
  readonly status: HealthStatus
  readonly websocket: { readonly status: HealthStatus; readonly active_connections: number }
  readonly [name: string]: HealthStatus | HealthReport['websocket']
}

interface HealthMonitorOptions {
  /** Read at each round: plugins register while the app boots. */
  readonly checks: ReadonlyMap<string, HealthPart>
  readonly clock: Clock
  readonly log: Logger
  /** Connections of this process, and whether the app serves. */
  readonly vitals: () => { readonly connections: number; readonly serving: boolean }
  /** How long one check may take. */
  readonly checkTimeoutMs: number
  /** How long the results of a round hold. */
  readonly cacheMs: number
}

type CheckResults = Readonly<Record<string, HealthStatus>>

/**
 * Knows whether the parts of an app work. All checks run side by side; whoever asks while they do gets the same round, and what
 * it found holds for a moment: however often probes come, a database sees one of them a second.
 */
export class HealthMonitor {
  readonly #options: HealthMonitorOptions
  readonly #failing = new Set<string>()
  #round: Promise<CheckResults> | null = null
  #validUntil = 0

  constructor(options: HealthMonitorOptions) {
    this.#options = options
  }

  async report(): Promise<HealthReport> {
    const checks = await this.#results()
    // Not cached: a drain that has begun has to be seen at once.
    const { connections, serving } = this.#options.vitals()
    const isFine = ([name, status]: [string, HealthStatus]): boolean =>
      status === 'healthy' || this.#options.checks.get(name)?.required === false
    const healthy = serving && Object.entries(checks).every(isFine)
    return {
      ...checks,
      status: healthy ? 'healthy' : 'unhealthy',
      websocket: { status: serving ? 'healthy' : 'unhealthy', active_connections: connections },
    }
  }

  #results(): Promise<CheckResults> {
    const { clock, cacheMs } = this.#options
    if (this.#round !== null && clock.monotonic() < this.#validUntil) return this.#round
    // Until it has ended the round holds, however long it takes.
    this.#validUntil = Number.POSITIVE_INFINITY
    this.#round = this.#runChecks().finally(() => {
      this.#validUntil = clock.monotonic() + cacheMs
    })
    return this.#round
  }

  async #runChecks(): Promise<CheckResults> {
    const { checks } = this.#options
    const entries = [...checks].map(async ([name, { check }]): Promise<[string, HealthStatus]> => {
      try {
        await this.#withTimeout(check)
        this.#tellWorks(name)
        return [name, 'healthy']
      } catch (error) {
        this.#tellFails(name, error)
        return [name, 'unhealthy']
      }
    })
    return Object.fromEntries(await Promise.all(entries))
  }

  /** Once for each failure and not for each probe. */
  #tellFails(name: string, error: unknown): void {
    if (this.#failing.has(name)) return
    this.#failing.add(name)
    this.#options.log.warn({ err: error, check: name }, 'A health check failed')
  }

  #tellWorks(name: string): void {
    if (this.#failing.delete(name)) this.#options.log.info({ check: name }, 'A health check succeeds again')
  }

  #withTimeout(check: HealthCheck): Promise<void> {
    const { clock, checkTimeoutMs } = this.#options
    return new Promise((resolve, reject) => {
      const timer = clock.timer(checkTimeoutMs, () =>
        reject(new Error(`The check took more than ${checkTimeoutMs} ms`)),
      )
      Promise.resolve()
        .then(check)
        .then(resolve, reject)
        .finally(() => timer.cancel())
    })
  }
}
