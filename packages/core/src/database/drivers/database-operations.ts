import {
  failureOf,
  type OperationSpan,
  type Operations,
  runOperation,
  type StatementOperation,
} from '../../base/operations.ts'
import { AppError } from '../../errors/app-error.ts'
import { findDatabaseFailure } from '../errors.ts'
import { redactStatement } from './redact-statement.ts'

/** Reports statements and transactions of one database to the tracer of the app. */
export class DatabaseOperations {
  readonly #operations: Operations | null
  readonly #location: string

  /** @param operations - Null for work without an app: nothing is traced. */
  constructor(operations: Operations | null, location: string) {
    this.#operations = operations
    this.#location = location
  }

  /** Null: not traced. */
  statement(text: string): StatementSpan | null {
    const begin = this.#operations?.begin ?? null
    if (begin === null) return null
    const span = begin(new SentStatement(this.#location, text))
    return span === null ? null : new StatementSpan(span)
  }

  transaction<T>(work: () => Promise<T>): Promise<T> {
    const begin = this.#operations?.begin ?? null
    const span = begin === null ? null : begin({ kind: 'transaction', system: 'postgresql', location: this.#location })
    return span === null ? work() : runOperation(span, work, failureOfDatabase)
  }
}

class SentStatement implements StatementOperation {
  readonly kind = 'statement'
  readonly system = 'postgresql'
  readonly location: string
  readonly #text: string

  constructor(location: string, text: string) {
    this.location = location
    this.#text = text
  }

  get text(): string {
    return redactStatement(this.#text)
  }
}

/** One statement, which has nothing inside. */
export class StatementSpan {
  #span: OperationSpan | null

  constructor(span: OperationSpan) {
    this.#span = span
  }

  /**
   * The first time counts.
   *
   * @param error - Null for a success.
   */
  end(error: unknown): void {
    const span = this.#span
    this.#span = null
    span?.end(error === null ? null : failureOfDatabase(error))
  }
}

/** A SQLSTATE where the server has answered one. */
function failureOfDatabase(error: unknown): string {
  if (AppError.is(error)) return error.code
  const code = findDatabaseFailure(error)?.code ?? ''
  return code === '' ? failureOf(error) : code
}
