import { createApp } from '@twinwire/core'
import { database } from '@twinwire/core/database'
import {
  authorCreated,
  createAuthor,
  deleteAuthor,
  getAuthor,
  getAuthors,
  getPaginatedAuthors,
  updateAuthor,
} from './authors/author.routes.ts'
import { seedAuthors } from './authors/seed-authors.ts'
import { PkgID } from './pkg-ids.ts'
import type { Settings } from './settings.ts'

export const websocketPath = '/web'

/** Composes the application. Nothing is opened before it is started. */
export function createAuthorsApp(settings: Settings) {
  return createApp({
    environment: settings.environment,
    pkgIds: PkgID,
    routes: {
      GET_AUTHORS: getAuthors,
      GET_PAGINATED_AUTHORS: getPaginatedAuthors,
      CREATE_AUTHOR: createAuthor,
      UPDATE_AUTHOR: updateAuthor,
      DELETE_AUTHOR: deleteAuthor,
    },
    events: { AUTHOR_CREATED: authorCreated },
    endpoints: [getAuthor],
    plugins: [
      database({
        ...settings.database,
        migrations: new URL('../drizzle', import.meta.url),
        onStart: seedAuthors,
      }),
    ],
    // There is no authentication yet: whoever reaches the port may read and write. With a plugin that owns identity this
    // line goes, and every route that does not say `access: 'public'` is closed.
    defaultAccess: 'public',
    http: settings.http,
    websocket: { path: websocketPath, ...settings.websocket },
    log: settings.log.level,
    ...settings.lifecycle,
  })
}
