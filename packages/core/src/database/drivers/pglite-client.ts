import type { PGlite } from '@electric-sql/pglite'
import type { TransactionMode } from '../transaction-options.ts'
import type { PgliteForm } from './pglite-connection.ts'
import type { Queries } from './queries.ts'
import type { Scope } from './scope.ts'

/** The part of a transaction of PGlite that drizzle uses. */
interface DrizzleTransaction {
  query(text: string, parameters?: unknown[], form?: PgliteForm): Promise<unknown>
}

/** `server`, but for the part that drizzle uses: its statements go through the pool. */
export function createPgliteClient(
  server: PGlite,
  queries: Queries<PgliteForm>,
  scope: Scope | null,
  mode: TransactionMode = {},
): PGlite {
  return Object.assign(Object.create(server), {
    query: (text: string, parameters: unknown[] = [], form?: PgliteForm): Promise<unknown> =>
      queries.run({ text, parameters, form }, scope),
    transaction: <T>(run: (tx: DrizzleTransaction) => Promise<T>): Promise<T> =>
      queries.transact(scope, mode, (session) =>
        run({ query: (text, parameters = [], form) => session.run({ text, parameters, form }) }),
      ),
  })
}
