import type { Sql } from 'postgres'
import type { TransactionMode } from '../transaction-options.ts'
import type { Statement } from './connection.ts'
import type { PostgresForm } from './postgres-connection.ts'
import type { Queries } from './queries.ts'
import type { Scope } from './scope.ts'
import type { NestedSession, TransactionSession } from './transaction-session.ts'

/** The part of a client of postgres.js that drizzle uses. */
export interface DrizzleClient {
  readonly options: PostgresCodecs
  unsafe(text: string, parameters?: unknown[]): PendingStatement
  begin<T>(run: (client: DrizzleTransaction) => Promise<T>): Promise<T>
}

/** drizzle puts its own in: dates and times reach it as text. */
export interface PostgresCodecs {
  readonly parsers: Sql['options']['parsers']
  readonly serializers: Sql['options']['serializers']
}

type Session = TransactionSession<PostgresForm> | NestedSession<PostgresForm>

/** Statements of a pool, in the shape in which drizzle uses postgres.js. */
export function createDrizzleClient(
  queries: Queries<PostgresForm>,
  codecs: PostgresCodecs,
  scope: Scope | null,
  mode: TransactionMode = {},
): DrizzleClient {
  return {
    options: codecs,
    unsafe: (text, parameters = []) =>
      new PendingStatement(text, parameters, (statement) => queries.run(statement, scope)),
    begin: (run) => queries.transact(scope, mode, (session) => run(new DrizzleTransaction(session))),
  }
}

/** The part of a transaction of postgres.js that drizzle uses. */
export class DrizzleTransaction {
  readonly #session: Session

  constructor(session: Session) {
    this.#session = session
  }

  unsafe(text: string, parameters: unknown[] = []): PendingStatement {
    return new PendingStatement(text, parameters, (statement) => this.#session.run(statement))
  }

  savepoint<T>(run: (client: DrizzleTransaction) => Promise<T>): Promise<T> {
    return this.#session.savepoint((session) => run(new DrizzleTransaction(session)))
  }
}

type Run = (statement: Statement<PostgresForm>) => Promise<unknown>

/** Runs when it is waited for, with rows as objects, or after `values()` as arrays. */
class PendingStatement implements PromiseLike<unknown> {
  readonly #text: string
  readonly #parameters: unknown[]
  readonly #run: Run
  #result: Promise<unknown> | null = null

  constructor(text: string, parameters: unknown[], run: Run) {
    this.#text = text
    this.#parameters = parameters
    this.#run = run
  }

  values(): Promise<unknown> {
    return this.#start(true)
  }

  // biome-ignore lint/suspicious/noThenProperty: drizzle awaits what a client of postgres.js returns
  then<A = unknown, B = never>(
    onResolved?: ((value: unknown) => A | PromiseLike<A>) | null,
    onRejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.#start(false).then(onResolved, onRejected)
  }

  #start(values: boolean): Promise<unknown> {
    this.#result ??= this.#run({ text: this.#text, parameters: this.#parameters, form: { values } })
    return this.#result
  }
}
