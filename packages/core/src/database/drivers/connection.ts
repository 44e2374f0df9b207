import type { Clock } from '../../base/clock.ts'
import type { FirstStatement } from './first-statement.ts'
import type { PoolConnection } from './pool.ts'

/** One statement of drizzle. */
export interface Statement {
  readonly text: string
  /** Strings and null; booleans, bigints, Dates and bytes where the server has to be told their type. */
  readonly parameters: unknown[]
  /** The shape of a row in the result. */
  readonly rowMode: 'array' | 'object'
}

/** A statement before COMMIT whose result is not needed: it is sent in one piece with it where the driver can. */
export interface LastStatement extends Statement {
  /** It may wait for another transaction: until it is answered, the end of the scope cancels it, and with it the COMMIT. */
  readonly mayWait: boolean
  /** Null: it succeeded. After a failure the server answers COMMIT with ROLLBACK. */
  readonly onAnswer: (error: unknown) => void
}

/** The rows of one statement, and the names and types of their columns. Values are PostgreSQL's strings. */
export interface ResultSet {
  readonly rows: readonly unknown[]
  readonly columns: readonly { readonly name: string; readonly type: number }[]
}

export interface StatementResult {
  /** Several for a query of several statements. */
  readonly sets: readonly ResultSet[]
  /** What `db.execute` resolves with: the result as the driver has it, with the rows of `sets`. */
  readonly raw: unknown
}

/** One connection to a database. Statements run one at a time, in order. */
export interface Connection extends PoolConnection {
  /** When it became ready for statements, by the monotonic clock; null before. The time of connecting is not part of the first statement's. */
  readonly openedMs: number | null
  /**
   * When `signal` aborts, a statement that waits is refused, and a running one is cancelled where the driver can. `restart`: the
   * commands after which the statement may run again when it was prepared before a table changed; null where it may not.
   */
  run(statement: Statement, signal: AbortSignal | null, restart?: readonly string[] | null): Promise<StatementResult>
  /**
   * For the statements around drizzle's. Resolves with the command as PostgreSQL names it: `COMMIT`, or `ROLLBACK` for the
   * commit of a transaction that had failed. Rejects with an error of drizzle's shape, by which it is recognized as the database's.
   */
  command(text: string, signal: AbortSignal | null): Promise<string>
  /**
   * BEGIN and a first statement in one message; null where the driver cannot, or cannot now. When it rejects, the transaction may have begun, or not.
   */
  beginWith(text: string, first: FirstStatement, signal: AbortSignal | null): Promise<StatementResult> | null
  /**
   * COMMIT behind the `last` statements, with the same result. Refused when `signal` has aborted before it is sent; afterwards nothing cancels it but a statement that waits. `onSend` is called
   * when it is sent. `isUnanswered` says of an error whether the transaction may have committed; the same holds for a statement.
   */
  commit(signal: AbortSignal | null, onSend: () => void, last: readonly LastStatement[]): Promise<string>
  /** Must not be reused: the current user is the last one. */
  retire(): void
}

/** An error of drizzle's shape. */
export function queryFailed(text: string, cause: unknown): Error {
  return Object.assign(new Error(`Failed query: ${text}`, { cause }), { query: text, params: [] })
}

const pingTimeoutMs = 2000

/** `isAlive` of a connection: ends it when it does not answer in time. */
export async function answersPing(connection: Pick<Connection, 'command' | 'end'>, clock: Clock): Promise<boolean> {
  let isLate = false
  const timer = clock.timer(pingTimeoutMs, () => {
    isLate = true
    void connection.end()
  })
  try {
    await connection.command('select 1', null)
    return !isLate
  } catch {
    return false
  } finally {
    timer.cancel()
  }
}
