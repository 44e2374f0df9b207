import {
  BootError,
  type Call,
  type Clock,
  type Logger,
  type Next,
  type Outcome,
  type RouteInfo,
  UnavailableError,
} from '@twinwire/core'
import type { DatabaseApi } from '@twinwire/core/database'
import type { AppContract, DecidedOutcome, RouteContract } from '@twinwire/core/plugin'
import type { DatabaseWriter } from './database-writer.ts'
import type { AuditInstruments } from './instruments.ts'
import type { Recorder } from './recorder.ts'
import type { Ending, Row, RowMaker } from './row.ts'
import { insertRows, upsertRow } from './row-store.ts'

interface AuditedCallsOptions {
  readonly database: () => DatabaseApi
  readonly clock: Clock
  readonly log: Logger
  readonly rows: RowMaker
  readonly writer: Pick<DatabaseWriter, 'withinTimeout'>
  readonly recorder: Pick<Recorder, 'add'>
  readonly instruments: AuditInstruments
}

/** The row of a call, while it runs. */
interface AuditedCall {
  readonly id: string
  readonly startedMs: number
  isCommitted: boolean
  /** The row of a success is stored, with its COMMIT or before the answer. */
  isRecorded: boolean
  /** Its row says so. */
  isFailed: boolean
}

/** Calls of routes with `audited()`: their rows are written with their effects, or before their answers. */
export class AuditedCalls {
  readonly #options: AuditedCallsOptions
  readonly #routes = new Map<RouteInfo, { readonly readOnly: boolean }>()
  readonly #statuses = new Map<string, number>()
  readonly #calls = new WeakMap<Call, AuditedCall>()

  constructor(options: AuditedCallsOptions) {
    this.#options = options
  }

  has(route: RouteInfo): boolean {
    return this.#routes.has(route)
  }

  bind(route: RouteInfo, options: { readonly readOnly: boolean }): (call: Call, next: Next) => Promise<Outcome> {
    this.#routes.set(route, options)
    return (call, next) => {
      // A call has one row, however often the step is in front of its handler.
      if (this.#calls.has(call)) return next()
      const { database, clock, rows } = this.#options
      const audited = {
        id: rows.createId(),
        startedMs: clock.monotonic(),
        isCommitted: false,
        isRecorded: false,
        isFailed: false,
      }
      this.#calls.set(call, audited)
      database().beforeCommit(call, async (tx) => {
        const row = this.#ofSuccess(call, audited)
        await upsertRow(tx, row)
        return () => {
          audited.isCommitted = true
          audited.isRecorded = true
          this.#stored(row)
        }
      })
      return next()
    }
  }

  /** @throws BootError `bad_step_order` */
  check({ routes }: AppContract): void {
    for (const [{ name }, { readOnly }] of this.#routes) {
      const route = routes.find((each) => each.name === name)
      if (route === undefined) continue
      this.#statuses.set(name, route.request?.status ?? 200)
      if (!readOnly && !hasTransaction(route))
        throw new BootError(
          'bad_step_order',
          `Route ${name} has audited() without a transaction() behind it: add transaction() after audited() in use, or write audited({ readOnly: true }) if it changes nothing`,
        )
    }
  }

  /** A reply that could not be made after a success was recorded. */
  onReply(call: Call, outcome: Ending): void {
    const audited = this.#calls.get(call)
    if (audited?.isRecorded !== true || audited.isFailed || outcome.error === null) return
    if (outcome.error.code === 'outcome_unknown') return
    const { writer, rows, log } = this.#options
    const row = rows.toRow(call, outcome, audited.id)
    writer
      .withinTimeout((db) => upsertRow(db, row))
      .catch((error: unknown) => {
        this.#options.instruments.errors.database.inc()
        log.error({ err: error, request_id: call.id }, 'The row of a call whose answer could not be made says success')
      })
  }

  /** @throws UnavailableError when the row of a call that has committed nothing cannot be written. */
  async beforeReply(call: Call, decided: DecidedOutcome): Promise<void> {
    const { writer, rows, recorder, log } = this.#options
    const { error, aborted } = decided
    const audited = this.#calls.get(call)
    const isSuccess = error === null && !aborted
    // Its effects are there, whatever the caller was told.
    if ((isSuccess || aborted || error?.code === 'outcome_unknown') && audited?.isCommitted === true) return
    if (audited !== undefined) audited.isFailed = !isSuccess
    const id = audited?.id ?? rows.createId()
    const ending = isSuccess ? { ...decided, httpStatus: this.#statusOf(call) } : decided
    const row = rows.toRow(call, ending, id)
    try {
      // Where a COMMIT is on its way, this insert waits for it, and keeps the row that it brings.
      await writer.withinTimeout((db) => (audited?.isCommitted === true ? upsertRow(db, row) : insertRows(db, [row])))
      this.#stored(row)
      if (audited !== undefined && isSuccess) audited.isRecorded = true
    } catch (failure) {
      this.#options.instruments.errors.database.inc()
      log.error({ err: failure, request_id: call.id }, 'The row of an audited call could not be written')
      if (audited?.isCommitted === true) return
      // Later it is known whether it has committed: then there is its row, which is kept.
      if (error?.code === 'outcome_unknown') return recorder.add(row)
      const refusal = new UnavailableError('The audit log cannot be written', { cause: failure })
      // The attempt is not forgotten.
      recorder.add(aborted ? row : rows.toRow(call, { ...ending, ...toEnding(refusal) }, id))
      if (!aborted) throw refusal
    }
  }

  #ofSuccess(call: Call, { id, startedMs }: AuditedCall): Row {
    const { rows, clock } = this.#options
    const durationMs = clock.monotonic() - startedMs
    return rows.toRow(call, { error: null, aborted: false, httpStatus: this.#statusOf(call), durationMs }, id)
  }

  /** That of the route: the reply is made after the COMMIT. */
  #statusOf({ route }: Call): number {
    return this.#statuses.get(route.name) ?? 200
  }

  #stored({ outcome }: Row): void {
    const { stored, written } = this.#options.instruments
    stored[outcome].inc()
    written.inc()
  }
}

function toEnding(error: UnavailableError): Pick<Ending, 'error' | 'httpStatus'> {
  return { error, httpStatus: error.httpStatus }
}

function hasTransaction({ steps }: RouteContract): boolean {
  const at = steps.findIndex(({ name }) => name === 'audit.audited')
  return steps.slice(at + 1).some(({ name }) => name === 'database.transaction')
}
