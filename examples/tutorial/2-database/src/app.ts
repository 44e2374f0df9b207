import { createApp } from '@twinwire/core'
import { database } from '@twinwire/core/database'
import { api } from './api.ts'
import type { Settings } from './settings.ts'

/** Puts the application together. Nothing is opened before it listens. */
export function createShoppingApp(settings: Settings) {
  return createApp({
    ...api,
    environment: settings.environment,
    plugins: [database({ ...settings.database, migrations: new URL('../drizzle', import.meta.url) })],
  })
}
