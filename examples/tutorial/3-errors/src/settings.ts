import { databaseSettings } from '@twinwire/core/database'
import { defineSettings, listenSettings } from '@twinwire/core/settings'

/** Every variable that the application reads, from the environment and from the file `.env`. */
export const declaredSettings = defineSettings({
  // PORT, HOST
  listen: listenSettings,
  // DATABASE_URL and the size of the pool. Without them the database runs inside the process, with its files in .data.
  database: databaseSettings({ embedded: 'pglite://./.data' }),
})

export type Settings = ReturnType<typeof declaredSettings.read>
