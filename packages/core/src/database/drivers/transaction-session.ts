import { holdEffects } from '../../call/effects.ts'
import { type CommitKind, pendingCommitsOf } from '../../call/pending-commits.ts'
import { InternalError, OutcomeUnknownError } from '../../errors/app-error.ts'
import { findDatabaseFailure } from '../errors.ts'
import type { TransactionMode } from '../transaction-options.ts'
import { type Connection, queryFailed, type Statement, type StatementResult } from './connection.ts'
import { isUnanswered } from './connection-lost.ts'
import type { DatabaseOperations } from './database-operations.ts'
import type { FirstStatement } from './first-statement.ts'
import { mayWrite } from './may-write.ts'
import { inTurn, NestedSession } from './nested-session.ts'
import type { QueryMeter } from './query-meter.ts'
import { toTextRows } from './row-reader.ts'
import { type Scope, scopeEnded } from './scope.ts'
import { SerialQueue } from './serial-queue.ts'
import { isSetting, toBegin } from './transaction-commands.ts'
import { refuseControlInside } from './transaction-control.ts'

export interface TransactionSessionOptions {
  readonly connection: Connection
  readonly meter: QueryMeter
  readonly operations: DatabaseOperations
  readonly scope: Scope | null
  readonly mode: TransactionMode
  readonly first: FirstStatement | null
  /** Commands after BEGIN; '' for none. */
  readonly atBegin: string
  /** Returns the connection to the pool; called once. */
  readonly release: () => void
}

interface PendingStatement {
  readonly statement: Statement
  readonly mayWait: boolean
  readonly toError: (error: unknown) => unknown
}

/** One transaction, which has its connection exclusively from BEGIN to COMMIT or ROLLBACK. */
export class TransactionSession {
  readonly #connection: Connection
  readonly #meter: QueryMeter
  readonly #operations: DatabaseOperations
  readonly #scope: Scope | null
  readonly #mode: TransactionMode
  readonly #first: FirstStatement | null
  readonly #atBegin: string
  readonly #release: () => void
  readonly #nested = new SerialQueue()
  #savepoints = 0
  #isOver = false
  #mayHaveWritten = false
  /** The first failure: the server then answers all statements with 25P02 until a savepoint is rolled back to. */
  #failure: unknown = null
  #rolledBack: Promise<void> | null = null
  /** Until the first statement after BEGIN or a savepoint: the commands that return to that state. */
  #restart: readonly string[] | null = null
  readonly #last: PendingStatement[] = []

  constructor({ connection, meter, operations, scope, mode, first, atBegin, release }: TransactionSessionOptions) {
    this.#connection = connection
    this.#meter = meter
    this.#operations = operations
    this.#scope = scope
    this.#mode = mode
    this.#first = first
    this.#atBegin = atBegin
    this.#release = release
  }

