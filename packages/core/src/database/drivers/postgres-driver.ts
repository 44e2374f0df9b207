import { sql } from 'drizzle-orm'
import type { Options, Sql } from 'postgres'
import { BootError } from '../../errors/boot-error.ts'
import { runInTransaction } from '../transaction.ts'
import type { DatabaseDriver, DriverOptions } from './driver.ts'
import { importPeer } from './peer.ts'

/** Any number that no other user of the database picks for its advisory locks: 'twinwire' as bytes, cut to 63 bits. */
const lockId = '8392585648256086629'

/** PostgreSQL over the network or a socket, by postgres.js. */
export async function openPostgres({ url, schema, pool, log }: DriverOptions): Promise<DatabaseDriver> {
  const { default: postgres } = await importPeer('postgres', () => import('postgres'))
  const { drizzle } = await importPeer('drizzle-orm', () => import('drizzle-orm/postgres-js'))
  const { migrate } = await import('drizzle-orm/postgres-js/migrator')
  const { max = 10, idleTimeoutMs, connectTimeoutMs = 10_000 } = pool

  const connect = (connections: number): Sql => {
    const options: Options<Record<string, never>> = {
      max: connections,
      connect_timeout: connectTimeoutMs / 1000,
      ...(idleTimeoutMs === undefined ? {} : { idle_timeout: idleTimeoutMs / 1000 }),
      // Its own default grows to 20 s, during which calls wait although the server is back.
      backoff: (failures) => Math.min(2 ** failures / 50, 1),
      // Its own default prints.
      onnotice: (notice) => log.debug({ notice: notice.message }, 'Notice of the database'),
    }
    try {
      return postgres(url, options)
    } catch {
      // Without its cause: that one quotes the url, and with it the password.
      throw new BootError('bad_option', 'The url of database() cannot be read: postgres://user:password@host:5432/name')
    }
  }

  const client = connect(max)
  const db = drizzle({ client, ...(schema === undefined ? {} : { schema }) })

  return {
    place: toPlace(client),
    embedded: false,
    db,
    ping: async () => {
      await db.execute(sql`select 1`)
    },
    transaction: (run) => runInTransaction((body) => db.transaction(body), run),
    migrate: (folder) => migrate(db, { migrationsFolder: folder }),
    exclusively: async (run) => {
      // The lock is its session's, so it needs a connection of its own; it also goes when that connection is lost.
      const session = connect(1)
      try {
        await session`select pg_advisory_lock(${lockId}::bigint)`
        return await run()
      } finally {
        await session.end({ timeout: 1 })
      }
    },
    close: () => client.end({ timeout: 3 }),
  }
}

function toPlace(client: Sql): string {
  const { host, port, path, database } = client.options
  // A socket's path stands for host and port.
  const servers = path ? [path] : host.map((name, index) => `${name}:${port[index]}`)
  return `${servers.join(',')}/${database}`
}
