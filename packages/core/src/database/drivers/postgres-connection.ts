import type { Options, Sql } from 'postgres'
import type { Clock } from '../../base/clock.ts'
import { requestCancel } from './cancel-request.ts'
import {
  answersPing,
  type Connection,
  type LastStatement,
  queryFailed,
  type Statement,
  type StatementResult,
} from './connection.ts'
import { connectionLost, isAnswer, isFatal, markUnanswered } from './connection-lost.ts'
import { type FirstStatement, toExecute, toPrepare } from './first-statement.ts'
import { backendOf, mayBeStale, notAgain, toTarget, wasPreparedAgain, wasSent } from './postgres-query.ts'
import { toStatementResult } from './postgres-results.ts'
import { scopeEnded } from './scope.ts'
import { SerialQueue } from './serial-queue.ts'

/** A result of postgres.js: an array of rows, with the name of the command. */
interface ClientResult {
  readonly command: string
}

/** Creates a client of postgres.js with these options added to the user's. */
export type CreateClient = (options: Options<Record<string, never>>) => Sql

export interface PostgresConnectionOptions {
  readonly clock: Clock
  /** Enforced by this process with a cancel request; 0: not enforced by it. */
  readonly statementTimeoutMs: number
  /** Number of statements that this connection may prepare on the server; 0 behind a PgBouncer. */
  readonly maxPrepared: number
  /** A table has changed its columns since statements were prepared, here and on the other connections. */
  readonly onStale: (connection: PostgresConnection) => void
}

/** Longer strings are for many rows: they are rarely repeated, and a server keeps what it prepares. */
const maxPreparedLength = 4000

/**
 * One connection to PostgreSQL: a client of postgres.js that may open one, once.
 *
 * The pool and the transactions of postgres.js (3.4.9) do not survive the loss of a connection: a write to the lost socket ends the
 * process (porsager/postgres#1154, #1208); statements of a transaction after the loss run on the connection that replaces it, outside of
 * the transaction or inside another one (#1216); waiting statements and reservations never settle (#1186, #1195); and BEGIN may run
 * before its connection is reserved (#1189). So here one client is one connection, it runs one statement at a time, and after a loss it is
 * not used again.
 */
export class PostgresConnection implements Connection {
  readonly #client: Sql
  readonly #options: PostgresConnectionOptions
  readonly #queue = new SerialQueue()
  /** By text: has it succeeded once? */
  readonly #prepared = new Map<string, boolean>()
  /** The names of first statements, by text. */
  readonly #firsts = new Map<string, string>()
  #isStale = false
  #openedMs: number | null = null
  #lost = false
  readonly #onLost = new Set<() => void>()

