import { createApp, staticFiles } from '@twinwire/core'
import { database } from '@twinwire/core/database'
import { type AuthOptions, auth } from '@twinwire/plugin-auth'
import { api } from './api.ts'
import type { Settings } from './settings.ts'

/** Puts the application together. Nothing is opened before it listens. `issuer`: where its users sign in. */
export function createShoppingApp(settings: Settings, issuer: AuthOptions) {
  return createApp({
    ...api,
    environment: settings.environment,
    // The page, at every path that no route has.
    endpoints: [staticFiles({ root: new URL('../public', import.meta.url), prefix: '/', access: 'public' })],
    plugins: [database({ ...settings.database, migrations: new URL('../drizzle', import.meta.url) }), auth(issuer)],
  })
}
