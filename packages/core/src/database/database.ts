import type { PgDatabase, PgQueryResultHKT } from 'drizzle-orm/pg-core'
import { type PluginKey, pluginKey } from '../plugin/plugin-key.ts'

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

/** What the steps of the database plugin are bound to. */
export interface DatabaseApi {
  /** The pool's handle: each query on a connection of its own. */
  readonly db: Database
  /**
   * Commits when `run` resolves, rolls back when it rejects, and rejects with the same error. A failure to begin or to
   * commit is an AppError (`unavailable`, `conflict`, `database_error`, …).
   */
  transaction<T>(run: (tx: Database) => Promise<T>): Promise<T>
}

/** For steps of your own that need the database: `guard({ needs: databaseKey, bind: ({ db }) => … })`. */
export const databaseKey: PluginKey<'database', DatabaseApi> = pluginKey('database').of<DatabaseApi>()
