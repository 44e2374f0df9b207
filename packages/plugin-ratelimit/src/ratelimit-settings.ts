import { type SettingsGroup, settingsGroup, variable } from '@twinwire/core/settings'
import type { LimitOptions } from './limit-rule.ts'
import { limitDefaults } from './options.ts'
import type { OnStoreError } from './remote/guarded-store.ts'
import { breakerDefaults } from './remote/store-breaker.ts'

/** For `rateLimit({ ...settings.rateLimit, store })`. */
export interface RateLimitSettings {
  readonly enabled: boolean
  readonly onStoreError: OnStoreError
  readonly http: LimitOptions
  readonly websocket: LimitOptions
  readonly connections: { readonly perIdentity: number }
  readonly breaker: { readonly failures: number; readonly resetMs: number }
}

const failModes = { open: 'allow', closed: 'deny' } as const

/**
 * `RATE_LIMIT_ENABLED`, `RATE_LIMIT_PER_MINUTE`, `RATE_LIMIT_BURST`, `RATE_LIMIT_FAIL_MODE`, `WS_MESSAGE_RATE_LIMIT`,
 * `WS_MAX_CONNECTIONS_PER_USER`, `REDIS_CIRCUIT_BREAKER_FAIL_MAX`, `REDIS_CIRCUIT_BREAKER_TIMEOUT`.
 *
 * @example
 * const settings = defineSettings({ rateLimit: rateLimitSettings }).read()
 * const plugin = rateLimit(settings.rateLimit)
 */
export const rateLimitSettings: SettingsGroup<RateLimitSettings> = settingsGroup({
  variables: {
    enabled: variable.flag('RATE_LIMIT_ENABLED', { about: 'Whether anything is limited', default: true }),
    perMinute: variable.integer('RATE_LIMIT_PER_MINUTE', {
      about: 'Requests over HTTP of one user, or of one address without a user, in a minute',
      min: 1,
      max: 100_000,
      default: limitDefaults.http.points,
    }),
    burst: variable.integer('RATE_LIMIT_BURST', {
      about: 'Requests that may come at once above that',
      max: 100_000,
      default: limitDefaults.http.burst,
    }),
    failMode: variable.oneOf('RATE_LIMIT_FAIL_MODE', ['open', 'closed'], {
      about: 'What happens when Redis fails: `open` lets calls pass, `closed` refuses them',
      optional: true,
      whenUnset: 'each process limits by itself',
    }),
    messages: variable.integer('WS_MESSAGE_RATE_LIMIT', {
      about: 'Packages of one user in a minute, all connections together',
      min: 1,
      max: 100_000,
      default: limitDefaults.websocket.points,
    }),
    connections: variable.integer('WS_MAX_CONNECTIONS_PER_USER', {
      about: 'Connections of one user that may be open at once',
      min: 1,
      max: 1_000_000,
      default: limitDefaults.connectionsPerIdentity,
    }),
    failures: variable.integer('REDIS_CIRCUIT_BREAKER_FAIL_MAX', {
      about: 'Failures in a row after which Redis is left alone for a while',
      min: 1,
      max: 1_000_000,
      default: breakerDefaults.failures,
    }),
    resetMs: variable.duration('REDIS_CIRCUIT_BREAKER_TIMEOUT', {
      about: 'How long that is',
      min: 1,
      max: 86_400_000,
      default: breakerDefaults.resetMs,
    }),
  },
  to: ({ enabled, perMinute, burst, failMode, messages, connections, failures, resetMs }) => ({
    enabled,
    onStoreError: failMode === undefined ? 'local' : failModes[failMode],
    http: { points: perMinute, per: '1m', burst },
    websocket: { points: messages, per: '1m' },
    connections: { perIdentity: connections },
    breaker: { failures, resetMs },
  }),
})
