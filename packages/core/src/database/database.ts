import type { PgDatabase, PgQueryResultHKT } from 'drizzle-orm/pg-core'
import { type PluginKey, pluginKey } from '../base/plugin-key.ts'
import type { Call } from '../call/call.ts'
import type { TransactionOptions } from './transaction-options.ts'

/**
 * A drizzle database of any driver: the pool's handle (postgres.js or PGlite) and the handle of a transaction alike. All of
 * drizzle's query builders are on it. `TSchema` is only needed for relational queries (`db.query.authors.findMany()`).
 *
 * @example
 * const adults = (db: Database) => db.select().from(people).where(gte(people.age, 18))
 */
export type Database<TSchema extends Record<string, unknown> = Record<string, unknown>> = PgDatabase<
  PgQueryResultHKT,
  TSchema
>

/** How a transaction runs, and for whom. */
export interface TransactionRequest extends TransactionOptions {
  /**
   * On whose behalf: ends with the call's `signal` (the running query is cancelled, all is rolled back, the connection is free), and
   * is a savepoint when the call is inside of a transaction already. What the call publishes inside of it, and its `afterCommit`, wait for
   * the commit, and are dropped with a rollback. Left out: on nobody's.
   */
  readonly call?: Pick<Call, 'signal' | 'log'> | undefined
}

/** What the steps of the database plugin are bound to. */
export interface DatabaseApi {
  /** The pool's handle: each query on a connection of its own, on nobody's behalf. */
  readonly db: Database
  /** The pool's handle on behalf of a call: its queries are cancelled when the client leaves or the deadline passes. */
  forCall(call: Pick<Call, 'signal' | 'log'>): Database
  /**
   * Commits when `run` resolves, rolls back when it rejects, and rejects with the same error. A failure to begin or to
   * commit is an AppError (`unavailable`, `conflict`, `database_error`, `outcome_unknown` when it may have committed, …). Inside of `run` the pool's handle is refused.
   */
  transaction<T>(run: (tx: Database) => Promise<T>, request?: TransactionRequest): Promise<T>
}

/** For steps of your own that need the database: `guard({ needs: databaseKey, bind: ({ db }) => … })`. */
export const databaseKey: PluginKey<'database', DatabaseApi> = pluginKey('database').of<DatabaseApi>()