  /** Commits when `run` resolves. Rolls back when it rejects, and as soon as the scope ends: the connection is then free again. */
  complete<T>(run: () => Promise<T>): Promise<T> {
    return holdEffects(this.#scope, () => this.#complete(run))
  }

  async #complete<T>(run: () => Promise<T>): Promise<T> {
    const signal = this.#scope?.signal ?? null
    const onAbort = (): void => void this.#rollback()
    const begin = toBegin(this.#mode, this.#atBegin)
    this.#restart = ['rollback', begin]
    try {
      await this.#begin(begin, signal)
    } catch (error) {
      this.#isOver = true
      // The state of the connection is unknown when the answer was lost.
      if (!signal?.aborted) this.#connection.retire()
      this.#release()
      throw error
    }
    if (signal?.aborted) onAbort()
    signal?.addEventListener('abort', onAbort, { once: true })
    try {
      const result = await run()
      if (signal?.aborted) throw scopeEnded(signal)
      await this.#commit(signal, () => signal?.removeEventListener('abort', onAbort))
      return result
    } catch (error) {
      await this.#rollback()
      throw error
    } finally {
      signal?.removeEventListener('abort', onAbort)
    }
  }

  async #begin(text: string, signal: AbortSignal | null): Promise<void> {
    const first = this.#first
    const answered = first === null ? null : this.#connection.beginWith(text, first, signal)
    if (first === null || answered === null) return void (await this.#command(text, signal))
    this.#restart = null
    this.#mayHaveWritten = true
    await first.execute(async () => toTextRows(await this.#measured(first, answered)))
  }

  async run(statement: Statement): Promise<StatementResult> {
    if (this.#isOver) throw this.#over()
    refuseControlInside(statement)
    const signal = this.#scope?.signal ?? null
    const restart = this.#restart
    this.#restart = restart !== null && isSetting(statement) ? [...restart, statement.text] : null
    this.#mayHaveWritten ||= mayWrite(statement.text)
    return this.#measured(statement, this.#connection.run(statement, signal, restart))
  }

  async #measured(statement: Statement, answered: Promise<StatementResult>): Promise<StatementResult> {
    const signal = this.#scope?.signal ?? null
    const startedMs = this.#meter.start()
    const span = this.#operations.statement(statement.text)
    try {
      const result = await answered
      this.#failure = null
      this.#meter.done(statement.text, startedMs, this.#scope, null, span)
      return result
    } catch (error) {
      this.#failed(error)
      this.#meter.done(statement.text, startedMs, this.#scope, error, span)
      if (signal?.aborted) throw scopeEnded(signal)
      throw error
    }
  }

  /** Runs with COMMIT, behind all others. When it fails, the transaction fails with `toError` of its error. */
  addLast(statement: Statement, toError: (error: unknown) => unknown, mayWait: boolean): void {
    if (this.#isOver) throw this.#over()
    this.#mayHaveWritten = true
    this.#last.push({ statement, toError, mayWait })
  }

  /** Rolls back to its start when `run` rejects. Savepoints that are started in parallel run one after the other. */
  savepoint<T>(run: (session: NestedSession) => Promise<T>): Promise<T> {
    return inTurn(this.#nested, () => this.savepointNow(run))
  }

  savepointNow<T>(run: (session: NestedSession) => Promise<T>): Promise<T> {
    return holdEffects(this.#scope, () => this.#savepoint(run))
  }

  async #savepoint<T>(run: (session: NestedSession) => Promise<T>): Promise<T> {
    if (this.#isOver) throw this.#over()
    const signal = this.#scope?.signal ?? null
    this.#savepoints += 1
    const name = `twinwire_${this.#savepoints}`
    // Before it is sent: a statement that is added meanwhile runs after it, and clears this.
    this.#restart = [`rollback to savepoint ${name}`]
    await this.#command(`savepoint ${name}`, signal)
    try {
      const result = await run(new NestedSession(this))
      this.#restart = null
      // The savepoint was not awaited, and the connection may belong to another caller by now.
      if (this.#isOver) throw this.#over()
      await this.#command(`release savepoint ${name}`, signal)
      return result
    } catch (error) {
      this.#restart = null
      // 25P02 only says that an earlier statement failed, which nothing awaited.
      const isLater = findDatabaseFailure(error)?.code === '25P02' && this.#failure !== null
      const reason = isLater ? this.#notCommitted() : error
      // If it fails, the commit fails too.
      if (!this.#isOver) await this.#command(`rollback to savepoint ${name}`, null).catch(() => {})
      throw reason
    }
  }

  async #command(text: string, signal: AbortSignal | null): Promise<string> {
    const span = this.#operations.statement(text)
    try {
      const command = await this.#connection.command(text, signal)
      this.#failure = null
      span?.end(null)
      return command
    } catch (error) {
      this.#failed(error)
      this.#meter.commandFailed(error)
      span?.end(error)
      throw error
    }
  }

  /** COMMIT is sent after statements that were not awaited; until then, the end of the scope still rolls back. */
  async #commit(signal: AbortSignal | null, onSend: () => void): Promise<void> {
    if (this.#failure !== null) throw this.#notCommitted()
    // No statement may follow.
    this.#isOver = true
    const commits = this.#mayHaveWritten && this.#mode.readOnly !== true ? pendingCommitsOf(this.#scope) : null
    let sent: CommitKind | null = null
    let waiting = this.#last.filter(({ mayWait }) => mayWait).length
    let mayBeDone = false
    const failures: unknown[] = []
    const startedMs = this.#meter.start()
    const last = this.#last.map(({ statement, toError, mayWait }) => {
      const lastSpan = this.#operations.statement(statement.text)
      const onAnswer = (error: unknown): void => {
        this.#meter.done(statement.text, startedMs, this.#scope, error, lastSpan)
        if (error === null) {
          if (mayWait) waiting -= 1
          if (sent !== 'statement' || waiting > 0) return
          sent = 'commit'
          commits?.sent('commit')
          commits?.answered('statement', false)
          return
        }
        if (isUnanswered(error)) return
        const failure = queryFailed(statement.text, error)
        this.#failed(failure)
        failures.push(toError(failure))
      }
      return { ...statement, mayWait, onAnswer, span: lastSpan }
    })
    const span = this.#operations.statement('commit')
    try {
      const command = await this.#connection.commit(
        signal,
        () => {
          // What waits is cancelled at the end of the scope, and the COMMIT with it: the answer says whether it was.
          sent = waiting > 0 ? 'statement' : 'commit'
          onSend()
          commits?.sent(sent)
        },
        last,
      )
      mayBeDone = command === 'COMMIT'
      span?.end(mayBeDone ? null : this.#notCommitted())
    } catch (error) {
      // Behind one that fails, some are never sent, nor answered.
      for (const each of [...last, { span }]) each.span?.end(error)
      if (failures.length > 0) throw failures[0]
      this.#failed(error)
      this.#meter.commandFailed(error)
      mayBeDone = isUnanswered(error)
      if (mayBeDone && this.#mayHaveWritten) throw new OutcomeUnknownError(undefined, { cause: error })
      throw error
    } finally {
      if (sent !== null) commits?.answered(sent, mayBeDone)
    }
    this.#rolledBack = Promise.resolve()
    this.#release()
    if (failures.length > 0) throw failures[0]
    // PostgreSQL answers ROLLBACK after a failed statement whose error was caught, or that was not awaited.
    if (!mayBeDone) throw this.#notCommitted()
  }

  /** Once. After the statements that were added before, including the cancelled one. */
  #rollback(): Promise<void> {
    this.#rolledBack ??= this.#rollbackNow()
    return this.#rolledBack
  }

  async #rollbackNow(): Promise<void> {
    this.#isOver = true
    try {
      await this.#connection.command('rollback', null)
    } catch {
      // A lost connection has rolled back. Any other must not reach another caller in the middle of a transaction.
      this.#connection.retire()
    } finally {
      this.#release()
    }
  }

  #failed(error: unknown): void {
    const failure = findDatabaseFailure(error)
    if (failure === null) return
    // 25P02 says that the transaction had failed before, for the earlier reason.
    if (/^[0-9A-Z]{5}$/.test(failure.code) && failure.code !== '25P02') this.#failure ??= error
    // A server that became read-only by a failover: the next caller should connect to the new primary.
    if (failure.code === '25006' && this.#mode.readOnly !== true) this.#connection.retire()
  }

  #notCommitted(): Error {
    return new Error('The transaction was rolled back instead of committed, because one of its statements had failed', {
      cause: this.#failure,
    })
  }

  #over(): Error {
    const signal = this.#scope?.signal
    if (signal?.aborted) return scopeEnded(signal)
    return new InternalError({
      cause: new Error('A query was sent to a transaction that has ended: await every query inside the transaction'),
    })
  }
}
