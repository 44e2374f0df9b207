import { sql } from 'drizzle-orm'
import { PgDatabase } from 'drizzle-orm/pg-core'
import type { CounterCell } from '../../base/cells.ts'
import type { Clock } from '../../base/clock.ts'
import type { Instruments } from '../../base/instruments.ts'
import type { Logger } from '../../base/logger.ts'
import type { Operations } from '../../base/operations.ts'
import type { Database } from '../database.ts'
import { runInTransaction } from '../transaction.ts'
import type { TransactionMode } from '../transaction-options.ts'
import type { Connection } from './connection.ts'
import { openSource } from './connection-source.ts'
import { lockDatabase } from './database-lock.ts'
import { DatabaseOperations } from './database-operations.ts'
import type { OpenDriver } from './driver.ts'
import { Dialect } from './drizzle-dialect.ts'
import { DrizzleSession, toRelational } from './drizzle-session.ts'
import type { DropSafe } from './drop-safe-session.ts'
import type { FirstStatement } from './first-statement.ts'
import { Pool, type PoolLimits } from './pool.ts'
import { countCreated, watchPool } from './pool-instruments.ts'
import type { PoolOptions } from './pool-options.ts'
import { Queries } from './queries.ts'
import type { QueryMeter } from './query-meter.ts'
import type { Scope } from './scope.ts'

/** The handles of one database. Opening does not connect: `ping` does. */
export interface OpenDatabase {
  /** Where the database is, for messages; without credentials. */
  readonly location: string
  /** Inside this process. */
  readonly embedded: boolean
  /** The pool's handle, for no call. */
  readonly db: Database
  /** The same pool, on behalf of `scope`. */
  bind(scope: Scope): Database
  /** Sends a statement. Rejects with the driver's error. */
  ping(): Promise<void>
  transaction<T>(
    run: (tx: Database) => Promise<T>,
    mode: TransactionMode,
    scope: Scope | null,
    first: FirstStatement | null,
  ): Promise<T>
  /** Runs `run` while no other process that uses this database runs its own. Its statements have no time limit. */
  exclusively<T>(run: (maintenance: Maintenance) => Promise<T>): Promise<T>
  /** Waits for queries in flight, at most 3 seconds, then cuts them. */
  close(): Promise<void>
}

/** A database that no other process migrates at the same time. */
export interface Maintenance {
  /** A handle with a connection of its own. */
  readonly db: Database
  /** False when the connection that holds the lock was lost. */
  holdsLock(): boolean
}

export interface OpenDatabaseOptions {
  /** Either this or `driver`. */
  readonly url: string | undefined
  readonly driver: OpenDriver | undefined
  /** Of PGlite. */
  readonly embeddedExtensions: readonly string[]
  /** For relational queries. */
  readonly schema: Record<string, unknown> | undefined
  readonly pool: Required<PoolOptions>
  readonly meter: QueryMeter
  readonly dropSafe: DropSafe
  readonly instruments: Instruments
  /** Null without an app. */
  readonly operations: Operations | null
  readonly log: Logger
  readonly clock: Clock
}

/** How long `close` waits for queries in flight: less than the app gives a plugin. */
const closeLimitMs = 3000

export async function openDatabase(options: OpenDatabaseOptions): Promise<OpenDatabase> {
  const { schema, pool: configured, meter, dropSafe, instruments, log, clock } = options
  const source = await openSource(options)
  const { atBegin, embedded } = source
  const limits = embedded ? { ...configured, max: 1, idleTimeoutMs: 0, maxLifetimeMs: 0, prePing: false } : configured
  const created: CounterCell = countCreated(instruments)
  const openPool = (poolLimits: PoolLimits, create: (onStale: (connection: Connection) => void) => Connection) => {
    const onStale = (connection: Connection): void => pool.renew(connection)
    const pool = new Pool(() => create(onStale), poolLimits, clock, created)
    return pool
  }
  const closePool = (each: Pool<Connection>): Promise<void> =>
    each.close(() => new Promise((resolve) => clock.timer(closeLimitMs, resolve)))

  const pool = openPool(limits, source.create)
  watchPool(instruments, pool, limits)
  const operations = new DatabaseOperations(options.operations, source.location)
  const queries = new Queries(pool, meter, operations, atBegin)
  const dialect = new Dialect()
  const relational = toRelational(schema)
  const sessionOf = (
    from: Queries,
    scope: Scope | null,
    mode: TransactionMode = {},
    first: FirstStatement | null = null,
  ) => new DrizzleSession({ queries: from, scope, mode, first, dropSafe, dialect, relational })
  const handleOf = (from: Queries, scope: Scope | null) => new PgDatabase(dialect, sessionOf(from, scope), relational)
  const db = handleOf(queries, null)

  /** A connection of its own for the lock, and one for the work. */
  async function lockAndRun<T>(run: (maintenance: Maintenance) => Promise<T>): Promise<T> {
    const locking = source.createUntimed()
    const once = openPool({ ...limits, max: 1, acquireTimeoutMs: 0 }, source.createUntimed)
    try {
      await lockDatabase(locking, { clock, log })
      return await run({
        db: handleOf(new Queries(once, meter, operations, atBegin), null),
        holdsLock: () => !locking.lost,
      })
    } finally {
      await locking.end()
      await closePool(once)
    }
  }

  return {
    location: source.location,
    embedded,
    db,
    bind: (scope) => handleOf(queries, scope),
    ping: async () => {
      await db.execute(sql`select 1`)
    },
    transaction: (run, mode, scope, first) =>
      runInTransaction((body) => sessionOf(queries, scope, mode, first).transaction(body), run),
    // An embedded database has no other process.
    exclusively: (run) => (embedded ? run({ db, holdsLock: () => true }) : lockAndRun(run)),
    close: async () => {
      try {
        await closePool(pool)
      } finally {
        await source.close()
      }
    },
  }
}
