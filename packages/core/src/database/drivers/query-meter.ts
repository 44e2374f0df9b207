import type { CounterCell, HistogramCell } from '../../base/cells.ts'
import type { Clock } from '../../base/clock.ts'
import type { Instruments } from '../../base/instruments.ts'
import type { Logger } from '../../base/logger.ts'
import type { StatementSpan } from './database-operations.ts'
import { type ErrorType, errorTypes, toErrorType } from './error-type.ts'
import { redactStatement } from './redact-statement.ts'
import type { Scope } from './scope.ts'

const operations = ['select', 'insert', 'update', 'delete', 'other'] as const
type Operation = (typeof operations)[number]

const buckets = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5]

interface Cells {
  readonly duration: HistogramCell
  readonly slow: CounterCell
  readonly errors: ReadonlyMap<ErrorType, CounterCell>
}

export interface QueryMeterOptions {
  readonly instruments: Instruments
  readonly clock: Clock
  readonly log: Logger
  /** Slower statements are logged and counted; 0: none is. */
  readonly slowQueryMs: number
}

/** Counts statements, and logs slow ones. */
export class QueryMeter {
  readonly #clock: Clock
  readonly #log: Logger
  readonly #slowQueryMs: number
  readonly #cells: Readonly<Record<Operation, Cells>>
  readonly #retries: CounterCell

  constructor({ instruments, clock, log, slowQueryMs }: QueryMeterOptions) {
    this.#clock = clock
    this.#log = log
    this.#slowQueryMs = slowQueryMs
    const labels = { operation: operations }
    const duration = instruments.histogram(
      'db_query_duration_seconds',
      'Duration of statements: select, insert, update, delete, other',
      buckets,
      labels,
    )
    const slow = instruments.counter(
      'db_slow_queries_total',
      'Statements slower than the threshold of slow queries',
      labels,
    )
    const errors = instruments.counter('db_query_errors_total', 'Statements that failed', {
      ...labels,
      error_type: errorTypes,
    })
    const retries = instruments.counter('db_transaction_retries_total', 'Transactions retried after a conflict')
    this.#retries = retries.cell()
    const cellsOf = (operation: Operation): Cells => ({
      duration: duration.cell({ operation }),
      slow: slow.cell({ operation }),
      errors: new Map(errorTypes.map((error_type) => [error_type, errors.cell({ operation, error_type })])),
    })
    this.#cells = {
      select: cellsOf('select'),
      insert: cellsOf('insert'),
      update: cellsOf('update'),
      delete: cellsOf('delete'),
      other: cellsOf('other'),
    }
  }

  /** Returns `startedMs` of `done`. */
  start(): number {
    return this.#clock.monotonic()
  }

  /** `error` is null for a statement that succeeded; `startedMs` for one that was never sent, because there was no connection; `span` for one that is not traced. */
  done(text: string, startedMs: number | null, scope: Scope | null, error: unknown, span: StatementSpan | null): void {
    span?.end(error)
    const operation = toOperation(text)
    const cells = this.#cells[operation]
    if (error !== null) cells.errors.get(toErrorType(error))?.inc()
    if (startedMs === null) return
    const durationMs = this.#clock.monotonic() - startedMs
    cells.duration.observe(durationMs / 1000)
    if (this.#slowQueryMs === 0 || durationMs <= this.#slowQueryMs) return
    cells.slow.inc()
    const fields = {
      operation,
      durationMs: Math.round(durationMs),
      statement: redactStatement(text),
      failed: error !== null,
    }
    const log = scope?.log ?? this.#log
    log.warn(fields, 'Slow query')
  }

  /** For BEGIN, COMMIT, ROLLBACK and savepoints. */
  commandFailed(error: unknown): void {
    this.#cells.other.errors.get(toErrorType(error))?.inc()
  }

  retried(): void {
    this.#retries.inc()
  }
}

/** By the first word. A statement that starts with a CTE is `other`. */
function toOperation(text: string): Operation {
  const start = text.charCodeAt(0) > 32 && text.charCodeAt(0) !== 40 ? 0 : text.search(/[^\s(]/)
  switch (text.slice(start, start + 6).toLowerCase()) {
    case 'select':
      return 'select'
    case 'insert':
      return 'insert'
    case 'update':
      return 'update'
    case 'delete':
      return 'delete'
  }
  return 'other'
}
