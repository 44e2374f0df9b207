import type { PgDatabase, PgQueryResultHKT } from 'drizzle-orm/pg-core'
import { type PluginKey, pluginKey } from '../base/plugin-key.ts'
import type { Call } from '../call/call.ts'
import type { TransactionOptions } from './transaction-options.ts'

/**
 * A drizzle database of any driver: the pool's handle or the handle of a transaction, with all of drizzle's query builders. `TSchema` is
 * only needed for relational queries (`db.query.authors.findMany()`).
 *
 * @example
 * const adults = (db: Database) => db.select().from(people).where(gte(people.age, 18))
 */
export type Database<TSchema extends Record<string, unknown> = Record<string, unknown>> = PgDatabase<
  PgQueryResultHKT,
  TSchema
>

/** Options of a transaction, and its call. */
export interface TransactionRequest extends TransactionOptions {
  /**
   * The call that the transaction belongs to. It ends with the call's `signal`: the running query is cancelled, the transaction is rolled
   * back, and the connection is free. Inside a transaction of the same call it is a savepoint. Publications of the call and its `afterCommit`
   * wait for the commit, and are dropped with a rollback. Default: no call.
   */
  readonly call?: Pick<Call, 'signal' | 'log'> | undefined
}

/** The API of the database plugin, for steps. */
export interface DatabaseApi {
  /** The pool's handle, for no call: each query runs on any connection. */
  readonly db: Database
  /** `database({ outbox })` is set: `transaction` may use it. */
  readonly hasOutbox: boolean
  /** The pool's handle for a call: its queries are cancelled when the client disconnects or the deadline passes. */
  forCall(call: Pick<Call, 'signal' | 'log'>): Database
  /**
   * Runs `hook` in each transaction of the call, in each of its attempts, when all else in it has succeeded: its statements are the last ones before
   * COMMIT, but for those of an outbox. If it rejects, the transaction is rolled back. What it resolves with runs once the COMMIT has
   * succeeded. Not for savepoints, nor with `readOnly`.
   *
   * @example
   * api.beforeCommit(call, async (tx) => {
   *   await tx.insert(changes).values({ callId: call.id })
   *   return () => counted.inc()
   * })
   */
  beforeCommit(call: Pick<Call, 'signal' | 'log'>, hook: (tx: Database) => Promise<(() => void) | undefined>): void
  /**
   * Commits when `run` resolves; rolls back when it rejects, and rejects with the same error. A failure of BEGIN or COMMIT is an AppError
   * (`unavailable`, `conflict`, `database_error`, `outcome_unknown` when it may have committed, …). Inside `run` the pool's handle is refused.
   */
  transaction<T>(run: (tx: Database) => Promise<T>, request?: TransactionRequest): Promise<T>
}

/** For custom steps that need the database: `guard({ needs: databaseKey, bind: ({ db }) => … })`. */
export const databaseKey: PluginKey<'database', DatabaseApi> = pluginKey('database').of<DatabaseApi>()
