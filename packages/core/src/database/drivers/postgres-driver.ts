import { sql } from 'drizzle-orm'
import { PgDatabase } from 'drizzle-orm/pg-core'
import { BootError } from '../../base/boot-error.ts'
import type { CounterCell } from '../../base/cells.ts'
import { runInTransaction } from '../transaction.ts'
import type { TransactionMode } from '../transaction-options.ts'
import { lockDatabase } from './database-lock.ts'
import type { DatabaseDriver, DriverOptions } from './driver.ts'
import { Dialect } from './drizzle-dialect.ts'
import { DrizzleSession, toRelational } from './drizzle-session.ts'
import { importPeer } from './peer.ts'
import { Pool, type PoolLimits } from './pool.ts'
import { countCreated, watchPool } from './pool-instruments.ts'
import {
  type CreateClient,
  PostgresConnection,
  type PostgresConnectionOptions,
  type PostgresForm,
} from './postgres-connection.ts'
import { postgresForm, useTexts } from './postgres-results.ts'
import { Queries } from './queries.ts'
import type { Scope } from './scope.ts'
import { startParameters, toSetCommands } from './session-settings.ts'

/** How long `close` waits for queries in flight: less than the app gives to a plugin. */
const closeLimitMs = 3000

/** Statements that a connection prepares. They take memory of the server's, and a server of many apps has many connections. */
const maxPrepared = 100

/** PostgreSQL over the network or a socket, by postgres.js. */
export async function openPostgres(options: DriverOptions): Promise<DatabaseDriver> {
  const { url, schema, pool: limits, meter, handOut, instruments, log, clock } = options
  const { default: postgres } = await importPeer('postgres', () => import('postgres'))
  const { connectTimeoutMs, statementTimeoutMs, applicationName, pgBouncer } = limits

  const clientsOf =
    (session: Record<string, string | number>): CreateClient =>
    (more) => {
      const made = postgres(url, {
        connect_timeout: connectTimeoutMs / 1000,
        // Its own default prints.
        onnotice: (notice) => log.debug({ notice: notice.message }, 'Notice of the database'),
        connection: { application_name: applicationName, ...startParameters(pgBouncer), ...session },
        ...more,
      })
      useTexts(made.options)
      return made
    }
  // PgBouncer refuses a connection that wants a setting which it does not know.
  const timeout = pgBouncer || statementTimeoutMs === 0 ? {} : { statement_timeout: statementTimeoutMs }
  const connectionOptions: Omit<PostgresConnectionOptions, 'onStale'> = {
    clock,
    statementTimeoutMs: pgBouncer ? statementTimeoutMs : 0,
    maxPrepared: pgBouncer ? 0 : maxPrepared,
  }
  // Prepares nothing: nothing gets stale.
  const patient: PostgresConnectionOptions = { clock, statementTimeoutMs: 0, maxPrepared: 0, onStale: () => {} }
  const openPool = (
    poolLimits: PoolLimits,
    create: CreateClient,
    made: Omit<PostgresConnectionOptions, 'onStale'>,
  ): Pool<PostgresConnection> => {
    const onStale = (connection: PostgresConnection): void => opened.renew(connection)
    const opened = new Pool(() => new PostgresConnection(create, { ...made, onStale }), poolLimits, clock, created)
    return opened
  }

  const created: CounterCell = countCreated(instruments)
  const pool = openPool(limits, clientsOf(timeout), connectionOptions)
  watchPool(instruments, pool, limits)
  const atBegin = pgBouncer ? toSetCommands('local') : ''
  const queries = new Queries(pool, meter, atBegin)
  const dialect = new Dialect()
  const relational = toRelational(schema)
  const sessionOf = (from: Queries<PostgresForm>, scope: Scope | null, mode: TransactionMode = {}) =>
    new DrizzleSession({
      queries: from,
      scope,
      mode,
      handOut,
      form: postgresForm,
      dialect,
      relational,
    })
  const handleOf = (from: Queries<PostgresForm>, scope: Scope | null) =>
    new PgDatabase(dialect, sessionOf(from, scope), relational)
  const db = handleOf(queries, null)
  const close = (each: Pool<PostgresConnection>): Promise<void> =>
    each.close(() => new Promise((resolve) => clock.timer(closeLimitMs, resolve)))

  return {
    place: toPlace(clientsOf({})),
    embedded: false,
    db,
    bind: (scope) => handleOf(queries, scope),
    ping: async () => {
      await db.execute(sql`select 1`)
    },
    transaction: (run, mode, scope) =>
      runInTransaction((body) => sessionOf(queries, scope, mode).transaction(body), run),
    exclusively: async (run) => {
      const locking = new PostgresConnection(clientsOf({}), patient)
      const once = openPool({ ...limits, max: 1, acquireTimeoutMs: 0 }, clientsOf({}), patient)
      try {
        await lockDatabase(locking, { clock, log })
        return await run({ db: handleOf(new Queries(once, meter, atBegin), null), holdsLock: () => !locking.lost })
      } finally {
        await locking.end()
        await close(once)
      }
    },
    close: () => close(pool),
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
