import { pendingCommitsOf } from '../../call/pending-commits.ts'
import { OutcomeUnknownError } from '../../errors/app-error.ts'
import type { TransactionMode } from '../transaction-options.ts'
import type { Connection, Statement, StatementResult } from './connection.ts'
import { isUnanswered } from './connection-lost.ts'
import type { DatabaseOperations } from './database-operations.ts'
import type { FirstStatement } from './first-statement.ts'
import { mayWrite } from './may-write.ts'
import { refuseInside, runInside } from './open-transactions.ts'
import type { Pool } from './pool.ts'
import type { QueryMeter } from './query-meter.ts'
import { type Scope, scopeEnded } from './scope.ts'
import { refuseControl } from './transaction-control.ts'
import { TransactionSession } from './transaction-session.ts'

/** A statement outside of a transaction has done nothing when it fails, and may run again without further commands. */
const noCommands: readonly string[] = []

/** Runs the statements and transactions of the handles of one pool, whatever the driver. */
export class Queries {
  readonly #pool: Pool<Connection>
  readonly #meter: QueryMeter
  readonly #operations: DatabaseOperations
  readonly #atBegin: string

  /** `atBegin`: commands that every transaction starts with. */
  constructor(pool: Pool<Connection>, meter: QueryMeter, operations: DatabaseOperations, atBegin = '') {
    this.#pool = pool
    this.#meter = meter
    this.#operations = operations
    this.#atBegin = atBegin
  }

  async run(statement: Statement, scope: Scope | null): Promise<StatementResult> {
    refuseControl(statement)
    refuseInside(this, scope)
    const signal = scope?.signal ?? null
    const connection = await this.#pool.acquire(signal)
    // Outside of a transaction a statement commits itself.
    const commits = mayWrite(statement.text) ? pendingCommitsOf(scope) : null
    commits?.sent('statement')
    const startedMs = this.#meter.start()
    const span = this.#operations.statement(statement.text)
    let failure: unknown = null
    try {
      return await connection.run(statement, signal, noCommands)
    } catch (error) {
      failure = error
      throw toThrown(error, statement, signal)
    } finally {
      const { openedMs } = connection
      commits?.answered('statement', failure === null || isUnanswered(failure))
      this.#pool.release(connection)
      const sentMs = openedMs === null ? null : Math.max(startedMs, openedMs)
      this.#meter.done(statement.text, sentMs, scope, failure, span)
    }
  }

  async transact<T>(
    scope: Scope | null,
    mode: TransactionMode,
    first: FirstStatement | null,
    run: (session: TransactionSession) => Promise<T>,
  ): Promise<T> {
    refuseInside(this, scope)
    return this.#operations.transaction(async () => {
      const connection = await this.#pool.acquire(scope?.signal ?? null)
      const session = new TransactionSession({
        connection,
        meter: this.#meter,
        operations: this.#operations,
        scope,
        mode,
        first,
        atBegin: this.#atBegin,
        release: () => this.#pool.release(connection),
      })
      return session.complete(() => runInside(this, scope, () => run(session)))
    })
  }
}

/** The error of a statement outside of a transaction. */
function toThrown(error: unknown, { text }: Statement, signal: AbortSignal | null): unknown {
  if (!isUnanswered(error)) return error
  if (mayWrite(text)) return new OutcomeUnknownError(undefined, { cause: error })
  return signal?.aborted ? scopeEnded(signal) : error
}
