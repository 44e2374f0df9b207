//: if database
import { fileURLToPath } from 'node:url'
import { databaseSettings } from '@twinwire/core/database'
//: end
import {
  defineSettings,
  httpSettings,
  lifecycleSettings,
  listenSettings,
  logSettings,
  nativeServerSettings,
  //: if auth
  variable,
  //: end
  websocketSettings,
} from '@twinwire/core/settings'
//: if keycloak
import { keycloakSettings } from '@twinwire/plugin-auth'
//: end
//: if metrics
import { metricsSettings } from '@twinwire/plugin-metrics'
//: end
//: if limits
import { rateLimitSettings } from '@twinwire/plugin-ratelimit'
//: end
//: if redis
import { redisSettings } from '@twinwire/redis'
//: end

//: if database
// `src` and `dist` are siblings, so this is the folder of the project for both, in any working directory.
const dataFolder = fileURLToPath(new URL('../.data', import.meta.url))

//: end
/** Every variable that the application reads, once, at start: from the environment, and from `.env`. */
export const declaredSettings = defineSettings({
  listen: listenSettings,
  lifecycle: lifecycleSettings,
  http: httpSettings,
  websocket: websocketSettings,
  log: logSettings,
  nativeServer: nativeServerSettings,
  //: if database
  // Without variables of a database an embedded one is used; in production that is an error.
  database: databaseSettings({ embedded: `pglite://${dataFolder}` }),
  //: end
  //: if keycloak
  // Without a Keycloak users sign in at an issuer inside the process; outside development that is an error.
  keycloak: keycloakSettings,
  //: end
  //: if auth
  developmentIssuer: {
    port: variable.integer('DEVELOPMENT_ISSUER_PORT', {
      about: 'Port of 127.0.0.1 for the issuer of development; 0 for a free one',
      max: 65_535,
      default: 8081,
    }),
  },
  //: end
  //: if limits
  rateLimit: rateLimitSettings,
  //: end
  //: if metrics
  metrics: metricsSettings,
  //: end
  //: if redis
  redis: redisSettings,
  //: end
})

export type Settings = ReturnType<typeof declaredSettings.read>
