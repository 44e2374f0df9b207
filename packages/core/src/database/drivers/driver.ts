import type { Clock } from '../../base/clock.ts'
import type { Logger } from '../../base/logger.ts'
import type { PoolOptions } from './pool-options.ts'

/**
 * Opens connections to a PostgreSQL, for `database({ driver })`. Pooling, transactions, savepoints, cancellation by the call, metrics, error
 * mapping and the reading of values are Twinwire's. `databaseDriverSuite` of `@twinwire/core/database/testing` tests a driver.
 *
 * @example
 * // MyConnection implements DriverConnection.
 * const driver: OpenDriver = () => ({ location: 'db.internal:5432/app', connect: () => new MyConnection() })
 * const plugin = database({ driver })
 */
export interface DatabaseDriver {
  /** Where the database is, for log lines and errors: `db.internal:5432/app`. No credentials. */
  readonly location: string
  /**
   * The database runs inside this process, and every call of `connect` returns the same connection. It has a pool of one, is refused in
   * production without `allowEmbedded`, and no other process is waited for before migrations. Default false.
   */
  readonly embedded?: boolean
  /** Returns a connection that is not open yet. */
  connect(): DriverConnection
  /** Called once, after all connections were closed. */
  close?(): Promise<void>
}

/** Called by `database()` when the app starts, and by `migrate()`. */
export type OpenDriver = (context: DriverContext) => DatabaseDriver | Promise<DatabaseDriver>

/** What a driver may use. */
export interface DriverContext {
  /** `pool` of `database()`, with defaults. `connectTimeoutMs` is enforced by Twinwire, as are the times of the pool. */
  readonly pool: Required<PoolOptions>
  readonly log: Logger
  readonly clock: Clock
}

/**
 * One connection of a driver. Twinwire calls one method at a time and waits until its promise has settled; `close` may come at any time.
 *
 * Errors of the server have the SQLSTATE in `code` and `severity` (`'ERROR'`, `'FATAL'`), as node-postgres, postgres.js and PGlite throw them;
 * `constraint`, `column`, `detail` and `routine` are read where they exist. Any other error of a statement says that its outcome is unknown, so
 * that a write is answered with `outcome_unknown`.
 */
export interface DriverConnection {
  /** True when it cannot be used any more: its socket has closed. It is then closed and replaced. */
  readonly lost: boolean
  /** Connects. Called before the first statement. */
  open(): Promise<void>
  /**
   * Runs one statement. When `signal` aborts, the driver cancels it if it can, and settles only when a late cancellation cannot reach the next
   * statement.
   */
  query(statement: DriverStatement, signal: AbortSignal | null): Promise<DriverResult>
  /** Runs one or more statements without parameters: BEGIN, COMMIT, SET. Resolves with the command tag of the last one: `COMMIT`. */
  command(text: string): Promise<string>
  /** Ends the connection; a pending statement then rejects. */
  close(): Promise<void>
}

export interface DriverStatement {
  /** SQL with `$1`, `$2`, … */
  readonly text: string
  /** PostgreSQL's strings of the values; null is NULL. */
  readonly parameters: readonly (string | null)[]
  /** The type (`pg_type.oid`) of each parameter, as it is sent to the server; 0: the server infers it. */
  readonly types: readonly number[]
}

/** A result as node-postgres (`rowMode: 'array'`) and PGlite return it. More properties are kept for `db.execute()`. */
export interface DriverResult {
  /** Values are PostgreSQL's strings: the driver parses nothing. */
  readonly rows: readonly (readonly (string | null)[])[]
  readonly fields: readonly { readonly name: string; readonly dataTypeID: number }[]
}
