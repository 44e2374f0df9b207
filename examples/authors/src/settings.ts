import { fileURLToPath } from 'node:url'
import { databaseSettings } from '@twinwire/core/database'
import {
  defineSettings,
  httpSettings,
  lifecycleSettings,
  listenSettings,
  logSettings,
  nativeServerSettings,
  settingsGroup,
  variable,
  websocketSettings,
} from '@twinwire/core/settings'
import { keycloakSettings } from '@twinwire/plugin-auth'
import { metricsSettings } from '@twinwire/plugin-metrics'
import { rateLimitSettings, redisSettings } from '@twinwire/plugin-ratelimit'

// `src` and `dist` lie side by side, so this is the example's own folder for both, wherever it is started from.
const dataFolder = fileURLToPath(new URL('../.data', import.meta.url))

/** Every variable that the example reads; `docs_site/settings.md` is their table. Read in the entry file, once, at start. */
export const declaredSettings = defineSettings({
  listen: listenSettings,
  lifecycle: lifecycleSettings,
  http: httpSettings,
  websocket: websocketSettings,
  log: logSettings,
  nativeServer: nativeServerSettings,
  // With no variable of a database it runs on one inside the process; production refuses that.
  database: databaseSettings({ embedded: `pglite://${dataFolder}` }),
  // With no Keycloak its users sign in at an issuer inside the process; production refuses that too.
  keycloak: keycloakSettings,
  metrics: metricsSettings,
  developmentIssuer: {
    port: variable.integer('DEVELOPMENT_ISSUER_PORT', {
      about: 'Port, on this machine only, of the issuer that stands in for Keycloak in development; 0 takes a free one',
      max: 65_535,
      default: 8081,
    }),
  },
  // Parts of the Python reference system that are not here: whoever relies on one learns it at start.
  parts: settingsGroup({
    variables: {},
    unsupported: {
      AUDIT_LOG_ENABLED: 'there is no audit log; take it out',
      PROFILING_ENABLED: 'there are no profiling endpoints; take it out',
    },
    to: () => null,
  }),
  rateLimit: rateLimitSettings,
  circuitBreakers: {
    enabled: variable.flag('CIRCUIT_BREAKER_ENABLED', {
      about: 'Whether services that fail again and again are left alone for a while',
      default: true,
    }),
  },
  // With no Redis each process limits by itself, which is less than production was promised.
  redis: settingsGroup({
    ...redisSettings,
    check(state) {
      const named = (['url', 'cluster', 'host', 'port', 'db', 'password'] as const).some((key) => state.isSet(key))
      if (state.environment === 'production' && !named)
        return [
          'REDIS_URL is not set: set it to redis://user:password@host:6379/0, so that limits hold over all processes',
        ]
      return redisSettings.check(state)
    },
  }),
})

export type Settings = ReturnType<typeof declaredSettings.read>
