import type { Database } from './database.ts'
import { findDatabaseFailure, toAppError, toFailure } from './errors.ts'

type Begin = <T>(run: (tx: Database) => Promise<T>) => Promise<T>

/**
 * Runs `run` between BEGIN and COMMIT, and tells its errors from those of the database: `run`'s own pass as they are;
 * what BEGIN, COMMIT or the connection fails with carries no mark of drizzle's and becomes an AppError here.
 */
export async function runInTransaction<T>(begin: Begin, run: (tx: Database) => Promise<T>): Promise<T> {
  const thrown: unknown[] = []
  try {
    return await begin(async (tx) => {
      try {
        return await run(tx)
      } catch (error) {
        thrown.push(error)
        throw error
      }
    })
  } catch (error) {
    if (thrown.includes(error)) throw error
    throw toAppError(findDatabaseFailure(error) ?? toFailure(error), error)
  }
}
