import type { Options, Sql } from 'postgres'

/** What drizzle hands over with a statement. */
export interface Statement {
  readonly text: string
  readonly parameters: unknown[]
  readonly options: { readonly prepare?: boolean }
  /** Rows as arrays rather than objects. */
  readonly values: boolean
}

/** Rows, with what PostgreSQL says of the command. */
export interface StatementResult {
  /** `COMMIT`, or `ROLLBACK` for a commit of a transaction that had failed. */
  readonly command: string
}

/** Makes a client of postgres.js with these options added to the user's. */
export type CreateClient = (options: Options<Record<string, never>>) => Sql

/**
 * One connection to PostgreSQL: a client of postgres.js that may open one, once.
 *
 * postgres.js has a pool and transactions of its own, which do not survive the loss of a connection (3.4.9): a write to the
 * lost socket ends the process (porsager/postgres#1154, #1208); what a transaction does after the loss runs on the connection
 * that replaces it, outside of the transaction or inside somebody else's (#1216); statements and reservations that wait are
 * never settled (#1186, #1195); and BEGIN may run without its connection being reserved (#1189). So one client is one
 * connection here, it runs one statement at a time, and after a loss it is used no more.
 */
export class PostgresConnection {
  readonly #client: Sql
  #lost = false
  #turn: Promise<unknown> = Promise.resolve()
  #onLost: (() => void) | null = null

  constructor(create: CreateClient) {
    this.#client = create({
      max: 1,
      // They count the pauses within a transaction too, of which the client knows nothing.
      max_lifetime: null,
      idle_timeout: 0,
      // drizzle reads arrays itself, and a connection that is lost while their types are asked for is a rejection of nobody's.
      fetch_types: false,
      // Called in the same tick in which the socket closes: nothing can be sent in between.
      onclose: () => {
        this.#lost = true
        this.#onLost?.()
      },
    })
  }

  /** No longer of use; what it was in the middle of is rolled back by the server. */
  get lost(): boolean {
    return this.#lost
  }

  get options(): Sql['options'] {
    return this.#client.options
  }

  /** Connects when it has not. Statements wait for each other. */
  run(statement: Statement): Promise<StatementResult> {
    const result = this.#turn.then(() => this.#execute(statement))
    this.#turn = result.catch(() => {})
    return result
  }

  /** For the statements around those of drizzle. What it rejects with is in drizzle's shape, so that it is known as the database's. */
  async command(text: string): Promise<StatementResult> {
    try {
      return await this.run({ text, parameters: [], options: {}, values: false })
    } catch (cause) {
      throw Object.assign(new Error(`Failed query: ${text}`, { cause }), { query: text, params: [] })
    }
  }

  async end(): Promise<void> {
    this.#lost = true
    await this.#client.end({ timeout: 0 }).catch(() => {})
  }

  async #execute({ text, parameters, options, values }: Statement): Promise<StatementResult> {
    if (this.#lost) throw connectionLost()
    try {
      // drizzle has made the parameters: its types and those of postgres.js do not name each other.
      const pending = this.#client.unsafe(text, parameters as never[], options)
      return await this.#untilLost(values ? pending.values() : pending)
    } catch (error) {
      // The server ends the connection after such an error; the socket may close a little later.
      if (isFatal(error)) this.#lost = true
      throw error
    }
  }

  /** postgres.js never settles a statement that is sent between the socket's 'error' and its 'close'. */
  #untilLost(pending: Promise<StatementResult>): Promise<StatementResult> {
    return new Promise<StatementResult>((resolve, reject) => {
      // After the reason that postgres.js has, if it has one.
      this.#onLost = () => queueMicrotask(() => reject(connectionLost()))
      pending.then(resolve, reject)
    }).finally(() => {
      this.#onLost = null
    })
  }
}

/** An error such as postgres.js makes. */
export function connectionLost(code: 'CONNECTION_CLOSED' | 'CONNECTION_ENDED' = 'CONNECTION_CLOSED'): Error {
  return Object.assign(new Error('The connection to the database is closed'), { code })
}

function isFatal(error: unknown): boolean {
  const severity = error instanceof Error && 'severity' in error ? error.severity : ''
  return severity === 'FATAL' || severity === 'PANIC'
}
