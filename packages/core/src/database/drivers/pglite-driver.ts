import { isAbsolute, resolve } from 'node:path'
import type { PGlite } from '@electric-sql/pglite'
import { sql } from 'drizzle-orm'
import { PgDatabase } from 'drizzle-orm/pg-core'
import { BootError } from '../../base/boot-error.ts'
import { runInTransaction } from '../transaction.ts'
import type { TransactionMode } from '../transaction-options.ts'
import type { DatabaseDriver, DriverOptions } from './driver.ts'
import { Dialect } from './drizzle-dialect.ts'
import { DrizzleSession, toRelational } from './drizzle-session.ts'
import { lockFolder } from './folder-lock.ts'
import { importPeer } from './peer.ts'
import { PgliteConnection } from './pglite-connection.ts'
import { pgliteForm } from './pglite-results.ts'
import { Pool } from './pool.ts'
import { countCreated, watchPool } from './pool-instruments.ts'
import { Queries } from './queries.ts'
import type { Scope } from './scope.ts'

/** How long `close` waits for queries in flight: less than the app gives to a plugin. */
const closeLimitMs = 3000

/**
 * PGlite: a PostgreSQL inside this process, in memory or in a folder that one process at a time may use. It has one
 * connection: transactions wait for each other.
 */
export async function openPglite(options: DriverOptions): Promise<DatabaseDriver> {
  const { url, schema, pool: limits, meter, handOut, instruments, clock } = options
  const folder = toFolder(url)
  const { PGlite } = await importPeer('@electric-sql/pglite', () => import('@electric-sql/pglite'))
  const unlock = folder === null ? null : await lockFolder(folder)

  const server: PGlite = folder === null ? new PGlite() : new PGlite(folder)
  const one = { ...limits, max: 1, idleTimeoutMs: 0, maxLifetimeMs: 0, prePing: false }
  const connection = new PgliteConnection(server, clock)
  const pool = new Pool(() => connection, one, clock, countCreated(instruments))
  watchPool(instruments, pool, one)
  const queries = new Queries(pool, meter)
  const dialect = new Dialect()
  const relational = toRelational(schema)
  const sessionOf = (scope: Scope | null, mode: TransactionMode = {}) =>
    new DrizzleSession({ queries, scope, mode, handOut, form: pgliteForm, dialect, relational })
  const handleOf = (scope: Scope | null) => new PgDatabase(dialect, sessionOf(scope), relational)
  const db = handleOf(null)

  return {
    place: folder === null ? 'memory (PGlite)' : `${folder} (PGlite)`,
    embedded: true,
    db,
    bind: handleOf,
    ping: async () => {
      await db.execute(sql`select 1`)
    },
    transaction: (run, mode, scope) => runInTransaction((body) => sessionOf(scope, mode).transaction(body), run),
    // A process that has opened it is alone.
    exclusively: (run) => run({ db, holdsLock: () => true }),
    close: async () => {
      try {
        await pool.close(() => new Promise((done) => clock.timer(closeLimitMs, done)))
        // A pool that was never used has made no connection, and closes none.
        if (!server.closed) await server.close()
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
