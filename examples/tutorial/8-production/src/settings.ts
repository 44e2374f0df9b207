import { databaseSettings } from '@twinwire/core/database'
import {
  defineSettings,
  httpSettings,
  lifecycleSettings,
  listenSettings,
  logSettings,
  variable,
  websocketSettings,
} from '@twinwire/core/settings'
import { keycloakSettings } from '@twinwire/plugin-auth'
import { metricsSettings } from '@twinwire/plugin-metrics'
import { rateLimitSettings } from '@twinwire/plugin-ratelimit'
import { redisSettings } from '@twinwire/redis'

/** Every variable that the application reads, from the environment and from the file `.env`. */
export const declaredSettings = defineSettings({
  // PORT, HOST
  listen: listenSettings,
  // DRAIN_DELAY, DRAIN_TIMEOUT
  lifecycle: lifecycleSettings,
  // ALLOWED_HOSTS, TRUSTED_PROXIES
  http: httpSettings,
  // ALLOWED_WS_ORIGINS
  websocket: websocketSettings,
  // LOG_LEVEL
  log: logSettings,
  // DATABASE_URL and the size of the pool. Without them the database runs inside the process, which production refuses.
  database: databaseSettings({ embedded: 'pglite://./.data' }),
  // KEYCLOAK_BASE_URL, KEYCLOAK_REALM, KEYCLOAK_CLIENT_ID. Without them there is the issuer of development, which production refuses.
  keycloak: keycloakSettings,
  // REDIS_URL. Without it each process is by itself.
  redis: redisSettings,
  // RATE_LIMIT_PER_MINUTE, WS_MAX_CONNECTIONS_PER_USER and more.
  rateLimit: rateLimitSettings,
  // METRICS_PORT, METRICS_NETWORKS
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
