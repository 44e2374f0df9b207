import type { Clock } from '../clock/clock.ts'
import type { MaybePromise } from '../util/maybe-promise.ts'

/** Resolves when the part works; throws or rejects when it does not. What it throws is logged and not shown. */
export type HealthCheck = () => MaybePromise<void>

export type HealthStatus = 'healthy' | 'unhealthy'

/** Body of `GET /health`: one member for each check, beside `status` and `websocket`. */
export interface HealthReport {
  readonly status: HealthStatus
  readonly websocket: { readonly status: HealthStatus; readonly active_connections: number }
  readonly [name: string]: HealthStatus | HealthReport['websocket']
}

/** How long one check may take. */
const checkTimeoutMs = 2000

/** Runs all checks side by side; one that fails or takes too long is unhealthy. */
export async function runHealthChecks(
  checks: ReadonlyMap<string, HealthCheck>,
  clock: Clock,
  onFailure: (name: string, error: unknown) => void,
): Promise<Record<string, HealthStatus>> {
  const entries = [...checks].map(async ([name, check]): Promise<[string, HealthStatus]> => {
    try {
      await withTimeout(clock, check)
      return [name, 'healthy']
    } catch (error) {
      onFailure(name, error)
      return [name, 'unhealthy']
    }
  })
  return Object.fromEntries(await Promise.all(entries))
}

function withTimeout(clock: Clock, check: HealthCheck): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = clock.timer(checkTimeoutMs, () => reject(new Error(`The check took more than ${checkTimeoutMs} ms`)))
    Promise.resolve()
      .then(check)
      .then(resolve, reject)
      .finally(() => timer.cancel())
  })
}
