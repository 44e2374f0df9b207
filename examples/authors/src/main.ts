import { BootError, closeOnSignals, createApp } from '@twinwire/core'
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
import { printWelcome } from './print-welcome.ts'
import { readSettings } from './settings.ts'

const websocketPath = '/web'

async function main(): Promise<void> {
  const settings = readSettings(process.env)
  const app = createApp({
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
        url: settings.databaseUrl,
        migrations: new URL('../drizzle', import.meta.url),
        onStart: seedAuthors,
      }),
    ],
    // There is no authentication yet: whoever reaches the port may read and write. With a plugin that owns identity this
    // line goes, and every route that does not say `access: 'public'` is closed.
    defaultAccess: 'public',
    websocket: { path: websocketPath },
  })
  closeOnSignals(app)
  const { url } = await app.listen({ host: settings.host, port: settings.port })
  printWelcome(url, websocketPath)
}

main().catch((error: unknown) => {
  // A BootError says in a sentence what to change; of anything else the stack is needed.
  console.error(error instanceof BootError ? error.message : error)
  process.exitCode = 1
})
