import { databaseSettings } from '@twinwire/core/database'
import { defineSettings, listenSettings, variable } from '@twinwire/core/settings'
import { metricsSettings } from '@twinwire/plugin-metrics'
import { rateLimitSettings } from '@twinwire/plugin-ratelimit'

/** Every variable that the application reads, from the environment and from the file `.env`. */
export const declaredSettings = defineSettings({
  // PORT, HOST
  listen: listenSettings,
  // DATABASE_URL and the size of the pool. Without them the database runs inside the process, with its files in .data.
  database: databaseSettings({ embedded: 'pglite://./.data' }),
  // RATE_LIMIT_PER_MINUTE, WS_MAX_CONNECTIONS_PER_USER and more.
  rateLimit: rateLimitSettings,
  // METRICS_PORT and more.
  metrics: metricsSettings,
  issuer: {
    port: variable.integer('DEVELOPMENT_ISSUER_PORT', {
      about: 'Port of 127.0.0.1 for the issuer of development; 0 for a free one',
      max: 65_535,
      default: 8081,
    }),
  },
})

export type Settings = ReturnType<typeof declaredSettings.read>
