import { fileURLToPath } from 'node:url'
import type { Environment } from '@twinwire/core'
import { databaseSettings } from '@twinwire/core/database'
import {
  clusterSettings,
  defineSettings,
  docsSettings,
  httpSettings,
  lifecycleSettings,
  listenSettings,
  logSettings,
  nativeServerSettings,
  settingsGroup,
  variable,
  websocketSettings,
} from '@twinwire/core/settings'
import { auditSettings } from '@twinwire/plugin-audit'
import { keycloakSettings } from '@twinwire/plugin-auth'
import { metricsSettings } from '@twinwire/plugin-metrics'
import { rateLimitSettings } from '@twinwire/plugin-ratelimit'
import { redisSettings } from '@twinwire/redis'

// `src` and `dist` are siblings, so this is the folder of the example for both, in any working directory.
const dataFolder = fileURLToPath(new URL('../.data', import.meta.url))

/** Every variable that the example reads; `docs_site/settings.md` is their table. Read in the entry file, once, at start. */
export const declaredSettings = defineSettings({
  listen: listenSettings,
  lifecycle: lifecycleSettings,
  cluster: clusterSettings,
  http: httpSettings,
  websocket: websocketSettings,
  log: logSettings,
  docs: docsSettings,
  nativeServer: nativeServerSettings,
  // Without variables of a database an embedded one is used; in production that is an error.
  database: databaseSettings({ embedded: `pglite://${dataFolder}` }),
  // Without a Keycloak users sign in at an issuer inside the process; in staging and production that is an error.
  keycloak: keycloakSettings,
  metrics: metricsSettings,
  audit: auditSettings,
  developmentIssuer: {
    port: variable.integer('DEVELOPMENT_ISSUER_PORT', {
      about: 'Port of 127.0.0.1 for the issuer that replaces Keycloak in development; 0 for a free one',
      max: 65_535,
      default: 8081,
    }),
  },
  profiling: {
    enabled: variable.flag('PROFILING_ENABLED', {
      about: 'Whether administrators may take CPU and heap profiles',
      defaults: { dev: true, test: true, staging: true, production: false },
    }),
  },
  rateLimit: rateLimitSettings,
  circuitBreakers: {
    enabled: variable.flag('CIRCUIT_BREAKER_ENABLED', {
      about: 'Whether circuit breakers stop requests to services that keep failing',
      default: true,
    }),
  },
  // Without Redis each process applies the limits and publishes on its own, which is too little for production.
  redis: settingsGroup({
    ...redisSettings,
    check(state) {
      const named = (['url', 'cluster', 'host', 'port', 'db', 'password'] as const).some((key) => state.isSet(key))
      if (state.environment === 'production' && !named)
        return [
          'REDIS_URL is not set: set it to redis://user:password@host:6379/0, so that limits and publications hold over all processes',
        ]
      return redisSettings.check(state)
    },
  }),
})

export type Settings = ReturnType<typeof declaredSettings.read>

/** Where the console, its users and the issuer inside the process may be. Elsewhere others can reach the app. */
export function isDevelopmentIn(environment: Environment): boolean {
  return environment === 'dev' || environment === 'test'
}
