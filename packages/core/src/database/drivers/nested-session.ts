import { AsyncResource } from 'node:async_hooks'
import type { Statement, StatementResult } from './connection.ts'
import { refuseInSavepoint, runInSavepoint } from './open-transactions.ts'
import { SerialQueue } from './serial-queue.ts'
import type { TransactionSession } from './transaction-session.ts'

/** The inside of a savepoint, which may have savepoints. */
export class NestedSession {
  readonly #session: TransactionSession
  readonly #nested = new SerialQueue()

  constructor(session: TransactionSession) {
    this.#session = session
  }

  run(statement: Statement): Promise<StatementResult> {
    return this.#session.run(statement)
  }

  savepoint<T>(run: (session: NestedSession) => Promise<T>): Promise<T> {
    return inTurn(this.#nested, () => this.#session.savepointNow(run))
  }
}

/** Savepoints of one parent run one after the other, each in the asynchronous context of its own caller. */
export async function inTurn<T>(queue: SerialQueue, begin: () => Promise<T>): Promise<T> {
  refuseInSavepoint(queue)
  return queue.run(AsyncResource.bind(() => runInSavepoint(queue, begin)))
}
