import type { PoolConnection } from './pool.ts'

/** What drizzle hands over. `form` says, in the words of one driver, what the result is to look like. */
export interface Statement<Form> {
  readonly text: string
  readonly parameters: unknown[]
  readonly form: Form
}

/** One connection to a database. Statements wait for each other, in order. */
export interface Connection<Form> extends PoolConnection {
  /** When it became ready for statements, by the monotonic clock; null before. Connecting is no part of the first statement's time. */
  readonly openedMs: number | null
  /**
   * When `signal` aborts, a statement that waits is refused, and one that runs is cancelled where that can be done. `restart`: the
   * commands after which the statement may run once more when it was prepared before a table changed; null where it may not.
   */
  run(statement: Statement<Form>, signal: AbortSignal | null, restart?: readonly string[] | null): Promise<unknown>
  /**
   * For the statements around those of drizzle. Resolves with the command as PostgreSQL names it: `COMMIT`, or `ROLLBACK` for the
   * commit of a transaction that had failed. What it rejects with is in drizzle's shape, so that it is known as the database's.
   */
  command(text: string, signal: AbortSignal | null): Promise<string>
  /**
   * COMMIT, with the same result. Refused when `signal` has aborted by its turn; from then on nothing cancels it, which `onSend` is told. An
   * error says by `isUnanswered` that it may have committed; so does that of a statement.
   */
  commit(signal: AbortSignal | null, onSend: () => void): Promise<string>
  /** It is of no further use: whoever has it now is the last one. */
  retire(): void
}

/** The shape of an error of drizzle. */
export function queryFailed(text: string, cause: unknown): Error {
  return Object.assign(new Error(`Failed query: ${text}`, { cause }), { query: text, params: [] })
}