  constructor(create: CreateClient, options: PostgresConnectionOptions) {
    this.#options = options
    this.#client = create({
      max: 1,
      // They would count the pauses within a transaction too, which the client does not know of.
      max_lifetime: null,
      idle_timeout: 0,
      // Arrays are read by type here, and a connection that is lost during the query of types would be an unhandled rejection.
      fetch_types: false,
      // The server reports its parameters when a connection opens, before it accepts a statement.
      onparameter: () => {
        this.#openedMs ??= options.clock.monotonic()
      },
      // Called in the same tick in which the socket closes: nothing can be sent in between.
      onclose: () => {
        this.#endSent()
      },
    })
  }

  get openedMs(): number | null {
    return this.#openedMs
  }

  /** Can no longer be used; the server rolls its transaction back. */
  get lost(): boolean {
    return this.#lost
  }

  retire(): void {
    this.#lost = true
  }

  /** Connects when it has not yet. */
  async run(
    statement: Statement,
    signal: AbortSignal | null,
    restart: readonly string[] | null = null,
  ): Promise<StatementResult> {
    return toStatementResult(await this.#queue.run(() => this.#runFresh(statement, signal, restart)))
  }

  async command(text: string, signal: AbortSignal | null): Promise<string> {
    try {
      const { command } = await this.#queue.run(() => this.#runFresh(toCommand(text), signal, null))
      return command
    } catch (cause) {
      throw queryFailed(text, cause)
    }
  }

  beginWith(text: string, first: FirstStatement, signal: AbortSignal | null): Promise<StatementResult> | null {
    // A connection that is not open yet would count its opening as the time of the statement.
    if (this.#openedMs === null || this.#isStale || this.#options.maxPrepared === 0) return null
    return this.#queue
      .run(() => this.#beginWith(text, first, signal))
      .catch((cause: unknown) => {
        throw queryFailed(first.text, cause)
      })
  }

  async commit(signal: AbortSignal | null, onSend: () => void, last: readonly LastStatement[]): Promise<string> {
    try {
      const { command } = await this.#queue.run(() => this.#executeAll(last, signal, onSend))
      return command
    } catch (cause) {
      throw queryFailed('commit', cause)
    }
  }

  isAlive(): Promise<boolean> {
    return answersPing(this, this.#options.clock)
  }

  async end(): Promise<void> {
    this.#lost = true
    await this.#client.end({ timeout: 0 }).catch(() => {})
    this.#endSent()
  }

  /**
   * postgres.js prepares a stale statement again, but not for each such failure, and not in a transaction, which has failed by then.
   */
  async #runFresh(
    statement: Statement,
    signal: AbortSignal | null,
    restart: readonly string[] | null,
  ): Promise<ClientResult> {
    try {
      return await this.#execute(statement, signal)
    } catch (error) {
      if (this.#isStale || !this.#hasSucceeded(statement) || !mayBeStale(error, true)) throw error
      this.#markStale()
      if (restart === null) throw error
      // In the same turn of the queue: waiting statements must not run in between.
      for (const each of restart) await this.#execute(toCommand(each), signal)
      return this.#execute(statement, signal)
    }
  }

  async #beginWith(begin: string, first: FirstStatement, signal: AbortSignal | null): Promise<StatementResult> {
    try {
      let name = this.#firsts.get(first.text)
      if (name === undefined) {
        name = `twinwire_first_${this.#firsts.size + 1}`
        await this.#execute(toCommand(toPrepare(name, first)), signal)
        this.#firsts.set(first.text, name)
      }
      const both = { text: `${begin}; ${toExecute(name, first)}`, parameters: [], rowMode: first.rowMode }
      const { sets, raw } = toStatementResult(await this.#execute(both, signal))
      this.#prepared.set(first.text, true)
      return { sets: sets.slice(-1), raw }
    } catch (error) {
      if (!mayBeStale(error, this.#hasSucceeded(first))) throw error
      this.#markStale()
      for (const each of ['rollback', begin]) await this.#execute(toCommand(each), signal)
      return toStatementResult(await this.#execute(first, signal))
    }
  }

  /** In one piece: the server does not commit what has failed. */
  async #executeAll(
    last: readonly LastStatement[],
    signal: AbortSignal | null,
    onSend: () => void,
  ): Promise<ClientResult> {
    if (signal?.aborted) throw scopeEnded(signal)
    if (this.#lost) throw connectionLost()
    onSend()
    const answered = last.map((statement) =>
      this.#execute(statement, signal, statement.mayWait, true).then(
        () => statement.onAnswer(null),
        (error: unknown) => {
          if (mayBeStale(error, this.#hasSucceeded(statement))) this.#markStale()
          statement.onAnswer(error)
        },
      ),
    )
    const [commit] = await Promise.allSettled([this.#execute(toCommand('commit'), signal, false), ...answered])
    if (commit.status === 'rejected') throw commit.reason
    return commit.value
  }

  #hasSucceeded({ text }: Statement): boolean {
    return this.#prepared.get(text) === true
  }

  /** From now on no prepared statement is used. */
  #markStale(): void {
    if (this.#isStale) return
    this.#isStale = true
    this.#options.onStale(this)
  }

  async #execute(
    { text, parameters, rowMode }: Statement,
    signal: AbortSignal | null,
    mayCancel = true,
    isLast = false,
  ): Promise<ClientResult> {
    if (signal?.aborted) throw scopeEnded(signal)
    if (this.#lost) throw connectionLost()
    // The parameters are drizzle's, whose types are not those of postgres.js.
    const pending: ReturnType<Sql['unsafe']> = this.#client.unsafe(text, parameters as never[], {
      prepare: this.#mayPrepare(text, parameters),
      ...(isLast && notAgain(() => pending)),
    })
    const cancels: Promise<void>[] = []
    const cancel = (): void => {
      if (cancels.length === 0) cancels.push(this.#cancel(pending))
    }
    const { clock, statementTimeoutMs } = this.#options
    const timer = statementTimeoutMs > 0 && mayCancel ? clock.timer(statementTimeoutMs, cancel) : null
    if (mayCancel) signal?.addEventListener('abort', cancel, { once: true })
    try {
      const result = await this.#untilLost(rowMode === 'array' ? pending.values() : pending)
      if (this.#prepared.get(text) === false) this.#prepared.set(text, true)
      if (wasPreparedAgain(pending)) this.#markStale()
      return result
    } catch (error) {
      // The server ends the connection after such an error; the socket may close a little later.
      if (isFatal(error)) this.#lost = true
      if (wasSent(pending) && !isAnswer(error)) markUnanswered(error)
      else if (mayCancel && signal?.aborted) throw scopeEnded(signal)
      throw error
    } finally {
      timer?.cancel()
      signal?.removeEventListener('abort', cancel)
      // A cancellation in progress could hit the next statement.
      for (const cancelled of cancels) await cancelled
    }
  }

  /** A statement with parameters that is not prepared costs a second round trip. */
  #mayPrepare(text: string, parameters: readonly unknown[]): boolean {
    const { maxPrepared } = this.#options
    if (parameters.length === 0 || text.length > maxPreparedLength || this.#isStale) return false
    if (this.#prepared.has(text)) return true
    if (this.#prepared.size >= maxPrepared) return false
    this.#prepared.set(text, false)
    return true
  }

  /** Never rejects. When it is unknown whether the cancellation is over, the connection is ended. */
  async #cancel(pending: object): Promise<void> {
    const backend = backendOf(pending)
    try {
      // Null: not sent yet, the connection is not open.
      if (backend === null) await this.end()
      else await requestCancel(toTarget(this.#client.options), backend, this.#options.clock)
    } catch {
      await this.end()
    }
  }

  /** postgres.js never settles a statement that is sent between 'error' and 'close' of the socket. */
  #untilLost(pending: Promise<ClientResult>): Promise<ClientResult> {
    return new Promise<ClientResult>((resolve, reject) => {
      // After the error of postgres.js, if there is one.
      const onLost = (): void => queueMicrotask(() => reject(connectionLost()))
      this.#onLost.add(onLost)
      void pending.then(resolve, reject).then(() => this.#onLost.delete(onLost))
    })
  }

  #endSent(): void {
    this.#lost = true
    for (const end of this.#onLost) end()
    this.#onLost.clear()
  }
}

function toCommand(text: string): Statement {
  return { text, parameters: [], rowMode: 'object' }
}
