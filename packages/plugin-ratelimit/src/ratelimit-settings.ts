import { type SettingsGroup, settingsGroup, variable } from '@twinwire/core/settings'
import type { LimitOptions } from './limit-rule.ts'
import { breakerRules, limitDefaults, perIdentityRule } from './options.ts'
import type { OnStoreError } from './remote/guarded-store.ts'

/** Options for `rateLimit({ ...settings.rateLimit, store })`. */
export interface RateLimitSettings {
  readonly enabled: boolean
  readonly onStoreError: OnStoreError
  readonly http: LimitOptions
  readonly files: LimitOptions
  readonly websocket: LimitOptions
  readonly connections: { readonly perIdentity: number }
  readonly breaker: { readonly failures: number; readonly resetMs: number }
}

const failModes = { open: 'allow', closed: 'deny' } as const

/**
 * `RATE_LIMIT_ENABLED`, `RATE_LIMIT_PER_MINUTE`, `RATE_LIMIT_BURST`, `RATE_LIMIT_FILES_PER_MINUTE`, `RATE_LIMIT_FILES_BURST`, `RATE_LIMIT_FAIL_MODE`, `WS_MESSAGE_RATE_LIMIT`,
 * `WS_MAX_CONNECTIONS_PER_USER`, `REDIS_CIRCUIT_BREAKER_FAIL_MAX`, `REDIS_CIRCUIT_BREAKER_TIMEOUT`.
 *
 * @example
 * const settings = defineSettings({ rateLimit: rateLimitSettings }).read()
 * const plugin = rateLimit(settings.rateLimit)
 */
export const rateLimitSettings: SettingsGroup<RateLimitSettings> = settingsGroup({
  variables: {
    enabled: variable.flag('RATE_LIMIT_ENABLED', { about: 'Enables rate and connection limits', default: true }),
    perMinute: variable.integer('RATE_LIMIT_PER_MINUTE', {
      about: 'HTTP requests per minute of one user, or of one address without a user',
      min: 1,
      max: 100_000,
      default: limitDefaults.http.points,
    }),
    burst: variable.integer('RATE_LIMIT_BURST', {
      about: 'Additional requests that may arrive at once',
      max: 100_000,
      default: limitDefaults.http.burst,
    }),
    filesPerMinute: variable.integer('RATE_LIMIT_FILES_PER_MINUTE', {
      about: 'Requests for static files per minute of one user, or of one address without a user',
      min: 1,
      max: 100_000,
      default: limitDefaults.files.points,
    }),
    filesBurst: variable.integer('RATE_LIMIT_FILES_BURST', {
      about: 'Additional requests for static files that may arrive at once',
      max: 100_000,
      default: limitDefaults.files.burst,
    }),
    failMode: variable.oneOf('RATE_LIMIT_FAIL_MODE', ['open', 'closed'], {
      about: 'When Redis fails, `open` accepts calls without limits and `closed` refuses them',
      optional: true,
      whenUnset: 'each process applies its limits on its own',
    }),
    messages: variable.integer('WS_MESSAGE_RATE_LIMIT', {
      about: 'WebSocket packages per minute of one user, over all connections',
      min: 1,
      max: 100_000,
      default: limitDefaults.websocket.points,
    }),
    connections: variable.option('WS_MAX_CONNECTIONS_PER_USER', perIdentityRule, {
      about: 'Open connections of one user',
    }),
    failures: variable.option('REDIS_CIRCUIT_BREAKER_FAIL_MAX', breakerRules.failures, {
      about: 'Consecutive failures after which Redis is not called for a while',
    }),
    resetMs: variable.option('REDIS_CIRCUIT_BREAKER_TIMEOUT', breakerRules.resetMs, {
      about: 'Time after which Redis is tried again',
    }),
  },
  to: ({
    enabled,
    perMinute,
    burst,
    filesPerMinute,
    filesBurst,
    failMode,
    messages,
    connections,
    failures,
    resetMs,
  }) => ({
    enabled,
    onStoreError: failMode === undefined ? 'local' : failModes[failMode],
    http: { points: perMinute, per: '1m', burst },
    files: { points: filesPerMinute, per: '1m', burst: filesBurst },
    websocket: { points: messages, per: '1m' },
    connections: { perIdentity: connections },
    breaker: { failures, resetMs },
  }),
})
