import type { Clock, Logger } from '@twinwire/core'
import type { Database, DatabaseApi } from '@twinwire/core/database'
import type { AuditInstruments } from './instruments.ts'
import type { Row } from './row.ts'
import { insertRows } from './row-store.ts'

/** Most bytes of one statement. */
const maxStatementLength = 4_194_304
/** A server that does not answer a cancel request either is not waited for. */
const graceMs = 1000

class WriteTimeout extends Error {
  override readonly name = 'WriteTimeout'
}

export interface DatabaseWriterOptions {
  readonly database: () => DatabaseApi
  readonly clock: Clock
  readonly log: Logger
  readonly timeoutMs: number
  readonly batchSize: number
  readonly instruments: AuditInstruments
}

/** Writes rows outside of the transactions of calls. */
export class DatabaseWriter {
  readonly #options: DatabaseWriterOptions

  constructor(options: DatabaseWriterOptions) {
    this.#options = options
  }

  /**
   * Removes rows from the beginning of `rows` as they are stored, and those that the database refuses for what is in them. Ends when fewer than
   * `least` are left of a first batch and of what was added meanwhile. Rejects when the database cannot be reached: what is left is to be written again.
   */
  async write(rows: Row[], least = 1): Promise<void> {
    const { batchSize, instruments, log } = this.#options
    let size = batchSize
    /** Of the first batch: also in parts, it is written now. */
    let due = Math.min(rows.length, batchSize)
    while (rows.length > 0 && (due > 0 || rows.length >= least)) {
      const batch = takeBatch(rows, size)
      try {
        await this.#insert(batch)
        rows.splice(0, batch.length)
        due -= batch.length
        count(instruments, batch)
        size = Math.min(batchSize, size * 2)
      } catch (error) {
        if (!isFaultOfRow(error)) {
          instruments.errors[error instanceof WriteTimeout ? 'timeout' : 'database'].inc()
          throw error
        }
        if (batch.length > 1) {
          size = Math.ceil(batch.length / 2)
          continue
        }
        rows.shift()
        due--
        instruments.errors.row.inc()
        instruments.dropped.inc()
        log.error({ err: error }, 'The database refused a row of the audit log, which is lost')
      }
    }
  }

  async #insert(batch: readonly Row[]): Promise<void> {
    const { instruments, clock } = this.#options
    const startedMs = clock.monotonic()
    await this.withinTimeout((db) => insertRows(db, batch))
    instruments.duration.observe((clock.monotonic() - startedMs) / 1000)
    instruments.batchSize.observe(batch.length)
  }

  /** With a handle of the pool. Rejects with WriteTimeout when it takes too long: what was sent may be done or not. */
  withinTimeout(run: (db: Database) => Promise<void>): Promise<void> {
    const { database, clock, log, timeoutMs } = this.#options
    const aborter = new AbortController()
    return new Promise((resolve, reject) => {
      const late = new WriteTimeout(`The audit log was not written within ${timeoutMs} ms`)
      let grace: { cancel(): void } | null = null
      const timer = clock.timer(timeoutMs, () => {
        grace = clock.timer(graceMs, () => reject(late))
        aborter.abort(late)
      })
      run(database().forCall({ signal: aborter.signal, log }))
        .then(resolve, (error: unknown) => reject(aborter.signal.aborted ? late : error))
        .finally(() => {
          timer.cancel()
          grace?.cancel()
        })
    })
  }
}

function count({ stored, written }: AuditInstruments, rows: readonly Row[]): void {
  for (const { outcome } of rows) stored[outcome].inc()
  written.inc(rows.length)
}

function takeBatch(rows: readonly Row[], size: number): readonly Row[] {
  let length = 0
  let end = 0
  while (end < rows.length && end < size && (end === 0 || length + (rows[end]?.json.length ?? 0) <= maxStatementLength))
    length += rows[end++]?.json.length ?? 0
  return rows.slice(0, end)
}

/** Data exceptions, violated constraints and program limits: the same row would fail again. */
function isFaultOfRow(error: unknown): boolean {
  for (let each = error; each instanceof Error; each = each.cause) {
    if ('code' in each && typeof each.code === 'string' && /^(?:22|23|54)[0-9A-Z]{3}$/.test(each.code)) return true
  }
  return false
}
