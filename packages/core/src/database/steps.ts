import type { PluginKey } from '../base/plugin-key.ts'
import type { Call } from '../call/call.ts'
import { guard, interceptor, type Next, type Step } from '../route/step.ts'
import { type Database, type DatabaseApi, databaseKey } from './database.ts'
import { checkTransactionOptions, type TransactionOptions } from './transaction-options.ts'

/** Both steps add it to the call. */
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
 * Adds `db` to the call: the pool's handle, without a transaction. For reads, and for checks that query a table. When the client
 * disconnects or the deadline passes, the running query is cancelled.
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
 * Runs the command or handler in a transaction and adds it as `db`. Commits when the handler succeeds. Rolls back when it throws, when the
 * client disconnects or when the deadline passes: the running query is then cancelled and the connection is free at once. A COMMIT that was
 * sent is waited for; without an answer the call fails with `outcome_unknown`.
 * Publications and `afterCommit` wait for the commit. Inside another transaction it is a savepoint. The pool's handle (of `withDb()`, or one
 * that was kept) is refused inside.
 *
 * A check after it in `use` runs inside the transaction, and a refusal rolls back.
 *
 * With `retries`, the later steps of `use` and the handler run again after a serialization failure or a deadlock, with the original input:
 * side effects outside the database belong into `afterCommit`. Only the retries of the outermost transaction apply.
 *
 * With `outbox`, publications are rows of the transaction until the broker has taken them: they exist together with its effect, or not at all.
 *
 * Boot errors: `bad_option`, `unknown_option`.
 *
 * @example
 * use: [transaction({ isolation: 'serializable', retries: 3 })],
 * command: ({ db }) => new CreateAuthorCommand(new AuthorRepository(db)),
 */
export function transaction(options: TransactionOptions = {}): DatabaseStep<'interceptor', 'database.transaction'> {
  const step: DatabaseStep<'interceptor', 'database.transaction'> = interceptor({
    name: 'database.transaction',
    holdsEffects: true,
    mayRepeat: (options.retries ?? 0) > 0,
    needs: databaseKey,
    bind: (api, route) => {
      checkTransactionOptions(options, `transaction() of ${route.name}`, api.hasOutbox)
      return (call: Call, next: Next<WithDatabase>) => api.transaction((tx) => next({ db: tx }), { ...options, call })
    },
  })
  if (options.readOnly === true) readOnly.add(step)
  return step
}

const readOnly = new WeakSet<object>()

/** Is the step a `transaction({ readOnly: true })`? */
export function isReadOnlyTransaction(step: object): boolean {
  return readOnly.has(step)
}
