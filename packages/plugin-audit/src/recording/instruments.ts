import type { CounterCell, GaugeCell, HistogramCell, Instruments } from '@twinwire/core/plugin'
import { type Outcome, outcomes } from './row.ts'

export const errorTypes = ['database', 'timeout', 'row', 'spill', 'record'] as const
export type ErrorType = (typeof errorTypes)[number]

/** What is counted of the audit log. */
export interface AuditInstruments {
  readonly stored: Readonly<Record<Outcome, CounterCell>>
  readonly written: CounterCell
  readonly dropped: CounterCell
  readonly errors: Readonly<Record<ErrorType, CounterCell>>
  readonly queueSize: GaugeCell
  readonly spilled: GaugeCell
  readonly batchSize: HistogramCell
  readonly duration: HistogramCell
}

export function declareInstruments(instruments: Instruments): AuditInstruments {
  const stored = instruments.counter('audit_logs_total', 'Rows of the audit log that were stored, by outcome', {
    outcome: outcomes,
  })
  const errors = instruments.counter(
    'audit_log_errors_total',
    'Failures of the audit log: database, timeout, row (a row that the database refuses), spill (a file), record (a call that could not be recorded in full)',
    { error_type: errorTypes },
  )
  const cellOf = (error_type: ErrorType): CounterCell => errors.cell({ error_type })
  return {
    stored: {
      success: stored.cell({ outcome: 'success' }),
      error: stored.cell({ outcome: 'error' }),
      permission_denied: stored.cell({ outcome: 'permission_denied' }),
    },
    written: instruments.counter('audit_logs_written_total', 'Rows of the audit log that were stored').cell(),
    dropped: instruments.counter('audit_logs_dropped_total', 'Rows of the audit log that were lost').cell(),
    errors: {
      database: cellOf('database'),
      timeout: cellOf('timeout'),
      row: cellOf('row'),
      spill: cellOf('spill'),
      record: cellOf('record'),
    },
    queueSize: instruments.gauge('audit_queue_size', 'Rows of the audit log that wait in memory').cell(),
    spilled: instruments.gauge('audit_spilled_rows', 'Rows of the audit log that wait in files').cell(),
    batchSize: instruments
      .histogram('audit_batch_size', 'Rows of one INSERT of the audit log', [1, 10, 25, 50, 100, 250, 500])
      .cell(),
    duration: instruments
      .histogram(
        'audit_log_creation_duration_seconds',
        'How long an INSERT of the audit log takes',
        [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5],
      )
      .cell(),
  }
}
