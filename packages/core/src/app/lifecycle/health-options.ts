import { BootError } from '../../base/boot-error.ts'
import { checkKeys } from '../../route/route-definition.ts'

/** What `createApp({ health })` takes. */
export interface HealthOptions {
  /** Where the report is; `/live` and `/ready` lie beneath it. Default `/health`. */
  readonly path?: `/${string}`
  /** How long one check may take before it counts as failed. Default 2000. */
  readonly checkTimeoutMs?: number
  /** How long results hold, so that many probes are one. Default 1000. */
  readonly cacheMs?: number
}

/** With defaults; null: no health routes. */
export type ResolvedHealthOptions = Required<HealthOptions> | null

export function resolveHealthOptions(options: HealthOptions | false = {}): ResolvedHealthOptions {
  if (options === false) return null
  checkKeys(options, ['path', 'checkTimeoutMs', 'cacheMs'], 'createApp({ health })')
  const { path = '/health', checkTimeoutMs = 2000, cacheMs = 1000 } = options
  if (!/^(\/[\w.~-]+)+$/.test(path))
    throw new BootError('bad_option', `health.path must be a plain path such as '/health', not '${path}'`)
  if (!Number.isFinite(checkTimeoutMs) || checkTimeoutMs <= 0 || checkTimeoutMs > 60_000)
    throw new BootError('bad_option', `health.checkTimeoutMs must be over 0 and at most 60000, not ${checkTimeoutMs}`)
  if (!Number.isFinite(cacheMs) || cacheMs < 0 || cacheMs > 60_000)
    throw new BootError('bad_option', `health.cacheMs must be 0 to 60000, not ${cacheMs}`)
  return { path, checkTimeoutMs, cacheMs }
}
