import type { MaybePromise } from './maybe-promise.ts'

/** One statement of a database. */
export interface StatementOperation {
  readonly kind: 'statement'
  readonly system: 'postgresql'
  /** `db.internal:5432/app`, without credentials. */
  readonly location: string
  /** With `$1` for parameters, `?` for each literal and for comments, and at most 2000 characters. Made when it is read. */
  readonly text: string
}

/** From the wait for a connection to COMMIT or ROLLBACK. Its statements are inside of it. */
export interface TransactionOperation {
  readonly kind: 'transaction'
  readonly system: 'postgresql'
  readonly location: string
}

/** One command of a store such as Redis. */
export interface CommandOperation {
  readonly kind: 'command'
  readonly system: 'redis'
  readonly host: string
  /** Null where it is not known. */
  readonly port: number | null
  /** The number of the database. */
  readonly namespace: string
  /** `EVALSHA`. */
  readonly command: string
  /** Which script it runs: `consume`; null for none. */
  readonly script: string | null
}

/** An event that is given to the broker: until that has taken it. */
export interface PublicationOperation {
  readonly kind: 'publication'
  /** The topic, `author:7`; `@me` for those of one identity, `@all` for all. */
  readonly destination: string
  /** The pattern of its rule, `author:*`: there are few. */
  readonly pattern: string
  readonly pkgId: number
  /** The name of the broker: `memory`, `redis`. */
  readonly broker: string
}

/** Work with a duration of its own that a call, a task or other code waits for. */
export type Operation = StatementOperation | TransactionOperation | CommandOperation | PublicationOperation

/** An operation in progress, as the tracer sees it. */
export interface OperationSpan {
  /** Runs `work`: what that begins, at once or later, is inside of the operation. */
  run<T>(work: () => T): T
  /** Once. `failure` is null for a success, else a stable code: a SQLSTATE, `timeout`. */
  end(failure: string | null): void
}

/** Where core and plugins report operations: see `host.operations`. */
export interface Operations {
  /** Null in an app without a tracer; returns null for an operation that is not traced. It belongs to what is traced around this code. */
  readonly begin: ((operation: Operation) => OperationSpan | null) | null
}

/** Runs `work` inside of an operation, which ends with it. */
export async function runOperation<T>(
  span: OperationSpan,
  work: () => MaybePromise<T>,
  toFailure: (error: unknown) => string = failureOf,
): Promise<T> {
  try {
    const result = await span.run(work)
    span.end(null)
    return result
  } catch (error) {
    span.end(toFailure(error))
    throw error
  }
}

/** An error as `OperationSpan.end` takes it: its code, else its class. Messages may hold anything, and there are too many. */
export function failureOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown'
  const code = 'code' in error ? error.code : null
  return typeof code === 'string' && /^[\w.-]{1,64}$/.test(code) ? code : error.name
}
