import { createApp, staticFiles } from '@twinwire/core'
import { database } from '@twinwire/core/database'
import { type AuthOptions, auth } from '@twinwire/plugin-auth'
import { metrics } from '@twinwire/plugin-metrics'
import { rateLimit } from '@twinwire/plugin-ratelimit'
import { api } from './api.ts'
import { addPhoto, getPhoto } from './photos/photo.routes.ts'
import type { Settings } from './settings.ts'

/** Puts the application together. Nothing is opened before it listens. `issuer`: where its users sign in. */
export function createShoppingApp(settings: Settings, issuer: AuthOptions) {
  return createApp({
    ...api,
    environment: settings.environment,
    // Over HTTP alone. The page is at every path that no route has.
    endpoints: [
      addPhoto,
      getPhoto,
      staticFiles({ root: new URL('../public', import.meta.url), prefix: '/', access: 'public' }),
    ],
    plugins: [
      database({ ...settings.database, migrations: new URL('../drizzle', import.meta.url), outbox: {} }),
      auth(issuer),
      rateLimit(settings.rateLimit),
      metrics(settings.metrics),
    ],
  })
}
