import { AsyncScope } from '../../base/async-scope.ts'
import { InternalError } from '../../errors/app-error.ts'
import type { Scope } from './scope.ts'

interface OpenTransaction {
  readonly database: object
  readonly scope: Scope | null
}

const transactions = new AsyncScope<OpenTransaction>()

/**
 * Runs `run` as the inside of a transaction. Background work that outlives it, and effects after the commit, may use the pool's handle
 * again.
 */
export function runInside<T>(database: object, scope: Scope | null, run: () => Promise<T>): Promise<T> {
  return transactions.run({ database, scope }, run)
}

/**
 * Refuses the pool's handle inside a transaction of the same database: the statement would not be part of the transaction, and would
 * wait for a connection that the transaction may hold. With a pool of one that is a deadlock.
 */
export function refuseInside(database: object, scope: Scope | null): void {
  if (transactions.isEmpty) return
  const found = transactions.find(
    (open) =>
      open.database === database &&
      // A call that another call has only started is not part of that one's transaction.
      (scope === null || open.scope === null || scope === open.scope),
  )
  if (found === null) return
  throw new InternalError({
    cause: new Error(
      'The handle of the pool was used inside of a transaction: use the `db` that transaction() adds to the call (or the one that ' +
        'run(tx) receives), or do it in call.afterCommit()',
    ),
  })
}

/** The transactions and savepoints whose inner savepoint is in progress. */
const parents = new AsyncScope<object>()

/** Runs `run` as the inside of a savepoint of `parent`, which is a transaction or a savepoint. */
export function runInSavepoint<T>(parent: object, run: () => Promise<T>): Promise<T> {
  return parents.run(parent, run)
}

/**
 * Refuses a savepoint of `parent` inside another savepoint of `parent`: each would wait for the other to end. `createMany` of many rows
 * is a savepoint too.
 */
export function refuseInSavepoint(parent: object): void {
  if (parents.isEmpty || parents.find((open) => open === parent) === null) return
  throw new InternalError({
    cause: new Error(
      'A savepoint was started with the handle of the outer transaction: use the handle that the inner transaction receives',
    ),
  })
}
