import { isAbsolute, resolve } from 'node:path'
import { sql } from 'drizzle-orm'
import { BootError } from '../../errors/boot-error.ts'
import { runInTransaction } from '../transaction.ts'
import type { DatabaseDriver, DriverOptions } from './driver.ts'
import { lockFolder } from './folder-lock.ts'
import { importPeer } from './peer.ts'

/**
 * PGlite: a PostgreSQL inside this process, in memory or in a folder that one process at a time may use. It has one
 * connection: transactions wait for each other.
 */
export async function openPglite({ url, schema }: DriverOptions): Promise<DatabaseDriver> {
  const folder = toFolder(url)
  const { PGlite } = await importPeer('@electric-sql/pglite', () => import('@electric-sql/pglite'))
  const { drizzle } = await import('drizzle-orm/pglite')
  const { migrate } = await import('drizzle-orm/pglite/migrator')
  const unlock = folder === null ? null : await lockFolder(folder)

  const client = folder === null ? new PGlite() : new PGlite(folder)
  const db = drizzle({ client, ...(schema === undefined ? {} : { schema }) })

  return {
    place: folder === null ? 'memory (PGlite)' : `${folder} (PGlite)`,
    embedded: true,
    db,
    ping: async () => {
      await db.execute(sql`select 1`)
    },
    transaction: (run) => runInTransaction((body) => db.transaction(body), run),
    migrate: (to) => migrate(db, { migrationsFolder: to }),
    exclusively: (run) => run(),
    close: async () => {
      try {
        await client.close()
      } finally {
        await unlock?.()
      }
    },
  }
}

/** Null stands for memory. */
function toFolder(url: string): string | null {
  const rest = url.replace(/^pglite:\/\//, '')
  if (rest === 'memory') return null
  if (/^\.{1,2}[/\\]/.test(rest) || isAbsolute(rest)) return resolve(rest)
  throw new BootError(
    'bad_option',
    `The url of database() cannot be read: '${url}' is none of pglite://memory, pglite://./folder, pglite:///absolute/folder`,
  )
}
