import { AsyncLocalStorage } from 'node:async_hooks'
import { InternalError } from '../../errors/app-error.ts'
import type { Scope } from './scope.ts'

/** A transaction that is under way, as the code inside it and below carries it. */
export interface OpenTransaction {
  /** The database. */
  readonly owner: object
  readonly scope: Scope | null
  isOpen: boolean
  /** The one that this one was begun in, of another database. */
  readonly outer: OpenTransaction | null
}

// Node pays for it from the first `run` on: an app without transactions does not.
const storage = new AsyncLocalStorage<OpenTransaction>()

/** Runs `run` and all that it sets off as the inside of a transaction. */
export async function runInside<T>(owner: object, scope: Scope | null, run: () => Promise<T>): Promise<T> {
  const mark: OpenTransaction = { owner, scope, isOpen: true, outer: storage.getStore() ?? null }
  try {
    return await storage.run(mark, run)
  } finally {
    // What is still at work in the background, and effects after the commit, may use the pool again.
    mark.isOpen = false
  }
}

/**
 * Refuses the handle of the pool to code inside of a transaction of the same database: the statement would not be part of the
 * transaction, and would wait for a connection that the transaction may be holding, for ever where there is but one.
 */
export function refuseInside(owner: object, scope: Scope | null): void {
  for (let mark = storage.getStore() ?? null; mark !== null; mark = mark.outer) {
    if (mark.owner !== owner || !mark.isOpen) continue
    // Two calls: what runs on behalf of one was only set off within the other.
    if (scope !== null && mark.scope !== null && scope !== mark.scope) continue
    throw new InternalError({
      cause: new Error(
        'The handle of the pool was used inside of a transaction: use the `db` that transaction() adds to the call (or that ' +
          'run(tx) is handed), or do it in call.afterCommit()',
      ),
    })
  }
}
