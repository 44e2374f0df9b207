import type { PluginKey } from '../base/plugin-key.ts'
import type { Call } from '../call/call.ts'
import { guard, interceptor, type Next, type Step } from '../route/step.ts'
import { type Database, type DatabaseApi, databaseKey } from './database.ts'
import { checkTransactionOptions, type TransactionOptions } from './transaction-options.ts'

/** What both steps add to the call. */
export interface WithDatabase {
  readonly db: Database
}

type DatabaseStep<Kind extends 'guard' | 'interceptor', Name extends string> = Step<
  Kind,
  WithDatabase,
  Call,
  unknown,
  PluginKey<'database', DatabaseApi>,
  Name
>

/**
 * Adds `db` to the call: the pool's handle, each query for itself. For reads, and for checks that look into a table. When the
 * client leaves or the deadline passes, a running query is cancelled.
 *
 * @example
 * use: [withDb()],
 * handler: ({ id }, { db }) => new AuthorRepository(db).getById(id),
 */
export function withDb(): DatabaseStep<'guard', 'database.withDb'> {
  return guard({
    name: 'database.withDb',
    needs: databaseKey,
    bind:
      (api) =>
      (call: Call): WithDatabase => ({ db: api.forCall(call) }),
  })
}

/**
 * Runs the command or handler in a transaction and adds it as `db`. Commits when the handler succeeds, rolls back when it
 * throws, and when the client leaves or the deadline passes: the running query is then cancelled and the connection free at once. A COMMIT
 * that was sent is waited for instead, and without an answer the call gets `outcome_unknown`.
 * Publications and `afterCommit` wait for the commit. Inside of another one it is a savepoint. The pool's handle (of `withDb()`, or
 * one that was kept) is refused inside.
 *
 * A check that is behind it in `use` runs inside of it, and its refusal rolls back.
 *
 * With `retries` all that is behind it in `use`, and the handler, runs again after a serialization failure or a deadlock, with the
 * input as it came in: what is outside of the database belongs into `afterCommit`. Those of the outermost one count.
 *
 * Boot errors: `bad_option`, `unknown_option`.
 *
 * @example
 * use: [transaction({ isolation: 'serializable', retries: 3 })],
 * command: ({ db }) => new CreateAuthorCommand(new AuthorRepository(db)),
 */
export function transaction(options: TransactionOptions = {}): DatabaseStep<'interceptor', 'database.transaction'> {
  return interceptor({
    name: 'database.transaction',
    holdsEffects: true,
    mayRepeat: (options.retries ?? 0) > 0,
    needs: databaseKey,
    bind: (api, route) => {
      checkTransactionOptions(options, `transaction() of ${route.name}`)
      return (call: Call, next: Next<WithDatabase>) => api.transaction((tx) => next({ db: tx }), { ...options, call })
    },
  })
}
