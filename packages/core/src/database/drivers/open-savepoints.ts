import { AsyncLocalStorage } from 'node:async_hooks'
import { InternalError } from '../../errors/app-error.ts'

/** A savepoint that is under way, as the code inside it carries it. */
interface OpenSavepoint {
  /** The transaction, or the savepoint, that it was begun of. */
  readonly parent: object
  isOpen: boolean
  readonly outer: OpenSavepoint | null
}

const storage = new AsyncLocalStorage<OpenSavepoint>()

/** Runs `run` and all that it sets off as the inside of a savepoint of `parent`. */
export async function runInSavepoint<T>(parent: object, run: () => Promise<T>): Promise<T> {
  const mark: OpenSavepoint = { parent, isOpen: true, outer: storage.getStore() ?? null }
  try {
    return await storage.run(mark, run)
  } finally {
    mark.isOpen = false
  }
}

/**
 * Refuses a savepoint of `parent` to code inside of another one of `parent`: it would wait for that one to end, and that one for it.
 * Many rows at once are a savepoint too.
 */
export function refuseInSavepoint(parent: object): void {
  for (let mark = storage.getStore() ?? null; mark !== null; mark = mark.outer) {
    if (mark.parent !== parent || !mark.isOpen) continue
    throw new InternalError({
      cause: new Error(
        'The handle of an outer transaction was used for a transaction inside of the inner one: use the handle that the inner one was handed',
      ),
    })
  }
}
