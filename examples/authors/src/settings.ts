import { fileURLToPath } from 'node:url'
import {
  defineSettings,
  httpSettings,
  lifecycleSettings,
  listenSettings,
  logSettings,
  websocketSettings,
} from '@twinwire/core'
import { databaseSettings } from '@twinwire/core/database'

// `src` and `dist` lie side by side, so this is the example's own folder for both, wherever it is started from.
const dataFolder = fileURLToPath(new URL('../.data', import.meta.url))

/** Every variable that the example reads; `docs_site/settings.md` is their table. Read in the entry file, once, at start. */
export const declaredSettings = defineSettings({
  listen: listenSettings,
  lifecycle: lifecycleSettings,
  http: httpSettings,
  websocket: websocketSettings,
  log: logSettings,
  // With no variable of a database it runs on one inside the process; production refuses that.
  database: databaseSettings({ embedded: `pglite://${dataFolder}` }),
})

export type Settings = ReturnType<typeof declaredSettings.read>
