import { sql } from 'drizzle-orm'
import type { Sql } from 'postgres'
import { BootError } from '../../errors/boot-error.ts'
import { runInTransaction } from '../transaction.ts'
import { type DatabaseDriver, type DriverOptions, poolDefaults } from './driver.ts'
import { importPeer } from './peer.ts'
import { createDrizzleClient } from './postgres-client.ts'
import { type CreateClient, PostgresConnection } from './postgres-connection.ts'
import { PostgresPool } from './postgres-pool.ts'

/** Any number that no other user of the database picks for its advisory locks: the bytes of 'twinwire'. */
const lockId = '8392292353798926949'

/** How long `close` waits for queries in flight: less than the app gives to a plugin. */
const closeLimitMs = 3000

/** PostgreSQL over the network or a socket, by postgres.js. */
export async function openPostgres({ url, schema, pool: limits, log, clock }: DriverOptions): Promise<DatabaseDriver> {
  const { default: postgres } = await importPeer('postgres', () => import('postgres'))
  const { drizzle } = await import('drizzle-orm/postgres-js')
  const { migrate } = await import('drizzle-orm/postgres-js/migrator')
  const { max = poolDefaults.max, connectTimeoutMs = poolDefaults.connectTimeoutMs } = limits

  const createClient: CreateClient = (options) => {
    const made = postgres(url, {
      connect_timeout: connectTimeoutMs / 1000,
      // Its own default prints.
      onnotice: (notice) => log.debug({ notice: notice.message }, 'Notice of the database'),
      ...options,
    })
    Object.assign(made.options.parsers, client.options.parsers)
    Object.assign(made.options.serializers, client.options.serializers)
    return made
  }
  const pool = new PostgresPool(createClient, max)
  const client = createDrizzleClient(pool)
  // The client has what drizzle uses of postgres.js; its type asks for all of it.
  const db = drizzle({ client: client as unknown as Sql, ...(schema === undefined ? {} : { schema }) })

  return {
    place: toPlace(createClient),
    embedded: false,
    db,
    ping: async () => {
      await db.execute(sql`select 1`)
    },
    transaction: (run) => runInTransaction((body) => db.transaction(body), run),
    migrate: (folder) => migrate(db, { migrationsFolder: folder }),
    exclusively: async (run) => {
      // The lock is its session's, so it needs a connection of its own; it also goes when that connection is lost.
      const session = new PostgresConnection(createClient)
      try {
        await session.command(`select pg_advisory_lock(${lockId})`)
        return await run()
      } finally {
        await session.end()
      }
    },
    close: () => pool.close(() => new Promise((resolve) => clock.timer(closeLimitMs, resolve))),
  }
}

/** What postgres.js makes of the url. Clients connect when they are asked something: this one never is. */
function toPlace(createClient: CreateClient): string {
  try {
    const { host, port, path, database } = createClient({}).options
    // A socket's path stands for host and port.
    const servers = path ? [path] : host.map((name, index) => `${name}:${port[index]}`)
    return `${servers.join(',')}/${database}`
  } catch {
    // Without its cause: that one quotes the url, and with it the password.
    throw new BootError('bad_option', 'The url of database() cannot be read: postgres://user:password@host:5432/name')
  }
}
